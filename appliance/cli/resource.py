"""`dcor resource`: the files of datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from appliance.actions import ingest, lookup, resources
from appliance.cli.common import CliState, FilePath, agreed, details, note, pass_state, prints, removes, table
from appliance.model.viewer import OPERATOR
from appliance.store import archived_files, documents, inspection

_COLUMNS = {"id": "id", "dataset": "dataset", "name": "file", "size": "bytes", "format": "format"}


def _shown(data: dict[str, Any]) -> str:
    about = {key: value for key, value in data.items() if key != "files"}
    return f"{details(about)}\n\n{details(data['files'])}"


@click.group("resource")
def group() -> None:
    """Resources (the files of a dataset)."""


@group.command("list")
@click.option("--dataset", "dataset_ref", metavar="DATASET", help="Only the files of this dataset.")
@prints(lambda rows: table(rows, _COLUMNS, empty="No files."))
def list_(state: CliState, dataset_ref: str | None) -> list[dict[str, Any]]:
    """List files in the order in which they arrived."""
    with state.db.read() as conn:
        dataset_id = lookup.dataset(conn, OPERATOR, dataset_ref)[0]["id"] if dataset_ref else None
        return inspection.resources(conn, dataset_id=dataset_id)


@group.command("show")
@click.argument("resource_id")
@prints(_shown)
def show(state: CliState, resource_id: str) -> dict[str, Any]:
    """Show a file's metadata, and where it and its generated files are on disk."""
    with state.db.read() as conn:
        row, _facts = lookup.resource(conn, OPERATOR, resource_id)
        data: dict[str, Any] = json.loads(documents.resource(conn, row["id"]))
        archived = archived_files.stored(conn, row["id"])
    if archived is not None:
        data["archived"] = f"{archived.place}/{archived.object_key}"
    return data | {"files": {kind: str(path) for kind, path in state.depot.files(resource_id).items()}}


@group.command("append")
@click.argument("path", type=FilePath(exists=True, dir_okay=False))
@click.argument("dataset")
@click.option("--name", help="Name of the resource.  [default: the file's, with unsupported characters replaced]")
@click.option("--description", default="", help="Description of the file.")
@click.option("--user", help="User recorded as having done so.")
@prints(lambda made: made["id"])
def append(
    state: CliState, path: Path, dataset: str, name: str | None, description: str, user: str | None
) -> dict[str, str]:
    """Add a file of this machine to a dataset, also to an active one. The file itself stays where it is."""
    with state.db.read() as conn:
        viewer = ingest.acting_as(conn, user)
    file = ingest.File(path, name or ingest.usable_name(path.name), description=description)
    return {"id": ingest.add_files(state.site, viewer, dataset, [file])[0]}


@group.command("remove")
@click.argument("resource_ids", nargs=-1, required=True)
@removes
@pass_state
def remove(state: CliState, resource_ids: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Remove files from their datasets; they go to quarantine/."""
    with state.db.read() as conn:
        names = [lookup.resource(conn, OPERATOR, one)[0]["name"] for one in resource_ids]
    note("\n".join(names))
    if agreed(f"Remove {len(names)} files?", dry_run=dry_run, yes=yes):
        for one in resource_ids:
            resources.delete(state.site, OPERATOR, one)
