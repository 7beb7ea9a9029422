"""sqlite-utils on our connections: it makes and changes tables, runs the migrations, and returns rows as dictionaries."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite_utils


def tables(conn: sqlite3.Connection) -> sqlite_utils.Database:
    """Wrap `conn`. Inside a transaction of ours, sqlite-utils uses savepoints of it and commits nothing.

    Its plug-ins stay out, and so does the setting that would let our triggers fire for what they change themselves.
    """
    import sqlite_utils  # here: it takes longer to import than most commands run

    return sqlite_utils.Database(conn, recursive_triggers=False, execute_plugins=False)
