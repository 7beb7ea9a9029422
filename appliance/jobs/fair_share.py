"""Who may use one of a limited number of places next.

One caller alone never fills all places, and a free place goes to whoever has the fewest at the moment; of those, to who has used places
least of late, and then to who has waited longest. So a caller who asks for many places at once makes only itself wait. Long work has half
of the places at most, and one for each caller, so that short work always finds one.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from appliance.store.recent_use import RecentUse


@dataclass(eq=False)
class ShareRequest:
    """A caller who wants a thing that only one may use at a time.

    :ivar since: when it got its place.
    """

    caller: str
    thing: str
    long: bool = False
    since: float = field(default=0.0, init=False)


class FairShare:
    """`most` places, and who waits for one. Not thread-safe: used under its owner's lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._share = max(1, most - 1)
        self._waiting: list[ShareRequest] = []
        self._held: dict[str, ShareRequest] = {}
        self._held_by: Counter[str] = Counter()
        self._use = RecentUse()

    def __len__(self) -> int:
        """Number of places taken."""
        return len(self._held)

    def wait(self, caller: str, thing: str, *, long: bool = False) -> ShareRequest:
        """Get in line; `long`: for work that takes much longer than other's."""
        wish = ShareRequest(caller, thing, long)
        self._waiting.append(wish)
        return wish

    def is_next(self, wish: ShareRequest) -> bool:
        """May this wish have its place now?"""
        if len(self._held) >= self._most:
            return False
        possible = [one for one in self._waiting if self._possible(one)]
        return wish is min(
            possible, key=lambda one: (self._held_by[one.caller], self._use.by(one.caller)), default=None
        )

    def take(self, wish: ShareRequest) -> None:
        """Give the place to a wish that is next."""
        self._waiting.remove(wish)
        self._held[wish.thing] = wish
        self._held_by[wish.caller] += 1
        wish.since = time.monotonic()

    def leave(self, wish: ShareRequest) -> None:
        """Give the place back, or stop waiting for it."""
        if self._held.get(wish.thing) is wish:
            del self._held[wish.thing]
            self._held_by -= Counter([wish.caller])  # forgets callers who have none left
            self._use.charge(wish.caller, time.monotonic() - wish.since)
        elif wish in self._waiting:
            self._waiting.remove(wish)

    def _possible(self, wish: ShareRequest) -> bool:
        if wish.thing in self._held or self._held_by[wish.caller] >= self._share:
            return False
        if not wish.long:
            return True
        long = [one.caller for one in self._held.values() if one.long]
        return len(long) < max(1, self._most // 2) and wish.caller not in long
