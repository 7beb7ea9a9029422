"""Saved pages: what people have saved of comparisons, and now of searches, in one table."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Make the tables, move the comparisons and with whom they are shared, drop the old tables."""
    conn.execute(
        """CREATE TABLE saved_page (
             id TEXT PRIMARY KEY,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             page TEXT NOT NULL,      -- compare, measurements, dataset: the first part of its address
             title TEXT NOT NULL,
             resources TEXT NOT NULL, -- ids of the measurements of a comparison, a JSON list
             query TEXT NOT NULL,     -- the rest of the page's address
             modified TEXT NOT NULL,
             UNIQUE (user_id, page, title)
           ) WITHOUT ROWID"""
    )
    conn.execute(
        """CREATE TABLE saved_page_share (
             saved_page_id TEXT NOT NULL REFERENCES saved_page(id) ON DELETE CASCADE,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             PRIMARY KEY (saved_page_id, user_id)
           ) WITHOUT ROWID"""
    )
    conn.execute(
        "INSERT INTO saved_page SELECT id, user_id, 'compare', title, resources, query, modified FROM comparison"
    )
    conn.execute("INSERT INTO saved_page_share SELECT comparison_id, user_id FROM comparison_share")
    conn.execute("DROP TABLE comparison_share")
    conn.execute("DROP TABLE comparison")
    conn.execute("CREATE INDEX saved_page_share_user ON saved_page_share(user_id)")
