"""Who may use one of a limited number of places next.

One caller alone never fills all places, and a free place goes to whoever has the fewest at the moment (of those, to who has waited
longest). So a caller who asks for many places at once makes only itself wait.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(eq=False)
class ShareRequest:
    """A caller who wants a thing that only one may use at a time."""

    caller: str
    thing: str


class FairShare:
    """`most` places, and who waits for one. Not thread-safe: used under its owner's lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._share = max(1, most - 1)
        self._waiting: list[ShareRequest] = []
        self._held: dict[str, ShareRequest] = {}
        self._held_by: Counter[str] = Counter()

    def __len__(self) -> int:
        """Number of places taken."""
        return len(self._held)

    def wait(self, caller: str, thing: str) -> ShareRequest:
        """Get in line."""
        wish = ShareRequest(caller, thing)
        self._waiting.append(wish)
        return wish

    def is_next(self, wish: ShareRequest) -> bool:
        """May this wish have its place now?"""
        if len(self._held) >= self._most:
            return False
        possible = [one for one in self._waiting if self._possible(one)]
        return wish is min(possible, key=lambda one: self._held_by[one.caller], default=None)

    def take(self, wish: ShareRequest) -> None:
        """Give the place to a wish that is next."""
        self._waiting.remove(wish)
        self._held[wish.thing] = wish
        self._held_by[wish.caller] += 1

    def leave(self, wish: ShareRequest) -> None:
        """Give the place back, or stop waiting for it."""
        if self._held.get(wish.thing) is wish:
            del self._held[wish.thing]
            self._held_by -= Counter([wish.caller])  # forgets callers who have none left
        elif wish in self._waiting:
            self._waiting.remove(wish)

    def _possible(self, wish: ShareRequest) -> bool:
        return wish.thing not in self._held and self._held_by[wish.caller] < self._share
