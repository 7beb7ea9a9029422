"""Guards of transactions: before a request writes, the rights on which it was decided are checked again."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Guard(Protocol):
    """Called in each transaction of the thread for which it was set."""

    @property
    def place(self) -> object:
        """The database to which the guard applies."""

    def begin(self, tx: sqlite3.Connection) -> None:
        """Raises Problem when nothing may be written any more."""

    def end(self, tx: sqlite3.Connection) -> None:
        """Called before the commit, so that changes made by the transaction itself count for the next one."""


class _Thread(threading.local):
    """The guard of this thread's transactions."""

    guard: Guard | None = None


_thread = _Thread()


def use(guard: Guard | None) -> None:
    """Set the guard of this thread's transactions; None removes it."""
    _thread.guard = guard


def of(database: object) -> Guard | None:
    """The guard of this thread's transactions of a database."""
    guard = _thread.guard
    return guard if guard is not None and guard.place is database else None


@contextmanager
def suspended() -> Iterator[None]:
    """No guard inside this context: for the service's own records (incidents, times of last use)."""
    before, _thread.guard = _thread.guard, None
    try:
        yield
    finally:
        _thread.guard = before
