"""Database connections whose statements time out, and that run deferred actions before the commit."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar, cast

from appliance.model.problem import Problem

#: Longest statement of somebody's request that reads, longest transaction of one that writes [s]. (The service's own work
#: has no limit.) What clients send takes a hundredth of that.
STATEMENT = 10.0
TRANSACTION = 20.0
Kind = TypeVar("Kind", bound=Callable[[], None])
#: Text of different long statements that one connection prepares before it is closed instead of kept [characters]. SQLite's memory
#: for a prepared one is some 25 times its text, and Python keeps up to 512: a search with a thousand terms takes 1 MB.
_LONG, MOST_PREPARED = 1_000, 256_000
_STEPS = 50_000  # virtual machine steps between two checks of the deadline


class _Timed(sqlite3.Connection):
    """A connection whose statements are interrupted after `deadline` (on the monotonic clock; None: never).

    :ivar data_root: the folder with the database, or with the link to it.
    """

    deadline: float | None = None
    data_root: Path | None = None

    def watch_time(self) -> None:
        """Check the deadline while statements run."""
        self.set_progress_handler(self.is_late, _STEPS)

    def is_late(self) -> bool:
        """Has the deadline passed?"""
        return self.deadline is not None and time.monotonic() > self.deadline


class Reader(_Timed):
    """A read-only connection.

    :ivar limit: seconds that a statement may take, None: any time.
    :ivar idle_since: when it was given back to the pool [s, monotonic].
    """

    limit: float | None = None
    idle_since: float = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._long: set[int] = set()
        self._prepared = 0

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Run a statement."""
        self.begin(arguments[0])
        return super().execute(*arguments)

    def begin(self, statement: str) -> None:
        """Note that a statement is about to run, also through a cursor."""
        if self.limit is not None:
            self.deadline = time.monotonic() + self.limit
        if len(statement) > _LONG and (known := hash(statement)) not in self._long:
            self._long.add(known)
            self._prepared += len(statement)

    @property
    def full(self) -> bool:
        """Has it prepared so many long statements that it had better be closed?"""
        return self._prepared > MOST_PREPARED


class Writer(_Timed):
    """The writing connection. Its deadline is that of the transaction.

    :ivar before_commit: what to do when the transaction is complete, once for each key however often it was asked for.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.before_commit: dict[Hashable, Callable[[], None]] = {}

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Run a statement. Raises Problem 503 when the transaction has taken too long."""
        if self.is_late():
            raise too_long()
        return super().execute(*arguments)

    def complete(self) -> None:
        """Run the deferred actions in the order in which they were registered."""
        while self.before_commit:
            key = next(iter(self.before_commit))
            self.before_commit.pop(key)()


def put_off(tx: sqlite3.Connection, key: Hashable, action: Kind) -> Kind:
    """Defer `action` to the end of the transaction. → the one that was deferred for `key` already, else `action`.

    Outside a transaction of `Database.write` the caller has to run it.
    """
    if isinstance(tx, Writer):
        return cast(Kind, tx.before_commit.setdefault(key, action))
    return action


def too_long() -> Problem:
    """503: a transaction took too long."""
    return Problem(
        503,
        "Busy",
        message=f"The change takes longer than {TRANSACTION:g} s; nothing was changed. Make it in smaller parts.",
    )
