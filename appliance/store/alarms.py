"""Alarms: faults that an administrator has to know about and resolve."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from appliance.model import messages, names, times


def raise_(tx: sqlite3.Connection, kind: str, object_id: str, message: str) -> str | None:
    """Raise an alarm. → its id; None when the same one is already open."""
    if tx.execute(
        "SELECT 1 FROM alarm WHERE kind = ? AND object_id = ? AND resolved IS NULL", (kind, object_id)
    ).fetchone():
        return None
    alarm_id = names.new_id()
    tx.execute(
        "INSERT INTO alarm (id, at, kind, object_id, message, message_parts) VALUES (?, ?, ?, ?, ?, ?)",
        (alarm_id, times.now(), kind, object_id, message, messages.parts(message)),
    )
    return alarm_id


def is_open(conn: sqlite3.Connection, kind: str) -> bool:
    """Is there an open alarm of this kind?"""
    return (
        conn.execute("SELECT 1 FROM alarm WHERE kind = ? AND resolved IS NULL LIMIT 1", (kind,)).fetchone() is not None
    )


def open_(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Unresolved alarms, newest first."""
    return [_alarm(row) for row in conn.execute("SELECT * FROM alarm WHERE resolved IS NULL ORDER BY at DESC")]


def unmailed(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Unresolved alarms that have not been mailed, oldest first."""
    return [
        _alarm(row) for row in conn.execute("SELECT * FROM alarm WHERE resolved IS NULL AND mailed IS NULL ORDER BY at")
    ]


def mailed(tx: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Record that these alarms have been mailed."""
    tx.executemany("UPDATE alarm SET mailed = ? WHERE id = ?", [(times.now(), alarm_id) for alarm_id in ids])


def resolve(tx: sqlite3.Connection, alarm_id: str) -> bool:
    """Mark an alarm as resolved. → False when there is no open one with this id."""
    return (
        tx.execute("UPDATE alarm SET resolved = ? WHERE id = ? AND resolved IS NULL", (times.now(), alarm_id)).rowcount
        == 1
    )


def resolve_for(tx: sqlite3.Connection, kind: str, object_id: str) -> None:
    """Resolve the open alarm of this kind about this object: its cause is gone."""
    tx.execute(
        "UPDATE alarm SET resolved = ? WHERE kind = ? AND object_id = ? AND resolved IS NULL",
        (times.now(), kind, object_id),
    )


def _alarm(row: sqlite3.Row) -> dict[str, Any]:
    found = dict(row)
    found["message"] = messages.whole(found["message"], found.pop("message_parts"))
    return found
