"""CRC-32 of files, so that an archive of them can begin anywhere without reading them first."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the columns; files that are there get theirs from the nightly checksum jobs."""
    for table in ("resource", "upload", "upload_part"):
        conn.execute(f"ALTER TABLE {table} ADD COLUMN crc32 INTEGER")
