"""Saved comparisons of measurements, and with whom they are shared."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from appliance.model import names, times


def own(conn: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
    """What a user has saved, the newest first."""
    rows = conn.execute(
        """SELECT c.*, u.name AS user, u.fullname FROM comparison c JOIN user u ON u.id = c.user_id
           WHERE c.user_id = ? ORDER BY c.modified DESC, c.id""",
        (user_id,),
    )
    return [_decoded(row) for row in rows]


def shared_with(conn: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
    """What others share with a user, the newest first."""
    rows = conn.execute(
        """SELECT c.*, u.name AS user, u.fullname FROM comparison_share s JOIN comparison c ON c.id = s.comparison_id
           JOIN user u ON u.id = c.user_id WHERE s.user_id = ? AND u.state = 'active' ORDER BY c.modified DESC, c.id""",
        (user_id,),
    )
    return [_decoded(row) for row in rows]


def get(conn: sqlite3.Connection, comparison_id: str) -> dict[str, Any] | None:
    """The comparison with this id, or None."""
    row = conn.execute(
        "SELECT c.*, u.name AS user, u.fullname FROM comparison c JOIN user u ON u.id = c.user_id WHERE c.id = ?",
        (comparison_id,),
    ).fetchone()
    return None if row is None else _decoded(row)


def is_shared_with(conn: sqlite3.Connection, comparison_id: str, user_id: str) -> bool:
    """Is it shared with this user, by somebody whose account is active?"""
    found = conn.execute(
        """SELECT 1 FROM comparison_share s JOIN comparison c ON c.id = s.comparison_id JOIN user u ON u.id = c.user_id
           WHERE s.comparison_id = ? AND s.user_id = ? AND u.state = 'active'""",
        (comparison_id, user_id),
    ).fetchone()
    return found is not None


def people(conn: sqlite3.Connection, comparison_id: str) -> list[sqlite3.Row]:
    """Id, name and full name of those whom it is shared with."""
    return conn.execute(
        """SELECT u.id, u.name, u.fullname FROM comparison_share s JOIN user u ON u.id = s.user_id
           WHERE s.comparison_id = ? ORDER BY u.name""",
        (comparison_id,),
    ).fetchall()


def put(tx: sqlite3.Connection, user_id: str, title: str, resources: Sequence[str], query: str) -> str:
    """Save under a title, in place of what the user has saved under it before; returns its id."""
    tx.execute(
        """INSERT INTO comparison (id, user_id, title, resources, query, modified) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (user_id, title)
           DO UPDATE SET resources = excluded.resources, query = excluded.query, modified = excluded.modified""",
        (names.new_id(), user_id, title, json.dumps(list(resources)), query, times.now()),
    )
    row = tx.execute("SELECT id FROM comparison WHERE user_id = ? AND title = ?", (user_id, title)).fetchone()
    return str(row["id"])


def remove(tx: sqlite3.Connection, comparison_id: str) -> None:
    """Delete it, if it is there."""
    tx.execute("DELETE FROM comparison WHERE id = ?", (comparison_id,))


def share(tx: sqlite3.Connection, comparison_id: str, user_id: str) -> None:
    """Share it with a user."""
    tx.execute("INSERT OR IGNORE INTO comparison_share VALUES (?, ?)", (comparison_id, user_id))


def unshare(tx: sqlite3.Connection, comparison_id: str, user_id: str) -> None:
    """Stop sharing it with a user."""
    tx.execute("DELETE FROM comparison_share WHERE comparison_id = ? AND user_id = ?", (comparison_id, user_id))


def forget(tx: sqlite3.Connection, user_id: str) -> None:
    """Delete what a user has saved, and what is shared with them."""
    tx.execute("DELETE FROM comparison WHERE user_id = ?", (user_id,))  # and with whom it is shared
    tx.execute("DELETE FROM comparison_share WHERE user_id = ?", (user_id,))


def _decoded(row: sqlite3.Row) -> dict[str, Any]:
    return dict(row) | {"resources": json.loads(row["resources"])}
