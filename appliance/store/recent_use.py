"""Recent use of a shared resource by caller."""

from __future__ import annotations

import time

#: Half-life of recorded use [s].
HALF_LIFE = 60.0
_MOST_CALLERS = 1000
_FORGOTTEN = 0.001  # seconds


class RecentUse:
    """Seconds of use by caller, decaying over time. Not thread-safe: protected by its owner's lock.

    The service itself (no caller) counts as somebody who has used nothing.
    """

    def __init__(self) -> None:
        self._used: dict[str, tuple[float, float]] = {}  # caller → seconds, as of a moment

    def charge(self, caller: str | None, seconds: float) -> None:
        """Add `seconds` of use that end now."""
        if caller is None:
            return
        now = time.monotonic()
        self._used[caller] = (self._by(caller, now) + seconds, now)
        if len(self._used) > _MOST_CALLERS:
            self._used = {one: used for one, used in self._used.items() if self._by(one, now) > _FORGOTTEN}

    def by(self, caller: str | None) -> float:
        """Decayed seconds of use by `caller`."""
        return self._by(caller, time.monotonic())

    def _by(self, caller: str | None, now: float) -> float:
        seconds, moment = self._used.get(caller, (0.0, now)) if caller is not None else (0.0, now)
        return float(seconds * 0.5 ** ((now - moment) / HALF_LIFE))
