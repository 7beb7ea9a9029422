"""`dcor dataset`: datasets, whoever owns them."""

from __future__ import annotations

import json

import click

from appliance.actions import datasets, lookup
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
from appliance.store import communities, inspection
from appliance.store import jobs as stored_jobs

STATES = ("draft", "active", "deleted")
_COLUMNS = {
    "name": "name",
    "title": "title",
    "circle": "circle",
    "state": "state",
    "private": "private",
    "resources": "files",
    "bytes": "bytes",
    "modified": "modified",
}


@click.group("dataset")
def group() -> None:
    """Datasets: list, show, move, activate, purge."""


@group.command("list")
@click.option("--circle", "circle_ref", metavar="CIRCLE", help="Only datasets of this circle.")
@click.option("--state", "wanted", type=click.Choice(STATES), help="Only in this state.")
@click.option("--user", help="Only those that this user made.")
@json_option
@pass_state
def list_(state: CliState, circle_ref: str | None, wanted: str | None, user: str | None, as_json: bool) -> None:
    """List datasets, latest change first."""
    with state.db.read() as conn:
        circle_id = lookup.community(conn, circle_ref, "circle")["id"] if circle_ref else None
        user_id = lookup.user(conn, user)["id"] if user else None
        rows = inspection.datasets(conn, circle_id=circle_id, state=wanted, creator_id=user_id)
    shown = [row | {"modified": row["modified"][:19]} for row in rows]
    emit(rows, as_json, lambda _: table(shown, _COLUMNS, empty="No datasets."))


@group.command("show")
@click.argument("ref")
@json_option
@pass_state
def show(state: CliState, ref: str, as_json: bool) -> None:
    """Show a dataset with its files and the state of their jobs, by name or id."""
    with state.db.read() as conn:
        data = json.loads(datasets.show(conn, OPERATOR, ref))
        data["jobs"] = [
            {key: job[key] for key in ("id", "resource_id", "kind", "state", "error")}
            for job in stored_jobs.for_dataset(conn, data["id"])
        ]
    keys = ("name", "id", "title", "authors", "license_id", "private", "state", "metadata_created", "metadata_modified")
    columns = {"name": "file", "size": "bytes", "id": "id"}
    emit(
        data,
        as_json,
        lambda _: (
            details({key: data[key] for key in keys}) + "\n\n" + table(data["resources"], columns, empty="No files.")
        ),
    )


@group.command("activate")
@click.argument("refs", nargs=-1, required=True)
@pass_state
def activate(state: CliState, refs: tuple[str, ...]) -> None:
    """Make drafts final. They need at least one valid measurement; the step cannot be taken back."""
    for ref in refs:
        datasets.update(state.site, OPERATOR, ref, {"state": "active"})
        note(f"{ref} is active.")


@group.command("move")
@click.argument("ref")
@click.argument("circle")
@json_option
@pass_state
def move(state: CliState, ref: str, circle: str, as_json: bool) -> None:
    """Hand a dataset over to another circle."""
    moved = datasets.move(state.site, OPERATOR, ref, circle)
    emit(
        {"moved": moved}, as_json, lambda _: f"{ref} belongs to {circle}." if moved else f"Dataset already in {circle}."
    )


@group.command("delete")
@click.argument("refs", nargs=-1, required=True)
@dry_run_option
@yes_option
@pass_state
def delete(state: CliState, refs: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Mark datasets as deleted; rows and files stay until they are purged."""
    _remove(state, refs, dry_run, yes, purge=False)


@group.command("purge")
@click.argument("refs", nargs=-1, required=True)
@dry_run_option
@yes_option
@pass_state
def purge(state: CliState, refs: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Remove datasets for good. Their files go to quarantine/, which is emptied by hand."""
    _remove(state, refs, dry_run, yes, purge=True)


def _remove(state: CliState, refs: tuple[str, ...], dry_run: bool, yes: bool, *, purge: bool) -> None:
    with state.db.read() as conn:
        rows = [lookup.dataset(conn, OPERATOR, ref)[0] for ref in refs]
        circles = {row["id"]: communities.find(conn, row["circle_id"], "circle") for row in rows}
    for row in rows:
        circle = circles[row["id"]]
        note(
            f"{row['name']} ({row['title']}; circle {circle['name'] if circle else row['circle_id']}; {row['num_resources']} files)"
        )
    if dry_run:
        return
    confirm(f"{'Purge' if purge else 'Delete'} {len(rows)} datasets?", yes)
    for row in rows:
        if row["state"] != "deleted":
            datasets.delete(state.site, OPERATOR, row["id"])
        if purge:
            datasets.purge(state.site, OPERATOR, row["id"])
