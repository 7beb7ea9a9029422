"""Events of gates that somebody has had written to a file, for a day."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the table."""
    conn.execute(
        """CREATE TABLE gate_export (
             id TEXT PRIMARY KEY,
             resource_id TEXT NOT NULL REFERENCES resource(id) ON DELETE CASCADE,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             job_id TEXT NOT NULL,
             name TEXT NOT NULL,
             format TEXT NOT NULL CHECK (format IN ('rtdc', 'csv', 'tsv')),
             created TEXT NOT NULL,
             expires TEXT NOT NULL,
             events INTEGER,
             size INTEGER,
             sha256 TEXT,
             error TEXT -- why no file can be made
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX gate_export_user ON gate_export(user_id)")
    conn.execute("CREATE INDEX gate_export_resource ON gate_export(resource_id)")
