"""Comparisons of measurements that people have saved, and with whom they share them."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the tables."""
    conn.execute(
        """CREATE TABLE comparison (
             id TEXT PRIMARY KEY,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             title TEXT NOT NULL,
             resources TEXT NOT NULL, -- ids of the measurements, a JSON list
             query TEXT NOT NULL,     -- the rest of the page's address
             modified TEXT NOT NULL,
             UNIQUE (user_id, title)
           ) WITHOUT ROWID"""
    )
    conn.execute(
        """CREATE TABLE comparison_share (
             comparison_id TEXT NOT NULL REFERENCES comparison(id) ON DELETE CASCADE,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             PRIMARY KEY (comparison_id, user_id)
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX comparison_share_user ON comparison_share(user_id)")
