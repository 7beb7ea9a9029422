"""Space on the data volume for outputs of jobs: beyond the reserve, and not promised to uploads or other jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.store import uploads
from appliance.store.database import Database
from appliance.store.depot import Depot


class NoRoom(Exception):
    """The data volume has too little space for a job's output. :ivar need: bytes beyond the reserve that the job waits for."""

    def __init__(self, need: int) -> None:
        super().__init__(f"needs {need} bytes beyond the reserve")
        self.need = need


class Room:
    """The space available to the jobs of one runner. Thread-safe. :ivar reserve: bytes that stay free (`depot.reserve`)."""

    def __init__(self, db: Database, depot: Depot, reserve: int) -> None:
        self._db, self._depot = db, depot
        self.reserve = reserve
        self._lock = threading.Lock()
        self._held = 0

    def left(self) -> int:
        """Bytes available to a further job; negative when the reserve is used."""
        with self._lock:
            return self._left()

    def is_gone(self) -> bool:
        """Whether less than the reserve is free. Costs one system call."""
        return self._depot.free() < self.reserve

    def require(self) -> None:
        """Raise NoRoom when less than the reserve is free."""
        if self.is_gone():
            raise NoRoom(0)

    @contextmanager
    def hold(self, need: int) -> Iterator[None]:
        """Reserve `need` bytes for the caller. Raises NoRoom when they are not available."""
        with self._lock:
            if self._left() < need:
                raise NoRoom(need)
            self._held += need
        try:
            yield
        finally:
            with self._lock:
                self._held -= need

    def _left(self) -> int:
        with self._db.read() as conn:
            promised = uploads.promised(conn, self._depot)
        return self._depot.free() - promised - self._held - self.reserve
