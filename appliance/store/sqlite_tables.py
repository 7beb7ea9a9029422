"""sqlite-utils on the application's connections: it creates and changes tables, runs the migrations, and returns rows as dictionaries."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite_utils


def tables(conn: sqlite3.Connection) -> sqlite_utils.Database:
    """Wrap `conn`. Inside a transaction, sqlite-utils uses savepoints and commits nothing.

    Its plug-ins are disabled, and recursive triggers stay off: changes made by a trigger fire no further triggers.
    """
    import sqlite_utils  # imported here: it takes longer to import than most commands run

    return sqlite_utils.Database(conn, recursive_triggers=False, execute_plugins=False)
