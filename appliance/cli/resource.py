"""`dcor resource`: the files of datasets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from appliance.actions import ingest, lookup, resources
from appliance.cli.common import (
    CliState,
    confirm,
    details,
    dry_run_option,
    emit,
    json_option,
    note,
    pass_state,
    table,
    yes_option,
)
from appliance.model.viewer import OPERATOR
from appliance.store import inspection


@click.group("resource")
def group() -> None:
    """Resources (the files of a dataset)."""


@group.command("list")
@click.option("--dataset", "dataset_ref", metavar="DATASET", help="Only the files of this dataset.")
@json_option
@pass_state
def list_(state: CliState, dataset_ref: str | None, as_json: bool) -> None:
    """List files, in the order of their arrival."""
    with state.db.read() as conn:
        dataset_id = lookup.dataset(conn, OPERATOR, dataset_ref)[0]["id"] if dataset_ref else None
        rows = inspection.resources(conn, dataset_id=dataset_id)
    emit(
        rows,
        as_json,
        lambda _: table(
            rows,
            {"id": "id", "dataset": "dataset", "name": "file", "size": "bytes", "format": "format"},
            empty="No files.",
        ),
    )


@group.command("show")
@click.argument("resource_id")
@json_option
@pass_state
def show(state: CliState, resource_id: str, as_json: bool) -> None:
    """Show a file's metadata and where it and what jobs made of it lie on disk."""
    with state.db.read() as conn:
        row, _facts = lookup.resource(conn, OPERATOR, resource_id)
        data = json.loads(row["document"])
    data["files"] = {kind: str(path) for kind, path in state.depot.files(resource_id).items()}
    emit(
        data,
        as_json,
        lambda _: (
            details({key: value for key, value in data.items() if key != "files"}) + "\n\n" + details(data["files"])
        ),
    )


@group.command("append")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("dataset")
@click.option("--name", help="Name of the resource.  [default: the file's, with strange characters replaced]")
@click.option("--description", default="", help="Text about the file.")
@click.option("--user", help="Who is noted as having done so.")
@json_option
@pass_state
def append(
    state: CliState, path: Path, dataset: str, name: str | None, description: str, user: str | None, as_json: bool
) -> None:
    """Add a file of this machine to a dataset, also to an active one. The file itself stays where it is."""
    with state.db.read() as conn:
        viewer = ingest.acting_as(conn, user)
    made = ingest.add_files(
        state.site, viewer, dataset, [ingest.File(path, name or ingest.usable_name(path.name), description=description)]
    )
    emit({"id": made[0]}, as_json, lambda _: made[0])


@group.command("remove")
@click.argument("resource_ids", nargs=-1, required=True)
@dry_run_option
@yes_option
@pass_state
def remove(state: CliState, resource_ids: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Remove files from their datasets; they go to quarantine/."""
    with state.db.read() as conn:
        names = [lookup.resource(conn, OPERATOR, one)[0]["name"] for one in resource_ids]
    note("\n".join(names))
    if dry_run:
        return
    confirm(f"Remove {len(names)} files?", yes)
    for one in resource_ids:
        resources.delete(state.site, OPERATOR, one)
