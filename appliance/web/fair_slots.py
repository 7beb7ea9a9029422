"""Slots for request work, fair by caller: no caller holds all of them, and a thread that waits for something else holds none."""

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
    """The slot held by this thread, and its caller."""

    slots: FairSlots | None = None
    caller: str = ""


_here = _Here()


class _Ticket:
    """A waiting thread."""

    __slots__ = ("caller", "granted")

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.granted = threading.Event()


def let_others() -> None:
    """Yield during a long computation: threads waiting for this slot or for the CPU go first."""
    cpu_slot.release()
    if _here.slots is not None:
        with _here.slots.released(_here.caller):
            pass
    cpu_slot.acquire()


class FairSlots:
    """`at_once` slots. A free one goes to the caller who holds the fewest; among these, to the one who has waited longest.
    Thread-safe.

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
        """Hold a slot for `caller`. Raises Problem when none became free in time: 429 if `caller` holds their maximum, else 503."""
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
        """Release this thread's slot inside the context."""
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
            cpu_slot.release()  # release other resources while waiting
        if ticket.granted.wait(seconds):
            return True
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return False
        return True  # it was granted between the timeout and the lock

    def _leave(self, caller: str) -> None:
        with self._lock:
            self._held -= Counter([caller])  # removes callers who hold none
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
    """Wrap `function`, which waits for something other than the CPU, to release the request's slot while it runs."""

    @functools.wraps(function)
    def called(*arguments: _P.args, **options: _P.kwargs) -> _R:
        """Call `function` without holding the slot."""
        slots = _here.slots
        if slots is None:
            return function(*arguments, **options)
        with slots.released(_here.caller):
            return function(*arguments, **options)

    return called


def for_pages(at_once: int) -> FairSlots:
    """Slots for pages; one caller leaves at least one slot for others."""
    return FairSlots(at_once, max(1, at_once - 1))


def for_reads() -> FairSlots:
    """Slots for read actions of the API: a statement may take ten seconds, and all share the CPUs."""
    return FairSlots(16, 4)
