"""Which token a token was made with, so that revoking the one revokes the other."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the maker of each token; of those made before it is not known."""
    conn.execute("ALTER TABLE token ADD COLUMN parent TEXT")
    conn.execute("CREATE INDEX token_parent ON token(parent) WHERE parent IS NOT NULL")
