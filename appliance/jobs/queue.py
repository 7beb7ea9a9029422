"""huey as we use it: it carries job ids to worker threads of this process. What it loses is sent again; what it holds after a crash is thrown away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huey import SqliteHuey
from huey.consumer import Consumer
from huey.storage import SqliteStorage

_LONGEST_WAIT = 0.5


class _WakingStorage(SqliteStorage):  # type: ignore[misc]
    """SQLite storage that lets workers sleep until something arrives instead of polling."""

    blocking = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._arrivals = threading.Semaphore(0)
        super().__init__(*arguments, **options)

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Store a message and wake one worker."""
        super().enqueue(data, priority)
        self._arrivals.release()

    def dequeue(self) -> bytes | None:
        """The most urgent message; None when none arrived for half a second."""
        if not self._arrivals.acquire(timeout=_LONGEST_WAIT):
            return None
        found: bytes | None = super().dequeue()
        return found


class _Consumer(Consumer):  # type: ignore[misc]
    """Threads only: signals are the service's business."""

    def _set_signal_handlers(self) -> None:
        """Leave them alone."""


class Queue:
    """Messages (job ids) and the worker threads that run `execute` on each.

    :param path: `jobs.sqlite`; :param workers: threads.
    """

    def __init__(self, path: Path, workers: int, execute: Callable[[str], None]) -> None:
        # What an earlier process left is of no use, and a damaged file could not be opened.
        for left in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            left.unlink(missing_ok=True)
        path.touch(mode=0o600)
        # No fsync: the job table is the truth, this file may be lost at any time.
        self._huey = SqliteHuey("dcor", storage_class=_WakingStorage, filename=str(path), fsync=False, results=False)
        self._task = self._huey.task(name="job")(execute)
        self._consumer = _Consumer(
            self._huey, workers=workers, periodic=False, scheduler_interval=60, check_worker_health=True
        )

    def start(self) -> None:
        """Start the threads."""
        self._consumer.start()

    def send(self, job_id: str, priority: int) -> None:
        """Have a worker run this job."""
        self._huey.enqueue(self._task.s(job_id, priority=priority))

    def mend(self) -> None:
        """Replace worker threads that died."""
        self._consumer.check_worker_health()

    def stop(self, seconds: float) -> None:
        """Take no more messages; wait so long for what runs."""
        self._consumer.shutdown_timeout = seconds
        self._consumer.stop(graceful=True)

    def close(self) -> None:
        """Close the file."""
        self._huey.storage.close()
