"""Gates that people have saved with a dataset: annotations, which change neither the dataset nor its files."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the table."""
    conn.execute(
        """CREATE TABLE gate_set (
             id TEXT PRIMARY KEY,
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             name TEXT NOT NULL,
             gates TEXT NOT NULL,
             shared INTEGER NOT NULL DEFAULT 0,
             modified TEXT NOT NULL,
             UNIQUE (dataset_id, user_id, name)
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX gate_set_user ON gate_set(user_id)")
