"""What every transaction of a request has to pass before it writes: the rights on which the request was decided still hold."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Guard(Protocol):
    """Asked in each transaction of the thread that it was set for."""

    @property
    def place(self) -> object:
        """The database whose transactions are meant."""

    def begin(self, tx: sqlite3.Connection) -> None:
        """Raises Problem when nothing may be written any more."""

    def end(self, tx: sqlite3.Connection) -> None:
        """Called before the commit: what the transaction itself has changed is known for the next one."""


class _Thread(threading.local):
    """What guards the transactions of this thread."""

    guard: Guard | None = None


_thread = _Thread()


def use(guard: Guard | None) -> None:
    """Have the transactions of this thread guarded from now on; None for no more."""
    _thread.guard = guard


def of(database: object) -> Guard | None:
    """What guards this thread's transactions of a database."""
    guard = _thread.guard
    return guard if guard is not None and guard.place is database else None


@contextmanager
def suspended() -> Iterator[None]:
    """For what the service notes for itself (incidents, times of last use), whoever asks."""
    before, _thread.guard = _thread.guard, None
    try:
        yield
    finally:
        _thread.guard = before
