"""sqlite-utils on our connections: it makes and changes tables, runs the migrations, and returns rows as dictionaries."""

from __future__ import annotations

import sqlite3

import sqlite_utils


def tables(conn: sqlite3.Connection) -> sqlite_utils.Database:
    """Wrap `conn`. Inside a transaction of ours, sqlite-utils uses savepoints of it and commits nothing.

    Its plug-ins stay out, and so does the setting that would let our triggers fire for what they change themselves.
    """
    return sqlite_utils.Database(conn, recursive_triggers=False, execute_plugins=False)
