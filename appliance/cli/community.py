"""`dcor circle` and `dcor collection`: the same commands for both, and one more for collections."""

from __future__ import annotations

import sqlite3
from typing import Any

import click

from appliance.actions import collecting, ingest, lookup
from appliance.actions import communities as actions
from appliance.cli.common import CliState, agreed, details, note, pass_state, prints, removes, table
from appliance.model.quantities import number_of
from appliance.model.viewer import OPERATOR
from appliance.store import communities, datasets, resources

ROLES = ("admin", "editor", "member")
_COLUMNS = {"id": "id", "name": "name", "title": "title", "datasets": "datasets"}


def _group(kind: str, help_text: str) -> click.Group:
    """The commands for circles or collections."""
    group = click.Group(kind, help=help_text)
    _add_reading(group, kind)
    _add_changing(group, kind)
    _add_purge(group, kind)
    return group


def _add_reading(group: click.Group, kind: str) -> None:
    @group.command("list", help=f"List the {kind}s.")
    @prints(lambda rows: table(rows, _COLUMNS, empty=f"No {kind}s."))
    def list_(state: CliState) -> list[dict[str, Any]]:
        """List all of this kind."""
        with state.db.read() as conn:
            return [dict(row) for row in communities.listed(conn, kind, OPERATOR)]

    @group.command("show", help=f"Show one {kind} with its members and datasets.")
    @click.argument("ref")
    @prints(lambda data: details(data | {"members": [f"{name} ({role})" for name, role in data["members"].items()]}))
    def show(state: CliState, ref: str) -> dict[str, Any]:
        """Show one of them with its members and datasets."""
        with state.db.read() as conn:
            return _described(conn, lookup.community(conn, ref, kind))

    @group.command("resources", help=f"List the ids of all files of a {kind}, whatever the state of their datasets.")
    @click.argument("ref")
    @prints("\n".join)
    def list_resources(state: CliState, ref: str) -> list[str]:
        """List the ids of all its files."""
        with state.db.read() as conn:
            found = communities.dataset_ids(conn, lookup.community(conn, ref, kind)["id"])
            return [row["id"] for dataset_id in found for row in resources.of_dataset(conn, dataset_id)]


def _add_changing(group: click.Group, kind: str) -> None:
    @group.command("create", help=f"Create a {kind}.")
    @click.argument("name")
    @click.option("--title", default="", help="Title shown to people.")
    @click.option("--description", default="", help="Description in Markdown.")
    @click.option("--admin", "admins", multiple=True, metavar="USER", help="User who administers it; repeatable.")
    @prints(lambda made: made["id"])
    def create(state: CliState, name: str, title: str, description: str, admins: tuple[str, ...]) -> dict[str, str]:
        """Make one; its id is printed."""
        users = [{"name": one, "capacity": "admin"} for one in admins]
        data = {"name": name, "title": title, "description": description, "users": users}
        return {"id": actions.create(state.site, OPERATOR, kind, data), "name": name}

    @group.command("member", help=f"Give a user a role in a {kind}, or remove the user.")
    @click.argument("ref")
    @click.argument("user")
    @click.option("--role", type=click.Choice(ROLES), default="member", show_default=True, help="What the user may do.")
    @click.option("--remove", is_flag=True, help="Remove the user.")
    @pass_state
    def member(state: CliState, ref: str, user: str, role: str, remove: bool) -> None:
        """Give a user a role, or take it away."""
        if remove:
            actions.remove_member(state.site, OPERATOR, kind, ref, user)
            note(f"{user} is no longer in {ref}.")
        else:
            actions.set_member(state.site, OPERATOR, kind, ref, user, role)
            note(f"{user} is {role} of {ref}.")


def _add_purge(group: click.Group, kind: str) -> None:
    @group.command("purge", help=f"Remove {kind}s permanently, so that their names can be used again.")
    @click.argument("refs", nargs=-1, required=True)
    @removes
    @pass_state
    def purge(state: CliState, refs: tuple[str, ...], dry_run: bool, yes: bool) -> None:
        """Remove some for good."""
        with state.db.read() as conn:
            rows = [lookup.community(conn, ref, kind) for ref in refs]
        note("\n".join(f"{row['name']} ({row['title']})" for row in rows))
        left = "The datasets of a circle must be removed first; those of a collection stay."
        if agreed(f"Remove {len(rows)} {kind}s for good? {left}", dry_run=dry_run, yes=yes):
            for row in rows:
                actions.delete(state.site, OPERATOR, kind, row["id"])
                actions.purge(state.site, OPERATOR, kind, row["id"])


def _described(conn: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    """The row with its members (name → role) and the names of its datasets."""
    found = [datasets.find(conn, dataset_id) for dataset_id in communities.dataset_ids(conn, row["id"])]
    return dict(row) | {
        "members": {member["name"]: member["role"] for member in communities.members(conn, row["id"])},
        "datasets": [dataset["name"] for dataset in found if dataset is not None],
    }


circle = _group("circle", "Circles (who may see private datasets).")
collection = _group("collection", "Collections of datasets.")


@circle.command("quota")
@click.argument("ref")
@click.argument("size", metavar="SIZE|none|default")
@pass_state
def quota(state: CliState, ref: str, size: str) -> None:
    """Set how much a circle may hold (such as 5 TB): `none` for no limit, `default` for the value of depot.quota_circle."""
    words = {"none": 0, "default": None}
    try:
        wanted = words[size] if size in words else number_of(size, "bytes")
    except ValueError as error:
        raise click.BadParameter(f"'{size}' is neither a size such as 5 TB nor none or default.") from error
    actions.set_quota(state.site, OPERATOR, ref, wanted)
    note(
        f"{ref}: {'no limit' if wanted == 0 else 'as depot.quota_circle says' if wanted is None else f'{wanted} bytes'}."
    )


@collection.command("add")
@click.argument("ref")
@click.argument("dataset_refs", nargs=-1, required=True, metavar="DATASET...")
@click.option(
    "--user",
    help="User in whose name it is added; the collection's members see the dataset as long as this user may change it.",
)
@pass_state
def add(state: CliState, ref: str, dataset_refs: tuple[str, ...], user: str | None) -> None:
    """Add datasets to a collection, all or none.

    With --user, only datasets that this user may change (or public ones) are added, and the
    collection's members see them as long as the user has that right. Without it, the entry belongs to the operator
    and stays.
    """
    with state.db.read() as conn:
        viewer = ingest.acting_as(conn, user)
    collecting.add(state.site, viewer, ref, dataset_refs)
    note(f"{ref} now contains {', '.join(dataset_refs)}; its members can see them.")


@collection.command("remove")
@click.argument("ref")
@click.argument("dataset_refs", nargs=-1, required=True, metavar="DATASET...")
@pass_state
def remove(state: CliState, ref: str, dataset_refs: tuple[str, ...]) -> None:
    """Remove datasets from a collection; the datasets themselves stay."""
    for dataset_ref in dataset_refs:
        collecting.remove(state.site, OPERATOR, ref, dataset_ref)
    note(f"Removed {', '.join(dataset_refs)} from {ref}.")
