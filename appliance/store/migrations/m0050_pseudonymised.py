"""Whether what was published elsewhere are pseudonymised copies."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the column; what was sent until now were the files themselves."""
    conn.execute("ALTER TABLE publication ADD COLUMN pseudonymised INTEGER NOT NULL DEFAULT 0")
