"""`dcor circle` and `dcor collection`: the same commands for both."""

from __future__ import annotations

import click

from appliance.actions import communities as actions
from appliance.actions import ingest, lookup
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
from appliance.store import communities, datasets, resources

ROLES = ("admin", "editor", "member")


def _group(kind: str, help_text: str) -> click.Group:
    """The group of commands for circles or collections."""
    group = click.Group(kind, help=help_text)

    @group.command("list")
    @json_option
    @pass_state
    def list_(state: CliState, as_json: bool) -> None:
        with state.db.read() as conn:
            rows = [dict(row) for row in communities.listed(conn, kind, OPERATOR)]
        emit(
            rows,
            as_json,
            lambda _: table(
                rows, {"id": "id", "name": "name", "title": "title", "datasets": "datasets"}, empty=f"No {kind}s."
            ),
        )

    @group.command("show")
    @click.argument("ref")
    @json_option
    @pass_state
    def show(state: CliState, ref: str, as_json: bool) -> None:
        with state.db.read() as conn:
            row = lookup.community(conn, ref, kind)
            data = dict(row) | {
                "members": {member["name"]: member["role"] for member in communities.members(conn, row["id"])},
                "datasets": [
                    found["name"]
                    for one in communities.dataset_ids(conn, row["id"])
                    if (found := datasets.find(conn, one)) is not None
                ],
            }
        emit(
            data,
            as_json,
            lambda _: details(data | {"members": [f"{name} ({role})" for name, role in data["members"].items()]}),
        )

    @group.command("resources")
    @click.argument("ref")
    @json_option
    @pass_state
    def list_resources(state: CliState, ref: str, as_json: bool) -> None:
        with state.db.read() as conn:
            row = lookup.community(conn, ref, kind)
            ids = [
                found["id"]
                for one in communities.dataset_ids(conn, row["id"])
                for found in resources.of_dataset(conn, one)
            ]
        emit(ids, as_json, "\n".join)

    @group.command("create")
    @click.argument("name")
    @click.option("--title", default="", help="Title shown to people.")
    @click.option("--description", default="", help="Text in Markdown.")
    @click.option("--admin", "admins", multiple=True, metavar="USER", help="Who looks after it; may be repeated.")
    @json_option
    @pass_state
    def create(
        state: CliState, name: str, title: str, description: str, admins: tuple[str, ...], as_json: bool
    ) -> None:
        data = {
            "name": name,
            "title": title,
            "description": description,
            "users": [{"name": one, "capacity": "admin"} for one in admins],
        }
        made = {"id": actions.create(state.site, OPERATOR, kind, data), "name": name}
        emit(made, as_json, lambda _: made["id"])

    @group.command("member")
    @click.argument("ref")
    @click.argument("user")
    @click.option("--role", type=click.Choice(ROLES), default="member", show_default=True, help="What the user may do.")
    @click.option("--remove", is_flag=True, help="Take the user out.")
    @pass_state
    def member(state: CliState, ref: str, user: str, role: str, remove: bool) -> None:
        if remove:
            actions.remove_member(state.site, OPERATOR, kind, ref, user)
            note(f"{user} is no longer in {ref}.")
        else:
            actions.set_member(state.site, OPERATOR, kind, ref, user, role)
            note(f"{user} is {role} of {ref}.")

    @group.command("purge")
    @click.argument("refs", nargs=-1, required=True)
    @dry_run_option
    @yes_option
    @pass_state
    def purge(state: CliState, refs: tuple[str, ...], dry_run: bool, yes: bool) -> None:
        with state.db.read() as conn:
            rows = [lookup.community(conn, ref, kind) for ref in refs]
        names = ", ".join(row["name"] for row in rows)
        if dry_run:
            note(f"Would remove {names}.")
            return
        confirm(
            f"Remove {names} for good? The datasets of a circle must be gone before; those of a collection stay.", yes
        )
        for row in rows:
            actions.delete(state.site, OPERATOR, kind, row["id"])
            actions.purge(state.site, OPERATOR, kind, row["id"])

    texts = {
        "list": f"List the {kind}s.",
        "show": f"Show one {kind} with its members and datasets.",
        "resources": f"List the ids of all files of a {kind}, whatever the state of their datasets.",
        "create": f"Make a {kind}.",
        "member": f"Give a user a role in a {kind}, or take the user out.",
        "purge": f"Remove {kind}s for good, so that their names are free again.",
    }
    for name, text in texts.items():
        group.commands[name].help = text
    return group


circle = _group("circle", "Circles (who may see private datasets).")
collection = _group("collection", "Collections of datasets.")


@collection.command("add")
@click.argument("ref")
@click.argument("dataset_refs", nargs=-1, required=True, metavar="DATASET...")
@click.option("--user", help="Who is noted as having done so.")
@pass_state
def add(state: CliState, ref: str, dataset_refs: tuple[str, ...], user: str | None) -> None:
    """Put datasets into a collection."""
    with state.db.read() as conn:
        viewer = ingest.acting_as(conn, user)
    for dataset_ref in dataset_refs:
        actions.add_dataset(state.site, viewer, ref, dataset_ref)
