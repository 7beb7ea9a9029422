"""What went wrong inside: the trace stays here, the client gets only the id."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.model import times


def add(tx: sqlite3.Connection, incident_id: str, place: str, trace: str) -> None:
    """Keep a trace under the id that the client was given."""
    tx.execute("INSERT INTO incident VALUES (?, ?, ?, ?)", (incident_id, times.now(), place, trace[-20_000:]))
    tx.execute("DELETE FROM incident WHERE id IN (SELECT id FROM incident ORDER BY at DESC LIMIT -1 OFFSET 1000)")


def get(conn: sqlite3.Connection, incident_id: str) -> dict[str, Any] | None:
    """The incident, or None."""
    row = conn.execute("SELECT * FROM incident WHERE id = ?", (incident_id,)).fetchone()
    return dict(row) if row else None


def latest(conn: sqlite3.Connection, limit: int = 20) -> list[dict[str, Any]]:
    """The newest incidents without their traces."""
    return [dict(row) for row in conn.execute("SELECT id, at, place FROM incident ORDER BY at DESC LIMIT ?", (limit,))]
