"""Moments of attempts in memory, within a bound: whoever makes up names or addresses takes no more of it."""

from __future__ import annotations

import threading
import time
from itertools import islice

from limits.storage import MemoryStorage
from limits.storage.memory import Entry

#: Keys kept at most, some 30 MB.
MOST_KEYS = 100_000
#: Oldest keys that each attempt looks at: more than an attempt adds, so what has expired goes without a thread of its own.
_LOOKED_AT = 4


class BoundedStorage(MemoryStorage):
    """The library's storage for moving windows, which itself keeps the keys of attempts that have expired for ever.

    Keys stand in the order of their last attempt; beyond `most` the oldest goes.
    """

    def __init__(self, most: int = MOST_KEYS) -> None:
        super().__init__()
        self._most = most
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Number of keys."""
        return len(self.events)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Note `amount` attempts of `key` unless there would be more than `limit` in `expiry` seconds; False then, and nothing is noted."""
        with self._lock:
            self._forget()
            events = self.events.get(key, [])
            last = limit - amount
            if last < 0 or (len(events) > last and events[last].atime >= time.time() - expiry):
                return False
            self.events.pop(key, None)
            self.events[key] = [*[Entry(expiry)] * amount, *events][:limit]
            return True

    def clear(self, key: str) -> None:
        """Forget all attempts of `key`."""
        with self._lock:
            self.events.pop(key, None)

    def _forget(self) -> None:
        now = time.time()
        for key in list(islice(self.events, _LOOKED_AT)):
            if len(self.events) >= self._most or self.events[key][0].expiry <= now:
                del self.events[key]
