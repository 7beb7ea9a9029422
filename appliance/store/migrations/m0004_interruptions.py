"""How often a job's process ended through no fault of the job."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Count interruptions apart from failed attempts."""
    conn.execute("ALTER TABLE job ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0")
