"""`dcor audit`: who did what."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import click

from appliance.cli.common import CliState, as_caller, emit, json_option, pass_state, prints, table
from appliance.model.csv_cells import inert
from appliance.store import audit

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
        click.option("--until", default="", help="Before this moment (UTC)."),
        click.option("--since", default="", help="From this moment on (UTC), such as 2026-01-31."),
        click.option("--object", "object_id", default="", help="About this id."),
        click.option("--action", default="", help="Actions beginning with this, such as dataset."),
        click.option("--actor", default="", help="By this user."),
    ):
        command = option(command)
    return command


@group.command("list")
@_filters
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most this many, newest first.")
@prints(_listed)
def list_(
    state: CliState, actor: str, action: str, object_id: str, since: str, until: str, limit: int
) -> list[dict[str, Any]]:
    """List entries, newest first."""
    with state.db.read() as conn:
        return audit.entries(conn, audit.Filter(actor, action, object_id, since, until), limit=limit)


@group.command("verify")
@json_option
@pass_state
def verify(state: CliState, as_json: bool) -> int:
    """Check that no entry was changed or removed. Exit code 1 when one was."""
    with state.db.read() as conn:
        broken = list(audit.broken_links(conn))
        number = audit.count(conn)
    data = {"entries": number, "broken": broken}
    emit(
        data,
        as_json,
        lambda _: (
            f"{number} entries, the chain is whole."
            if not broken
            else f"The chain is broken at entry {', '.join(map(str, broken[:10]))}."
        ),
    )
    return 1 if broken else 0


@group.command("export")
@_filters
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; otherwise stdout.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    show_default=True,
    help="Form of the export.",
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
