"""How far a transfer is: for the terminal, or for nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_EVERY = 0.5  # seconds between two lines


class Progress:
    """Counts bytes, and tells `show` about them now and then: (done, total, bytes per second, seconds left or None)."""

    def __init__(self, show: Callable[[int, int, float, float | None], None] | None = None) -> None:
        self._show = show
        self._lock = threading.Lock()
        self._total = self._done = 0
        self._begun = self._told = time.monotonic()
        self._fetched = 0

    def expect(self, count: int) -> None:
        """So many bytes are to come in all."""
        self._total = count

    def advance(self, count: int, *, fetched: bool = True) -> None:
        """So many bytes more are there; `fetched`: they came over the network just now."""
        with self._lock:
            self._done += count
            self._fetched += count if fetched else 0
            now = time.monotonic()
            if self._show is None or now - self._told < _EVERY:
                return
            self._told = now
            rate = self._fetched / max(now - self._begun, 1e-3)
            left = (self._total - self._done) / rate if rate > 0 else None
            self._show(self._done, self._total, rate, left)
