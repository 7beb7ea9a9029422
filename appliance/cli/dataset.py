"""`dcor dataset`: datasets, whoever owns them."""

from __future__ import annotations

import json
from typing import Any

import click

from appliance.actions import datasets, deletion, lookup
from appliance.cli.common import CliState, agreed, details, emit, json_option, note, pass_state, prints, removes, table
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
_SHOWN = ("name", "id", "title", "authors", "license_id", "private", "state", "metadata_created", "metadata_modified")
_FILE_COLUMNS = {"name": "file", "size": "bytes", "id": "id"}


def _listed(rows: list[dict[str, Any]]) -> str:
    return table([row | {"modified": row["modified"][:19]} for row in rows], _COLUMNS, empty="No datasets.")


def _shown(data: dict[str, Any]) -> str:
    files = table(data["resources"], _FILE_COLUMNS, empty="No files.")
    return f"{details({key: data[key] for key in _SHOWN})}\n\n{files}"


@click.group("dataset")
def group() -> None:
    """Datasets: list, show, move, activate, purge."""


@group.command("list")
@click.option("--circle", "circle_ref", metavar="CIRCLE", help="Only datasets of this circle.")
@click.option("--state", "wanted", type=click.Choice(STATES), help="Only in this state.")
@click.option("--user", help="Only those created by this user.")
@prints(_listed)
def list_(state: CliState, circle_ref: str | None, wanted: str | None, user: str | None) -> list[dict[str, Any]]:
    """List datasets, latest change first."""
    with state.db.read() as conn:
        circle_id = lookup.community(conn, circle_ref, "circle")["id"] if circle_ref else None
        user_id = lookup.user(conn, user)["id"] if user else None
        return inspection.datasets(conn, circle_id=circle_id, state=wanted, creator_id=user_id)


@group.command("show")
@click.argument("ref")
@prints(_shown)
def show(state: CliState, ref: str) -> dict[str, Any]:
    """Show a dataset with its files and the state of their jobs, by name or id."""
    with state.db.read() as conn:
        data: dict[str, Any] = json.loads(datasets.show(conn, OPERATOR, ref))
        data["jobs"] = [
            {key: job[key] for key in ("id", "resource_id", "kind", "state", "error")}
            for job in stored_jobs.for_dataset(conn, data["id"])
        ]
    return data


@group.command("activate")
@click.argument("refs", nargs=-1, required=True)
@pass_state
def activate(state: CliState, refs: tuple[str, ...]) -> None:
    """Activate drafts. They need at least one valid measurement; this cannot be undone."""
    for ref in refs:
        datasets.update(state.site, OPERATOR, ref, {"state": "active"})
        note(f"{ref} is active.")


@group.command("move")
@click.argument("ref")
@click.argument("circle")
@json_option
@pass_state
def move(state: CliState, ref: str, circle: str, as_json: bool) -> None:
    """Move a dataset to another circle."""
    moved = datasets.move(state.site, OPERATOR, ref, circle)
    said = f"{ref} belongs to {circle}." if moved else f"Dataset already in {circle}."
    emit({"moved": moved}, as_json, lambda _: said)


@group.command("delete")
@click.argument("refs", nargs=-1, required=True)
@removes
@pass_state
def delete(state: CliState, refs: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Mark datasets as deleted; rows and files stay until they are purged."""
    _remove(state, refs, dry_run, yes, purge=False)


@group.command("restore")
@click.argument("refs", nargs=-1, required=True)
@pass_state
def restore(state: CliState, refs: tuple[str, ...]) -> None:
    """Restore deleted drafts, all of them or none. Deleted active datasets stay deleted."""
    deletion.restore(state.site, OPERATOR, *refs)
    note(f"{len(refs)} restored")


@group.command("purge")
@click.argument("refs", nargs=-1, required=True)
@removes
@pass_state
def purge(state: CliState, refs: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Remove datasets permanently. Their files go to quarantine/, which you empty yourself."""
    _remove(state, refs, dry_run, yes, purge=True)


def _remove(state: CliState, refs: tuple[str, ...], dry_run: bool, yes: bool, *, purge: bool) -> None:
    with state.db.read() as conn:
        rows = [lookup.dataset(conn, OPERATOR, ref)[0] for ref in refs]
        circles = {row["id"]: communities.find(conn, row["circle_id"], "circle") for row in rows}
    for row in rows:
        circle = circles[row["id"]]
        owner = circle["name"] if circle else row["circle_id"]
        note(f"{row['name']} ({row['title']}; circle {owner}; {row['num_resources']} files)")
    if not agreed(f"{'Purge' if purge else 'Delete'} {len(rows)} datasets?", dry_run=dry_run, yes=yes):
        return
    for row in rows:
        if row["state"] != "deleted":
            deletion.delete(state.site, OPERATOR, row["id"])
        if purge:
            deletion.purge(state.site, OPERATOR, row["id"])
