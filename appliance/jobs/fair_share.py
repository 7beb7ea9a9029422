"""Fair assignment of a limited number of places.

One caller alone never occupies all places. A free place goes to the caller who holds the fewest; among these, to the one who
has used places least recently, then to the one who has waited longest. So a caller who asks for many places at once delays only
their own requests. Long work may occupy half of the places, and one per caller, so that short work always finds one.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from appliance.store.recent_use import RecentUse


@dataclass(eq=False)
class ShareRequest:
    """A request for a place, for a resource that only one request may use at a time.

    :ivar since: when it got its place.
    """

    caller: str
    thing: str
    long: bool = False
    since: float = field(default=0.0, init=False)


class FairShare:
    """`most` places and the queue for them. Not thread-safe: protected by its owner's lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._share = max(1, most - 1)
        self._waiting: list[ShareRequest] = []
        self._held: dict[str, ShareRequest] = {}
        self._held_by: Counter[str] = Counter()
        self._use = RecentUse()

    def __len__(self) -> int:
        """Number of occupied places."""
        return len(self._held)

    def wait(self, caller: str, thing: str, *, long: bool = False) -> ShareRequest:
        """Enter the queue. :param long: for work that takes much longer than usual."""
        wish = ShareRequest(caller, thing, long)
        self._waiting.append(wish)
        return wish

    def is_next(self, wish: ShareRequest) -> bool:
        """Whether this request may take a place now."""
        if len(self._held) >= self._most:
            return False
        possible = [one for one in self._waiting if self._possible(one)]
        return wish is min(
            possible, key=lambda one: (self._held_by[one.caller], self._use.by(one.caller)), default=None
        )

    def take(self, wish: ShareRequest) -> None:
        """Give a place to a request that is next."""
        self._waiting.remove(wish)
        self._held[wish.thing] = wish
        self._held_by[wish.caller] += 1
        wish.since = time.monotonic()

    def leave(self, wish: ShareRequest) -> None:
        """Release the place, or leave the queue."""
        if self._held.get(wish.thing) is wish:
            del self._held[wish.thing]
            self._held_by -= Counter([wish.caller])  # removes callers who hold none
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
