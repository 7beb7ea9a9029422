"""Gates saved with datasets: each user's own, and those shared with the dataset's circle."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from appliance.model import names, times


def listed(conn: sqlite3.Connection, dataset_id: str, user_id: str | None, *, shared: bool) -> list[dict[str, Any]]:
    """A user's own sets at a dataset, and (`shared`) those of others that are shared with its circle; by name."""
    rows = conn.execute(
        """SELECT g.*, u.name AS user, u.fullname FROM gate_set g JOIN user u ON u.id = g.user_id
           WHERE g.dataset_id = ? AND (g.user_id = ? OR (? AND g.shared)) ORDER BY g.name, u.name""",
        (dataset_id, user_id or "", shared),
    ).fetchall()
    return [_shown(row, user_id) for row in rows]


def get(conn: sqlite3.Connection, set_id: str) -> sqlite3.Row | None:
    """The set with this id, or None."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM gate_set WHERE id = ?", (set_id,)).fetchone()
    return row


def count(conn: sqlite3.Connection, dataset_id: str, user_id: str) -> int:
    """How many sets a user has at a dataset."""
    row = conn.execute(
        "SELECT count(*) FROM gate_set WHERE dataset_id = ? AND user_id = ?", (dataset_id, user_id)
    ).fetchone()
    return int(row[0])


def put(
    tx: sqlite3.Connection, dataset_id: str, user_id: str, name: str, gates: Sequence[dict[str, Any]], *, shared: bool
) -> dict[str, Any]:
    """Save under a name, replacing what the user saved under it before; returns the set."""
    text = json.dumps(list(gates), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    tx.execute(
        """INSERT INTO gate_set (id, dataset_id, user_id, name, gates, shared, modified) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (dataset_id, user_id, name)
           DO UPDATE SET gates = excluded.gates, shared = excluded.shared, modified = excluded.modified""",
        (names.new_id(), dataset_id, user_id, name, text, shared, times.now()),
    )
    return next(one for one in listed(tx, dataset_id, user_id, shared=False) if one["name"] == name)


def remove(tx: sqlite3.Connection, set_id: str) -> None:
    """Delete the set if it exists."""
    tx.execute("DELETE FROM gate_set WHERE id = ?", (set_id,))


def _shown(row: sqlite3.Row, user_id: str | None) -> dict[str, Any]:
    return {
        "id": row["id"],
        "package_id": row["dataset_id"],
        "name": row["name"],
        "gates": json.loads(row["gates"]),
        "shared": bool(row["shared"]),
        "own": row["user_id"] == user_id,
        "user": row["user"],
        "modified": row["modified"],
    }
