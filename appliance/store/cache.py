"""The cache: the only place where values are kept in memory for reuse, with one limit in bytes.

There are two kinds of values:

* those that depend on their key and the database (`get`, `look_up` and `store`): valid until the next commit of any process;
* those that depend on their key alone, such as the HTML of a text or a part of an immutable file (`get_lasting`).

A value that also depends on something read before the cache was asked, such as the caller's rights, must not be stored if there
was a commit in between: pass the generation taken at the start of the request as `since`; the value is stored only if it is
still the current one.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from appliance.store.sizeof import size_of

T = TypeVar("T")

#: Overhead of an entry besides key and value [bytes].
_OVERHEAD = 300
#: A value larger than this fraction of the limit is not stored.
_SHARE = 8
#: While one caller recomputes an expired value, others get the old one for this long [s].
_RENEWAL = 5.0


class _Entry:
    __slots__ = ("lasting", "size", "until", "value")

    def __init__(self, value: Any, size: int, until: float, *, lasting: bool) -> None:
        self.value = value
        self.size = size
        self.until = until
        self.lasting = lasting


class Cache:
    """Values by key; the least recently used ones are evicted. Thread-safe. None is never stored.

    :param generation: `Database.generation`: a number that changes with every commit.
    :param limit: most bytes of all keys and values together; 0 keeps nothing.
    """

    def __init__(self, generation: Callable[[], int], limit: int = 64 << 20) -> None:
        self.generation = generation
        self.limit = limit
        self._lock = threading.Lock()
        self._current = -1
        self._size = 0
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    @property
    def size(self) -> int:
        """Size of all entries [bytes]."""
        return self._size

    def __len__(self) -> int:
        return len(self._entries)

    def look_up(self, key: Hashable) -> Any:
        """The value stored under `key` if it is valid, else None."""
        return self._look_up(key, self.generation())

    def _look_up(self, key: Hashable, generation: int) -> Any:
        with self._lock:
            if generation != self._current:
                self._begin(generation)
            return self._valid(key)

    def store(self, key: Hashable, value: Any, since: int, max_age: float = math.inf) -> None:
        """Store a value that depends on `key` and the database.

        :param since: generation taken before anything was read that the value depends on; nothing is kept if it has passed.
        :param max_age: seconds after which the value is made anew although nobody committed.
        """
        if since != self.generation():
            return
        entry = _Entry(value, _size(key, value), time.monotonic() + max_age, lasting=False)
        with self._lock:
            if since != self._current:
                self._begin(since)
            self._keep(key, entry)

    def get(self, key: Hashable, make: Callable[[], T], *, since: int | None = None, max_age: float = math.inf) -> T:
        """The valid value of `key`, else the result of `make`, which is stored. See `store`."""
        generation = self.generation()
        if since is None:
            since = generation
        found: T | None = self._look_up(key, generation)
        if found is not None:
            return found
        value = make()
        if value is not None:
            self.store(key, value, since, max_age)
        return value

    def get_lasting(self, key: Hashable, make: Callable[[], T], *, max_age: float = math.inf) -> T:
        """The value that depends on `key` alone, or may be outdated by up to `max_age` seconds."""
        with self._lock:
            found: T | None = self._valid(key)
        if found is not None:
            return found
        value = make()
        if value is not None:
            entry = _Entry(value, _size(key, value), time.monotonic() + max_age, lasting=True)
            with self._lock:
                self._keep(key, entry)
        return value

    def _begin(self, generation: int) -> None:
        """There was a commit: drop values that depend on the database."""
        self._current = generation
        lasting = [(key, entry) for key, entry in self._entries.items() if entry.lasting]
        self._entries = OrderedDict(lasting)
        self._size = sum(entry.size for _, entry in lasting)

    def _valid(self, key: Hashable) -> Any:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until != math.inf and entry.until < (now := time.monotonic()):
            entry.until = now + _RENEWAL
            return None
        self._entries.move_to_end(key)
        return entry.value

    def _keep(self, key: Hashable, entry: _Entry) -> None:
        old = self._entries.pop(key, None)
        if old is not None:
            self._size -= old.size
        if entry.size * _SHARE > self.limit:
            return
        self._entries[key] = entry
        self._size += entry.size
        while self._size > self.limit:
            _, oldest = self._entries.popitem(last=False)
            self._size -= oldest.size


def _size(key: Hashable, value: Any) -> int:
    return size_of(key) + size_of(value) + _OVERHEAD
