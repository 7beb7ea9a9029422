"""The huey queue: it carries job ids to worker threads of this process. Lost messages are sent again; old ones are discarded at start."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huey import SqliteHuey
from huey.consumer import Consumer
from huey.storage import SqliteStorage

_LONGEST_WAIT = 0.5

_log = logging.getLogger("dcor.jobs")


class _WakingStorage(SqliteStorage):  # type: ignore[misc]
    """SQLite storage that wakes workers when a message arrives instead of polling, and recreates its file when that is damaged.

    Its content is lost then, and sent again by the runner.
    """

    blocking = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._arrivals = threading.Semaphore(0)
        self._mending = threading.Lock()
        super().__init__(*arguments, **options)

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Store a message and wake one worker."""
        try:
            super().enqueue(data, priority)
        except sqlite3.DatabaseError as error:
            self._recreate(error)
            super().enqueue(data, priority)
        self._arrivals.release()

    def dequeue(self) -> bytes | None:
        """The most urgent message; None when none arrived for half a second."""
        if not self._arrivals.acquire(timeout=_LONGEST_WAIT):
            return None
        try:
            found: bytes | None = super().dequeue()
        except sqlite3.DatabaseError as error:
            self._recreate(error)
            return None
        return found

    def _recreate(self, error: sqlite3.DatabaseError) -> None:
        """Recreate the file. Raises `error` when the file is merely in use."""
        if "locked" in str(error):
            raise error
        with self._mending:
            with self.lock:
                self.conn.close()
                self._conn: sqlite3.Connection | None = None
                _empty(Path(self.filename))
            self.initialize_schema()
        _log.warning("jobs.queue_made_anew reason=%s", error)


class _Consumer(Consumer):  # type: ignore[misc]
    """A consumer of threads only; the service handles signals."""

    def _set_signal_handlers(self) -> None:
        """Do not set signal handlers."""


class Queue:
    """Messages (job ids) and the worker threads that run `execute` on each.

    :param path: `jobs.sqlite`; :param workers: threads.
    """

    def __init__(self, path: Path, workers: int, execute: Callable[[str], None]) -> None:
        # Messages of an earlier process are useless, and a damaged file could not be opened.
        _empty(path)
        # No fsync: the job table is authoritative, this file may be lost at any time.
        self._huey = SqliteHuey("dcor", storage_class=_WakingStorage, filename=str(path), fsync=False, results=False)
        self._task = self._huey.task(name="job")(execute)
        self._consumer = _Consumer(
            self._huey, workers=workers, periodic=False, scheduler_interval=60, check_worker_health=True
        )

    def start(self) -> None:
        """Start the threads."""
        self._consumer.start()

    def send(self, job_id: str, priority: int) -> None:
        """Queue this job for a worker."""
        self._huey.enqueue(self._task.s(job_id, priority=priority))

    def replace_dead_workers(self) -> None:
        """Replace worker threads that died."""
        self._consumer.check_worker_health()

    def stop(self, seconds: float) -> None:
        """Stop taking messages; wait `grace` seconds for running jobs."""
        self._consumer.shutdown_timeout = seconds
        self._consumer.stop(graceful=True)

    def close(self) -> None:
        """Close the file."""
        self._huey.storage.close()


def _empty(path: Path) -> None:
    """Replace the database and its log by an empty file (mode 0600)."""
    for left in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        left.unlink(missing_ok=True)
    path.touch(mode=0o600)
