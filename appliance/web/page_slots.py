"""How many pages are computed at once, and for whom: one caller alone never holds all slots, and whoever waits elsewhere holds none."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from appliance.model.problem import Problem

_P = ParamSpec("_P")
_R = TypeVar("_R")

#: Longest wait for a slot [s].
_PATIENCE = 10.0


class _Here(threading.local):
    """Where this thread holds a slot, and for whom."""

    slots: PageSlots | None = None
    caller: str = ""


_here = _Here()


class _Ticket:
    """Somebody who waits."""

    __slots__ = ("caller", "granted")

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.granted = threading.Event()


class PageSlots:
    """`at_once` slots. A free one goes to whoever holds the fewest; of those, to who has waited longest. Thread-safe."""

    def __init__(self, at_once: int, patience: float = _PATIENCE) -> None:
        self._free = at_once
        self._share = max(1, at_once - 1)
        self._patience = patience
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._waiting: list[_Ticket] = []

    @contextmanager
    def held(self, caller: str) -> Iterator[None]:
        """Hold a slot for `caller`. Raises Problem 503 when none was free for long."""
        if not self._enter(caller, self._patience):
            raise Problem(503, "Busy", message="Too many pages are asked for at the moment; try again in a minute.")
        _here.slots, _here.caller = self, caller
        try:
            yield
        finally:
            _here.slots = None
            self._leave(caller)

    @contextmanager
    def released(self, caller: str) -> Iterator[None]:
        """Give the slot of this thread to others for a while."""
        _here.slots = None
        self._leave(caller)
        try:
            yield
        finally:
            self._enter(caller, None)
            _here.slots, _here.caller = self, caller

    def _enter(self, caller: str, seconds: float | None) -> bool:
        ticket = _Ticket(caller)
        with self._lock:
            self._waiting.append(ticket)
            self._grant()
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
        while self._free:
            possible = (one for one in self._waiting if self._held[one.caller] < self._share)
            ticket = min(possible, key=lambda one: self._held[one.caller], default=None)
            if ticket is None:
                return
            self._waiting.remove(ticket)
            self._held[ticket.caller] += 1
            self._free -= 1
            ticket.granted.set()


def without_slot(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """`function`, which waits for something else than the processor, called without the slot of the page that needs it."""

    @functools.wraps(function)
    def called(*arguments: _P.args, **options: _P.kwargs) -> _R:
        """Call `function` while the page's slot is free for others."""
        slots = _here.slots
        if slots is None:
            return function(*arguments, **options)
        with slots.released(_here.caller):
            return function(*arguments, **options)

    return called
