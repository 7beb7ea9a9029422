"""Requests for access to a dataset, which the admins of its circle grant or decline."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the table."""
    conn.execute(
        """CREATE TABLE access_request (
             id TEXT PRIMARY KEY,
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             message TEXT NOT NULL,
             created TEXT NOT NULL,
             state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'granted', 'declined')),
             decided TEXT,
             decided_by TEXT
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE UNIQUE INDEX access_request_open ON access_request(dataset_id, user_id) WHERE state = 'open'")
    conn.execute("CREATE INDEX access_request_user ON access_request(user_id)")
