"""What came from another DCOR, and which of its files have been received."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add both tables."""
    conn.execute(
        """CREATE TABLE origin (
             kind TEXT NOT NULL CHECK (kind IN ('user', 'circle', 'collection', 'dataset')),
             id TEXT NOT NULL,
             source TEXT NOT NULL,    -- address of the server
             digest TEXT NOT NULL,    -- of what it told last; '' when something is still missing here
             taken TEXT NOT NULL,
             PRIMARY KEY (kind, id)
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX origin_source ON origin(source, kind)")
    conn.execute(
        """CREATE TABLE received_file (
             resource_id TEXT NOT NULL,
             source TEXT NOT NULL,
             part TEXT NOT NULL UNIQUE, -- id of the whole, flushed file below tmp/parts
             size INTEGER NOT NULL,
             sha256 TEXT NOT NULL,
             etag TEXT,
             crc32 INTEGER NOT NULL,
             PRIMARY KEY (resource_id, source)
           ) WITHOUT ROWID"""
    )
