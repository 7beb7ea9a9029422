"""Who made a token, so that tokens made by an administrator for others end when that person is no longer one."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the maker's user id; of tokens made before, the audit log knows it (none for those of the command line)."""
    conn.execute("ALTER TABLE token ADD COLUMN maker TEXT")
    conn.execute("CREATE INDEX token_maker ON token(maker) WHERE maker IS NOT NULL")
    conn.execute(
        """UPDATE token SET maker = (
             SELECT nullif(a.actor_id, '') FROM audit a
             WHERE a.object_id = token.id AND a.action = 'token.create' ORDER BY a.seq LIMIT 1)"""
    )
