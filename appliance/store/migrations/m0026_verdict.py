"""A verdict on each measurement, and the numbers that it follows from."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the table. Files that were read before are read again by `run_missing`, behind everything that people wait for."""
    conn.execute(
        """CREATE TABLE verdict (
             resource_id TEXT PRIMARY KEY REFERENCES resource(id) ON DELETE CASCADE,
             grade TEXT NOT NULL CHECK (grade IN ('good', 'look', 'bad')),
             measures TEXT NOT NULL -- JSON; last, because it is long
           )"""
    )
    conn.execute("CREATE INDEX verdict_grade ON verdict(resource_id, grade)")
