"""A limit on the memory of all request bodies being processed, shared fairly by caller."""

from __future__ import annotations

import threading
from collections import Counter
from types import TracebackType

from appliance.model.problem import Problem

#: Limit on all bodies being processed [bytes], received and decoded.
TOTAL = 256 << 20
#: The first bytes of each body are not counted: their number is limited by that of connections.
FREE = 64 << 10
#: Callers who use at most this many bytes count as using little.
LITTLE = 2 << 20
#: Memory of a single JSON value [bytes].
VALUE = 100


class BodyBudget:
    """Counts the bytes of bodies being processed, by caller.

    One caller may use a quarter of the limit. The last quarter is reserved for callers who use little, so that a few heavy
    callers cannot shut out the others.
    """

    def __init__(self, total: int = TOTAL) -> None:
        self._total = total
        self._lock = threading.Lock()
        self._used: Counter[str] = Counter()

    def share(self, caller: str | None) -> Share:
        """The share of one request."""
        return Share(self, caller or "")

    @property
    def used(self) -> int:
        """Bytes in use."""
        with self._lock:
            return sum(self._used.values())

    def take(self, caller: str, size: int) -> None:
        """Count `size` bytes more. Raises Problem 429 when the caller has used their share, 503 when the limit is reached."""
        with self._lock:
            own = self._used[caller] + size
            if own > self._total // 4:
                raise Problem(
                    429,
                    "Too Many Requests",
                    message="Too much data of yours is being worked on. Wait for your earlier requests to end, or send less at once.",
                )
            if sum(self._used.values()) + size > (self._total if own <= LITTLE else self._total * 3 // 4):
                raise Problem(503, "Busy", message="Too much data is being worked on at once. Try again in a moment.")
            self._used[caller] = own

    def give(self, caller: str, size: int) -> None:
        """Count `size` bytes less."""
        with self._lock:
            self._used[caller] -= size
            if self._used[caller] <= 0:
                del self._used[caller]


class Share:
    """The memory of one request; released when it ends."""

    def __init__(self, budget: BodyBudget, caller: str) -> None:
        self._budget = budget
        self._caller = caller
        self._seen = 0
        self._taken = 0

    def __enter__(self) -> Share:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._taken:
            self._budget.give(self._caller, self._taken)
            self._taken = 0

    def grow(self, size: int) -> None:
        """Count `size` bytes more. Raises Problem 429 or 503."""
        self._seen += size
        more = self._seen - FREE - self._taken
        if more > 0:
            self._budget.take(self._caller, more)
            self._taken += more
