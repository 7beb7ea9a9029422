"""A lock that is fair by caller: the next holder is the caller who has held it least recently, regardless of the number of waiters."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from appliance.store.recent_use import RecentUse

#: A context manager that releases what a thread holds.
_GivesWay = Callable[[], AbstractContextManager[None]]


class _Caller(threading.local):
    """The caller this thread works for, and the context manager that releases its other resources while it waits for a lock."""

    name: str | None = None
    gives_way: _GivesWay | None = None


_caller = _Caller()


def work_for(caller: str | None) -> None:
    """Set the caller this thread works for: a user's id, a stranger's network, None for the service itself."""
    _caller.name = caller


def caller() -> str | None:
    """The caller this thread works for."""
    return _caller.name


def give_way(manager: _GivesWay | None) -> _GivesWay | None:
    """Set the context manager to enter while this thread waits for a lock (None: none); returns the previous one."""
    before, _caller.gives_way = _caller.gives_way, manager
    return before


def ways_given() -> AbstractContextManager[None]:
    """The context manager set by `give_way`, or a null context."""
    return nullcontext() if _caller.gives_way is None else _caller.gives_way()


class _Ticket:
    """A waiting thread."""

    __slots__ = ("caller", "lock")

    def __init__(self, caller: str | None) -> None:
        self.caller = caller
        self.lock = threading.Lock()
        self.lock.acquire()


class FairLock:
    """A mutex. Not reentrant.

    The service itself (no caller) counts as somebody who has used nothing; among equals it is first come, first served.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._holder: str | None = None
        self._since = 0.0
        self._waiting: list[_Ticket] = []
        self._use = RecentUse()

    def acquire(
        self, caller: str | None = None, timeout: float = -1, before_waiting: Callable[[], object] = lambda: None
    ) -> bool:
        """Acquire the lock; False when it was not free for `caller` within `timeout` [s] (-1: no limit).

        :param before_waiting: called when it is not free at once.
        """
        with self._guard:
            if not self._held:
                self._take(caller)
                return True
            ticket = _Ticket(caller)
            self._waiting.append(ticket)
        before_waiting()
        if ticket.lock.acquire(timeout=timeout):
            return True
        with self._guard:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return False
        return True  # it was handed over between the timeout and the lock

    def release(self) -> None:
        """Hand the lock to the waiting caller who has used it least recently, or leave it free."""
        with self._guard:
            self._use.charge(self._holder, time.monotonic() - self._since)
            if not self._waiting:
                self._held = False
                return
            following = min(self._waiting, key=lambda ticket: self._use.by(ticket.caller))
            self._waiting.remove(following)
            self._take(following.caller)
            following.lock.release()

    def _take(self, caller: str | None) -> None:
        self._held, self._holder, self._since = True, caller, time.monotonic()
