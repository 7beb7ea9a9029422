"""Template and values of what jobs and alarms say, beside the English text, so that pages say it in the reader's language."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the columns; "" means that the text is all there is."""
    conn.execute("ALTER TABLE job ADD COLUMN error_parts TEXT NOT NULL DEFAULT ''")
    conn.execute("ALTER TABLE job ADD COLUMN stage_parts TEXT NOT NULL DEFAULT ''")
    conn.execute("ALTER TABLE alarm ADD COLUMN message_parts TEXT NOT NULL DEFAULT ''")
