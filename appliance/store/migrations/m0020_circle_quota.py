"""How much a circle may hold, where that is another amount than the setting says."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the column [bytes]: NULL = as the setting says, 0 = no limit."""
    conn.execute("ALTER TABLE community ADD COLUMN quota INTEGER CHECK (quota >= 0)")
