"""CRC-32 of files, so that an archive of them can begin anywhere without reading them first; documents without positions."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the columns; files that are there get their CRC from the nightly checksum jobs.

    A file's position is counted while its document is read: without it, removing a file leaves the documents behind it as they are.
    """
    for table in ("resource", "upload", "upload_part"):
        conn.execute(f"ALTER TABLE {table} ADD COLUMN crc32 INTEGER")
    conn.execute("UPDATE resource SET document = json_remove(document, '$.position')")
