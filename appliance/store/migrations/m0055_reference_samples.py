"""Datasets whose measurements are of a reference (beads, a control sample), by which instruments are checked."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the table."""
    conn.execute(
        """CREATE TABLE reference_sample (
             dataset_id TEXT PRIMARY KEY REFERENCES dataset(id) ON DELETE CASCADE,
             since TEXT NOT NULL
           ) WITHOUT ROWID"""
    )
