"""`dcor audit`: who did what."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from appliance.actions import audit_log
from appliance.cli.common import CliState, FilePath, as_caller, emit, json_option, pass_state, prints, table
from appliance.cli.inputs import COUNT
from appliance.model.audit_anchor import Anchor, LogState
from appliance.model.csv_cells import inert
from appliance.store import audit
from appliance.store.audit_chain import Verdict

_COLUMNS = {
    "at": "when",
    "actor": "who",
    "action": "what",
    "object_type": "on",
    "object_id": "id",
    "detail": "detail",
    "address": "from",
}


def _listed(rows: list[dict[str, Any]]) -> str:
    shown = [
        row | {"at": row["at"][:19], "detail": ", ".join(f"{key}={value}" for key, value in row["detail"].items())}
        for row in rows
    ]
    return table(shown, _COLUMNS, empty="No entries.")


@click.group("audit")
def group() -> None:
    """The audit log: list, verify, export."""


def _filters(command: Any) -> Any:
    """The options that choose entries."""
    for option in (
        click.option("--until", default="", help="Only entries before this time (UTC)."),
        click.option("--since", default="", help="Only entries from this time on (UTC), such as 2026-01-31."),
        click.option("--object", "object_id", default="", help="Only entries about this ID."),
        click.option("--action", default="", help="Only actions beginning with this, such as dataset."),
        click.option("--actor", default="", help="Only entries by this user."),
    ):
        command = option(command)
    return command


@group.command("list")
@_filters
@click.option(
    "--limit", type=click.IntRange(1, COUNT), default=50, show_default=True, help="At most this many, newest first."
)
@prints(_listed)
def list_(
    state: CliState, actor: str, action: str, object_id: str, since: str, until: str, limit: int
) -> list[dict[str, Any]]:
    """List entries, newest first."""
    with state.db.read() as conn:
        return audit.entries(conn, audit.Filter(actor, action, object_id, since, until), limit=limit)


def _anchors(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Anchor]:
    try:
        return [Anchor(LogState.parse(value), f"The note {value[:24]}…") for value in values]
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@group.command("verify")
@click.option(
    "--anchor", "anchors", multiple=True, metavar="NUMBER:HEAD", callback=_anchors,
    help="Also compare with this anchor, for example from an alarm mail; repeatable.",
)  # fmt: skip
@json_option
@pass_state
def verify(state: CliState, anchors: list[Anchor], as_json: bool) -> int:
    """Check that no entry was changed or removed. Exit code 1 when one was.

    Checks the keyed chain, and compares it with what the backups signed by this server and, where
    readable, the system's journal recorded of the log.
    """
    verdict = audit_log.verify(state.db, state.settings, anchors)
    emit(asdict(verdict), as_json, lambda _: _verdict(verdict))
    return 1 if verdict.problems else 0


def _verdict(verdict: Verdict) -> str:
    lines = list(verdict.problems)
    if not lines:
        agree = verdict.anchors - len(verdict.explained)
        lines.append(
            f"{verdict.entries} entries; the chain is unbroken. Compared with records elsewhere: {agree} agree."
        )
        if not verdict.anchors:
            lines.append(
                "Without a backup, a journal or --anchor, an older copy of the whole database would go unnoticed."
            )
    return "\n".join(lines + [f"Explained by a restore: {text}" for text in verdict.explained])


@group.command("export")
@_filters
@click.option("--out", type=FilePath(dir_okay=False), help="File to write; otherwise stdout.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    show_default=True,
    help="Format of the export.",
)
@pass_state
def export(
    state: CliState, actor: str, action: str, object_id: str, since: str, until: str, out: Path | None, kind: str
) -> None:
    """Write entries, oldest first, as CSV or as one JSON object a line."""
    with state.db.read() as conn:
        rows = audit.entries(conn, audit.Filter(actor, action, object_id, since, until), limit=-1)[::-1]
    if out is None:
        _write(sys.stdout, rows, kind)
        return
    with as_caller(), out.open("w", encoding="utf-8", newline="") as file:
        _write(file, rows, kind)


def _write(file: Any, rows: list[dict[str, Any]], kind: str) -> None:
    if kind == "jsonl":
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    writer = csv.DictWriter(file, ["seq", *_COLUMNS], extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        texts = row | {"detail": json.dumps(row["detail"], ensure_ascii=False)}
        writer.writerow({key: inert(value) for key, value in texts.items()})
