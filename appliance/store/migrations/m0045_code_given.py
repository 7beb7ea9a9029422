"""Sessions know whether a code of the second factor was given in them."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the column; sessions that began before count as begun with a password alone."""
    conn.execute("ALTER TABLE session ADD COLUMN code_given INTEGER NOT NULL DEFAULT 0")
