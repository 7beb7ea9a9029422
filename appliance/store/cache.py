"""What was read from the database and may be read again until anybody writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from appliance.store.database import Database


class GenerationCache:
    """Values by key, all forgotten with the next commit to the database, whoever makes it.

    :param size: when more keys than this are known, everything is forgotten.
    """

    def __init__(self, db: Database, size: int = 4096) -> None:
        self._db = db
        self._size = size
        self._lock = threading.Lock()
        self._generation = -1
        self._known: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of `key`, made now if it is not known. None is not kept."""
        generation = self._db.generation()
        with self._lock:
            if self._generation != generation or len(self._known) > self._size:
                self._known.clear()
                self._generation = generation
            value = self._known.get(key)
        if value is not None:
            return value
        value = make()
        if value is not None:
            with self._lock:
                if self._generation == generation:
                    self._known[key] = value
        return value


class AgeingCache:
    """Values by key that may be out of date by up to `life` seconds, whatever is committed meanwhile.

    Once a value is too old, the first who asks makes it anew; the others go on with the old one until it is there.

    :param size: when more keys than this are known, everything is forgotten.
    """

    def __init__(self, life: float, size: int = 1024) -> None:
        self._life = life
        self._size = size
        self._lock = threading.Lock()
        self._known: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of `key`, made now if it is not known or too old."""
        now = time.monotonic()
        with self._lock:
            if len(self._known) > self._size:
                self._known.clear()
            made, value = self._known.get(key, (None, None))
            if made is not None:
                if now - made < self._life:
                    return value
                self._known[key] = (now, value)
        value = make()
        with self._lock:
            self._known[key] = (now, value)
        return value
