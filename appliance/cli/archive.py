"""`dcor archive`: originals in object storage (S3)."""

from __future__ import annotations

from typing import Any

import click

from appliance.actions import lookup
from appliance.archive import access
from appliance.archive.moving import Mover
from appliance.archive.object_store import ArchiveAway
from appliance.cli.common import (
    EXIT_OK,
    EXIT_REFUSED,
    CliState,
    confirm,
    details,
    dry_run_option,
    emit,
    json_option,
    note,
    pass_state,
    percentage,
    prints,
    read_password,
    size,
    yes_option,
)
from appliance.cli.inputs import DAYS
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.store import archived_files, resources


@click.group("archive")
def group() -> None:
    """Object storage (S3) for old originals: secret, check, status, run, recall, prune.

    Condensed files, previews and metadata always stay here; archived originals are downloaded through this server as before.
    """


@group.command("secret")
@click.option("--password-stdin", is_flag=True, help="Read the secret key from stdin.")
@pass_state
def secret(state: CliState, password_stdin: bool) -> None:
    """Set the secret key that belongs to archive.access_key. It is kept in secrets/, readable by the service alone."""
    state.require_root()
    access.set_secret(state.settings, read_password(password_stdin, "Secret key"))
    note("Saved. Test it: sudo dcor archive check")


@group.command("check")
@json_option
@pass_state
def check(state: CliState, as_json: bool) -> int:
    """Ask the storage for the bucket. Exit code 1 if it cannot be used."""
    try:
        store = access.object_store(state.settings)
        store.check()
    except ArchiveAway as away:
        found = {"good": False, "text": Message("The archive cannot be used: %(reason)s.", reason=away.reason)}
    except Problem as problem:
        found = {"good": False, "text": problem.message}
    else:
        found = {"good": True, "text": Message("The bucket %(place)s answers.", place=store.address.place)}
    emit(found, as_json, lambda data: str(data["text"]))
    return EXIT_OK if found["good"] else EXIT_REFUSED


@group.command("status")
@prints(details)
def status(state: CliState) -> dict[str, Any]:
    """Show how much is in the archive, and what a run would move now. The storage is not asked."""
    with state.db.read() as conn:
        totals = archived_files.totals(conn)
    due = _mover(state).candidates() if state.settings.depot.archive else []
    counted = {
        "due": (len(due), sum(row["size"] for row in due)),
        **{kind: totals.get(kind, (0, 0)) for kind in _KINDS},
    }
    found: dict[str, Any] = {"archive": state.settings.depot.archive}
    for kind, (files, count) in counted.items():
        found[f"{kind}_files"], found[f"{kind}_bytes"] = files, count
    return found


_KINDS = ("stored", "recalled", "sending", "removed")


@group.command("run")
@click.option(
    "--dataset", "refs", multiple=True, metavar="DATASET", help="Only files of this dataset, however young; repeatable."
)
@dry_run_option
@json_option
@pass_state
def run(state: CliState, refs: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Move the originals that are due, as the service does every day. Each is read back and compared before it leaves this machine.

    Interrupted moves are finished first. Exit code 1 if something could not be moved.
    """
    mover = _mover(state)
    access.object_store(state.settings)
    ids = _ids(state, refs)
    if dry_run:
        emit(mover.candidates(ids, any_age=bool(refs)), as_json, _list)
        return EXIT_OK
    report = mover.run(ids, any_age=bool(refs))
    emit(report.to_json(), as_json, _ran)
    return EXIT_REFUSED if report.problems else EXIT_OK


@group.command("recall")
@click.option("--dataset", "refs", multiple=True, metavar="DATASET", help="All files of this dataset; repeatable.")
@click.option("--file", "ids", multiple=True, metavar="ID", help="This file; repeatable.")
@click.option("--all", "everything", is_flag=True, help="All archived files.")
@prints(lambda data: f"{len(data['recalled'])} files are here again.")
def recall(state: CliState, refs: tuple[str, ...], ids: tuple[str, ...], everything: bool) -> dict[str, Any]:
    """Bring originals back to this machine, compared with their checksums. Their objects are deleted after archive.keep_days."""
    if not (refs or ids or everything):
        raise click.UsageError("Say what is wanted: --dataset, --file or --all.")
    with state.db.read() as conn:
        wanted = list(ids)
        for dataset_id in _ids(state, refs):
            wanted += [file.resource_id for file in archived_files.stored_of_dataset(conn, dataset_id)]
        if everything:
            known = archived_files.all_(conn, "stored")
            wanted += [file.resource_id for file in known if resources.get(conn, file.resource_id) is not None]
    mover = _mover(state)
    return {"recalled": [one for one in dict.fromkeys(wanted) if mover.recall(one)]}


@group.command("prune")
@click.option(
    "--older-than-days",
    type=click.IntRange(0, DAYS),
    default=30,
    show_default=True,
    help="Only those purged before this.",
)
@dry_run_option
@yes_option
@json_option
@pass_state
def prune(state: CliState, older_than_days: int, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete the objects of files that were purged here. They cannot be brought back from the archive then."""
    mover = _mover(state)
    found, removed = mover.prune(older_than_days, dry_run=True), []
    if found and not dry_run:
        confirm(f"Delete {len(found)} objects for good?", yes)
        removed = mover.prune(older_than_days)
    data = {"found": [file.object_key for file in found], "removed": [file.object_key for file in removed]}
    emit(data, as_json, lambda one: f"{len(one['found'])} found, {len(one['removed'])} removed")


def _mover(state: CliState) -> Mover:
    return Mover(state.db, state.depot, state.settings, progress=percentage)


def _ids(state: CliState, refs: tuple[str, ...]) -> list[str]:
    with state.db.read() as conn:
        return [lookup.dataset(conn, OPERATOR, ref)[0]["id"] for ref in refs]


def _list(rows: list[dict[str, Any]]) -> str:
    total = size(sum(row["size"] for row in rows))
    return "\n".join(
        [f"{row['dataset']}/{row['name']} ({size(row['size'])})" for row in rows] + [f"{len(rows)} files, {total}"]
    )


def _ran(data: dict[str, Any]) -> str:
    text = (
        f"{data['moved']} files ({size(data['bytes'])}) moved, {data['finished']} interrupted moves finished, "
        f"{data['deleted']} objects deleted."
    )
    return "\n".join([text, *map(str, data["problems"])])
