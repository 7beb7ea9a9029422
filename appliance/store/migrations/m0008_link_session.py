"""In which session a one-time link was made: it ends with that session."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the session of each link; those made before it, or by the command line, have none."""
    conn.execute("ALTER TABLE one_time_link ADD COLUMN session_id TEXT REFERENCES session(id) ON DELETE CASCADE")
    conn.execute("CREATE INDEX one_time_link_session ON one_time_link(session_id) WHERE session_id IS NOT NULL")
