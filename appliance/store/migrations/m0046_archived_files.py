"""Which originals are in the object storage, and in which step of their way there or back."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the table. Its rows outlive the resource's, as long as there is an object."""
    conn.execute(
        """CREATE TABLE archived_file (
             resource_id TEXT PRIMARY KEY,
             state TEXT NOT NULL CHECK (state IN ('sending', 'stored', 'recalled')),
             place TEXT NOT NULL,           -- endpoint and bucket
             object_key TEXT NOT NULL,
             etag TEXT NOT NULL DEFAULT '', -- of the object; '' until it was verified
             size INTEGER NOT NULL,
             sha256 TEXT NOT NULL,
             modified INTEGER NOT NULL,     -- time of the file [Unix s]
             since TEXT NOT NULL,           -- when it got its state
             checked TEXT NOT NULL DEFAULT '',
             removed TEXT                   -- when its resource was found to be gone
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX archived_file_state ON archived_file(state)")
