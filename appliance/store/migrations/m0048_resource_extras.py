"""Fields of one's own of a file, which administrators' scripts add as CKAN lets them."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the column: a JSON object."""
    conn.execute("ALTER TABLE resource ADD COLUMN extras TEXT NOT NULL DEFAULT '{}'")
