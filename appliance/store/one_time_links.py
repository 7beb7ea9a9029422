"""One-time links (first log-in, password reset): only hashes are stored; each is valid once and for a limited time.

A link created in a session is deleted with it (by a foreign key).
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from appliance.model import times


def create(
    tx: sqlite3.Connection,
    user_id: str,
    purpose: str,
    hash_: bytes,
    *,
    hours: float = 24,
    session_id: str | None = None,
) -> None:
    """Store the hash of a link's secret; an older link for the same purpose is removed. :param session_id: in which it is created."""
    revoke_of(tx, user_id, purpose)
    tx.execute(
        "INSERT INTO one_time_link (hash, user_id, purpose, expires, session_id) VALUES (?, ?, ?, ?, ?)",
        (hash_, user_id, purpose, times.ahead(timedelta(hours=hours)), session_id),
    )


def revoke_of(tx: sqlite3.Connection, user_id: str, purpose: str) -> None:
    """Remove the links of a user for a purpose."""
    tx.execute("DELETE FROM one_time_link WHERE user_id = ? AND purpose = ?", (user_id, purpose))


def revoke_made_by(tx: sqlite3.Connection, user_id: str) -> None:
    """Remove the links that a user has created, for anybody, in any of their sessions."""
    tx.execute("DELETE FROM one_time_link WHERE session_id IN (SELECT id FROM session WHERE user_id = ?)", (user_id,))


def user_of(conn: sqlite3.Connection, purpose: str, hash_: bytes) -> str | None:
    """Id of the user whose link this is, None for an unknown, used or expired one."""
    row = conn.execute(
        "SELECT user_id FROM one_time_link WHERE hash = ? AND purpose = ? AND used IS NULL AND expires > ?",
        (hash_, purpose, times.now()),
    ).fetchone()
    return row[0] if row else None


def use(tx: sqlite3.Connection, purpose: str, hash_: bytes) -> str | None:
    """Like `user_of`, but invalidates the link."""
    user_id = user_of(tx, purpose, hash_)
    if user_id is not None:
        tx.execute("UPDATE one_time_link SET used = ? WHERE hash = ?", (times.now(), hash_))
    return user_id
