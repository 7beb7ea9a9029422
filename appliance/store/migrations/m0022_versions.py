"""New versions of datasets: which dataset one follows, and which files share the bytes of an earlier one."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add both columns; what is there follows nothing and shares nothing."""
    conn.execute("ALTER TABLE dataset ADD COLUMN version_of TEXT")
    conn.execute("CREATE INDEX dataset_version_of ON dataset(version_of) WHERE version_of IS NOT NULL")
    conn.execute("ALTER TABLE resource ADD COLUMN shared_id TEXT")  # id of the first file with these bytes
    conn.execute("CREATE INDEX resource_shared ON resource(shared_id) WHERE shared_id IS NOT NULL")
