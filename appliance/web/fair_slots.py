"""Slots for work in requests, fair by caller: nobody alone holds all of them, and whoever waits for something else holds none."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from appliance.model.problem import Problem
from appliance.store import fair_lock
from appliance.web import cpu_slot

_P = ParamSpec("_P")
_R = TypeVar("_R")

#: Longest wait for a slot [s].
PATIENCE = 10.0


class _Here(threading.local):
    """Where this thread holds a slot, and for whom."""

    slots: FairSlots | None = None
    caller: str = ""


_here = _Here()


class _Ticket:
    """Somebody who waits."""

    __slots__ = ("caller", "granted")

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.granted = threading.Event()


def let_others() -> None:
    """In the middle of long work: whoever waits for this thread's slot goes first, and so does who waits for the processor."""
    cpu_slot.release()
    if _here.slots is not None:
        with _here.slots.released(_here.caller):
            pass
    cpu_slot.acquire()


class FairSlots:
    """`at_once` slots. A free one goes to whoever holds the fewest; of those, to who has waited longest. Thread-safe.

    :param share: how many of them one caller may hold.
    :param patience: longest wait [s].
    """

    def __init__(self, at_once: int, share: int, patience: float = PATIENCE) -> None:
        self._free = at_once
        self._share = share
        self._patience = patience
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._waiting: list[_Ticket] = []

    @contextmanager
    def held(self, caller: str) -> Iterator[None]:
        """Hold a slot for `caller`. Raises Problem when none came free for long: 429 while `caller` holds all he may, else 503."""
        if not self._enter(caller, self._patience):
            raise self._refusal(caller)
        _here.slots, _here.caller = self, caller
        before = fair_lock.give_way(lambda: self.released(caller))
        try:
            yield
        finally:
            fair_lock.give_way(before)
            _here.slots = None
            self._leave(caller)

    @contextmanager
    def released(self, caller: str) -> Iterator[None]:
        """Give the slot of this thread to others for a while."""
        _here.slots = None
        before = fair_lock.give_way(None)
        self._leave(caller)
        try:
            yield
        finally:
            self._enter(caller, None)
            _here.slots, _here.caller = self, caller
            fair_lock.give_way(before)

    def _refusal(self, caller: str) -> Problem:
        with self._lock:
            own = self._held[caller] >= self._share
        if own:
            return Problem(
                429,
                "Too Many Requests",
                message=f"{self._share} of your requests are being worked on already. Wait for one of them to end, then try again.",
            )
        return Problem(503, "Busy", message="Too much is asked for at the moment; try again in a minute.")

    def _enter(self, caller: str, seconds: float | None) -> bool:
        with self._lock:
            if self._free > 0 and not self._waiting and self._held[caller] < self._share:
                self._take(caller)
                return True
            ticket = _Ticket(caller)
            self._waiting.append(ticket)
            self._grant()
        if not ticket.granted.is_set():
            cpu_slot.release()  # others may work meanwhile
        if ticket.granted.wait(seconds):
            return True
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return False
        return True  # it was granted in this very moment

    def _leave(self, caller: str) -> None:
        with self._lock:
            self._held -= Counter([caller])  # forgets callers who have none left
            self._free += 1
            self._grant()

    def _grant(self) -> None:
        while self._free > 0:
            possible = (one for one in self._waiting if self._held[one.caller] < self._share)
            ticket = min(possible, key=lambda one: self._held[one.caller], default=None)
            if ticket is None:
                return
            self._waiting.remove(ticket)
            self._take(ticket.caller)
            ticket.granted.set()

    def _take(self, caller: str) -> None:
        self._held[caller] += 1
        self._free -= 1


def without_slot(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """`function`, which waits for something else than the processor, called without the slot of the request that needs it."""

    @functools.wraps(function)
    def called(*arguments: _P.args, **options: _P.kwargs) -> _R:
        """Call `function` while the request's slot is free for others."""
        slots = _here.slots
        if slots is None:
            return function(*arguments, **options)
        with slots.released(_here.caller):
            return function(*arguments, **options)

    return called


def for_pages(at_once: int) -> FairSlots:
    """Pages that are computed at once; one caller leaves a slot for others."""
    return FairSlots(at_once, max(1, at_once - 1))


def for_reads() -> FairSlots:
    """Questions to the API that are computed at once: a statement may read for ten seconds, and all share the processors."""
    return FairSlots(16, 4)
