"""Where datasets were published besides, and which of their files have been sent there."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add both tables."""
    conn.execute(
        """CREATE TABLE publication (
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             target TEXT NOT NULL,              -- address of the server
             circle TEXT NOT NULL,              -- name there
             licence TEXT NOT NULL,
             remote_id TEXT NOT NULL DEFAULT '', -- '' = being made, or it is not known whether it was
             remote_name TEXT NOT NULL DEFAULT '',
             state TEXT NOT NULL CHECK (state IN ('begun', 'draft', 'active')), -- there
             begun TEXT NOT NULL,
             published TEXT,
             PRIMARY KEY (dataset_id, target)
           ) WITHOUT ROWID"""
    )
    conn.execute(
        """CREATE TABLE sent_file (
             dataset_id TEXT NOT NULL,
             target TEXT NOT NULL,
             resource_id TEXT NOT NULL,
             name TEXT NOT NULL,                -- there
             size INTEGER NOT NULL,             -- this and the checksums: of the bytes that were sent
             sha256 TEXT NOT NULL,
             etag TEXT,
             remote_id TEXT NOT NULL DEFAULT '', -- '' = not told yet
             state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'verified')),
             PRIMARY KEY (dataset_id, target, resource_id),
             FOREIGN KEY (dataset_id, target) REFERENCES publication(dataset_id, target) ON DELETE CASCADE
           ) WITHOUT ROWID"""
    )
