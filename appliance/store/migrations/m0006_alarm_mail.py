"""Which alarms an administrator has had by mail."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the moment of the mail; alarms that are open now are mailed once."""
    conn.execute("ALTER TABLE alarm ADD COLUMN mailed TEXT")
