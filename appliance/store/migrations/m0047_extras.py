"""Fields of one's own: `extras` of datasets, circles and collections, as CKAN has them."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the columns: a JSON list of {"key", "value"}, sorted by key."""
    for table in ("dataset", "community"):
        conn.execute(f"ALTER TABLE {table} ADD COLUMN extras TEXT NOT NULL DEFAULT '[]'")
