"""`dcor prune`: remove what has had its time. Every command takes --dry-run; files go to quarantine/."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

import click

from appliance.actions import communities as community_actions
from appliance.actions import trash
from appliance.cli.common import CliState, confirm, dry_run_option, emit, json_option, note, pass_state, yes_option
from appliance.cli.inputs import DAYS
from appliance.jobs.prune import purge, stale_drafts
from appliance.model import times
from appliance.model.viewer import OPERATOR
from appliance.store import communities, inspection, tokens, uploads


@click.group("prune")
def group() -> None:
    """Remove old drafts, unused circles, stale uploads."""


@group.command("drafts")
@click.option(
    "--older-than-days",
    type=click.IntRange(0, DAYS),
    default=21,
    show_default=True,
    help="Only those not modified for this long.",
)
@dry_run_option
@yes_option
@json_option
@pass_state
def drafts(state: CliState, older_than_days: int, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete and purge drafts that have not been changed for a while."""
    found = stale_drafts(state.db, older_than_days)
    with state.db.read() as conn:
        total = len(inspection.datasets(conn, state="draft"))
    _report(_purge_datasets(state, found, dry_run, yes) | {"ignored": total - len(found)}, as_json)


@group.command("communities")
@click.option(
    "--modified-before-months",
    type=click.IntRange(0, 1_200),
    default=24,
    show_default=True,
    help="Created more than this many months (of 31 days) ago.",
)
@dry_run_option
@yes_option
@json_option
@pass_state
def unused(state: CliState, modified_before_months: int, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove old circles and collections without any active dataset."""
    before = _before(31 * modified_before_months)
    with state.db.read() as conn:
        found = [
            (kind, row["id"], row["name"])
            for kind in ("circle", "collection")
            for row in communities.unused(conn, kind, before)
            if not _alive(conn, kind, row["id"])
        ]
    for kind, community_id, _name in found:
        note(f"Delete {kind} {community_id}")
    removed: list[str] = []
    if found and not dry_run:
        confirm(f"Remove {len(found)} circles and collections?", yes)
        for kind, community_id, name in found:
            if kind == "circle":
                with state.db.read() as conn:
                    left = inspection.datasets(conn, circle_id=community_id)
                purge(state.site, left)
            community_actions.delete(state.site, OPERATOR, kind, community_id)
            community_actions.purge(state.site, OPERATOR, kind, community_id)
            removed.append(name)
    _report({"found": [name for _kind, _id, name in found], "removed": removed}, as_json)


@group.command("uploads")
@click.option(
    "--initiated-before-days",
    type=click.IntRange(0, DAYS),
    default=5,
    show_default=True,
    help="Only those without progress for this long.",
)
@dry_run_option
@json_option
@pass_state
def stale(state: CliState, initiated_before_days: int, dry_run: bool, as_json: bool) -> None:
    """Abandon stale uploads, and remove tokens that can never work again.

    Pieces of files are removed; complete files that were never added to a dataset go to the quarantine.
    """
    lifetime, silent = state.settings.depot.part_lifetime, 86400 * initiated_before_days
    swept = uploads.sweep(state.db, state.depot, lifetime, silent=silent, dry_run=dry_run)
    if not dry_run:
        with state.db.write() as tx:
            tokens.sweep(tx)
    found = sorted(swept["removed"] + swept["put_aside"])
    _report({"found": found} | ({"removed": [], "put_aside": []} if dry_run else swept), as_json)


@group.command("playground")
@click.option(
    "--older-than-days",
    type=click.IntRange(1, DAYS),
    help="Only those created before this.  [default: jobs.playground_purge_days]",
)
@dry_run_option
@yes_option
@json_option
@pass_state
def playground(state: CliState, older_than_days: int | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """On a playground: purge every dataset that is older than the setting says. Elsewhere it refuses."""
    days = state.settings.jobs.playground_purge_days
    if not days:
        raise click.UsageError("This is not a playground (jobs.playground_purge_days is 0).")
    before = _before(older_than_days or days)
    with state.db.read() as conn:
        found = [row for row in inspection.datasets(conn) if row["created"] < before]
    _report(_purge_datasets(state, found, dry_run, yes), as_json)


@group.command("trash")
@click.option(
    "--older-than-days",
    type=click.IntRange(1, DAYS),
    help="Only those deleted before this.  [default: jobs.trash_days]",
)
@dry_run_option
@yes_option
@json_option
@pass_state
def empty_trash(state: CliState, older_than_days: int | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Purge datasets that were deleted a while ago; their files go to quarantine/."""
    days = older_than_days or state.settings.jobs.trash_days
    if not days:
        raise click.UsageError("The trash is not emptied automatically (jobs.trash_days is 0); use --older-than-days.")
    found = trash.sweep(state.site, days, dry_run=True)
    for name in found:
        note(f"Found dataset {name}")
    removed: list[str] = []
    if found and not dry_run:
        confirm(f"Purge {len(found)} datasets?", yes)
        removed = trash.sweep(state.site, days)
    _report({"found": found, "removed": removed}, as_json)


@group.command("all")
@yes_option
@json_option
@pass_state
@click.pass_context
def everything(ctx: click.Context, state: CliState, yes: bool, as_json: bool) -> None:
    """Do what the daily timer does: remove old drafts and playground data where a setting says so, and always stale uploads and expired tokens."""
    jobs = state.settings.jobs
    if jobs.prune_drafts_days:
        ctx.invoke(drafts, older_than_days=jobs.prune_drafts_days, yes=yes, as_json=as_json)
    if jobs.trash_days:
        ctx.invoke(empty_trash, older_than_days=None, yes=yes, as_json=as_json)
    if jobs.playground_purge_days:
        ctx.invoke(playground, older_than_days=None, yes=yes, as_json=as_json)
    ctx.invoke(stale, initiated_before_days=5, as_json=as_json)


def _purge_datasets(state: CliState, found: list[dict[str, Any]], dry_run: bool, yes: bool) -> dict[str, Any]:
    for row in found:
        note(f"Found dataset {row['name']}")
    gone: list[str] = []
    if found and not dry_run:
        confirm(f"Purge {len(found)} datasets?", yes)
        gone = purge(state.site, found)
    return {"found": [row["name"] for row in found], "removed": [row["name"] for row in found if row["id"] in gone]}


def _alive(conn: sqlite3.Connection, kind: str, community_id: str) -> bool:
    """Does a circle hold a dataset that is not deleted (a draft)? Collections only refer to theirs."""
    return kind == "circle" and any(
        row["state"] != "deleted" for row in inspection.datasets(conn, circle_id=community_id)
    )


def _before(days: int) -> str:
    return times.ahead(-timedelta(days=days))


def _report(data: dict[str, Any], as_json: bool) -> None:
    counts = {key: len(value) if isinstance(value, list) else value for key, value in data.items()}
    emit(data, as_json, lambda _: ", ".join(f"{number} {key}" for key, number in counts.items()))
