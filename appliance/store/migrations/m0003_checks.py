"""When each stored file was last read and compared with its checksum."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the table of the scrub."""
    conn.execute(
        """CREATE TABLE file_check (
               resource_id TEXT NOT NULL,
               kind TEXT NOT NULL,
               checked TEXT NOT NULL,
               PRIMARY KEY (resource_id, kind)
           ) WITHOUT ROWID"""
    )
