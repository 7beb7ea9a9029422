"""Steps of the schema, one module each (`mNNNN_what.py` with `upgrade(conn)`), applied by sqlite-utils' migration system.

It records the names of the steps that a database has had (table `_sqlite_migrations`), and undoes a step that fails.
"""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from appliance.model.problem import Problem
from appliance.store.sqlite_tables import tables

if TYPE_CHECKING:
    import sqlite_utils

_SET = "dcor"


def apply(tx: sqlite3.Connection, names: Sequence[str], counted: int) -> list[str]:
    """Take those of the steps `names` that the database has not had; returns them.

    :param counted: the database's `user_version`. Releases up to 0.1 recorded only the number of steps taken.
    :raises Problem: when the database has had steps that are not among `names`: it is of a newer release.
    """
    from sqlite_utils.migrations import Migrations

    db, steps = tables(tx), Migrations(_SET)
    for name in names:
        steps(name=name)(_step(name))
    if counted and not db.table(steps.migrations_table).exists():
        steps.ensure_migrations_table(db)
        for name in names[:counted]:
            db.table(steps.migrations_table).insert({"migration_set": _SET, "name": name, "applied_at": ""})
    unknown = {one.name for one in steps.applied(db)} - set(names)
    if unknown:
        raise Problem(
            409,
            "Validation Error",
            message=f"The database has steps that this release does not know ({', '.join(sorted(unknown))}). Install the newer release.",
        )
    pending = [one.name for one in steps.pending(db)]
    steps.apply(db)
    tx.execute(f"PRAGMA user_version = {len(names)}")
    return pending


def _step(name: str) -> Callable[[sqlite_utils.Database], None]:
    def upgrade(db: sqlite_utils.Database) -> None:
        """Run the module's `upgrade`."""
        importlib.import_module(f"{__name__}.{name}").upgrade(db.conn)

    return upgrade
