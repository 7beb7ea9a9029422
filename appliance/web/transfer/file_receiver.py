"""Receiving uploads: bytes are written once, hashed on the way, and flushed continuously.

A large upload is written and hashed in separate threads, because each of these steps releases the GIL. The amount of unwritten
data is limited, so that the final flush is short.
"""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from appliance.model.crc32 import Crc32
from appliance.model.messages import Message
from appliance.model.multipart_parts import EtagHasher
from appliance.model.problem import Problem
from appliance.store.depot import Part
from appliance.store.fair_lock import caller
from appliance.store.filesystem import reserve, start_writing, wait_written
from appliance.web.gateway.priority import lower_priority

#: Size of the pieces in which a body is read [bytes], and how many may wait for each thread.
BLOCK = 1 << 19
_DEPTH = 4
#: Up to this size [bytes] threads cost more than they gain.
_INLINE = 4 << 20
#: Written data is handed to the disk in steps of this size [bytes] ...
_STEP = 16 << 20
#: ... and waited for when it is this far behind.
_WINDOW = 96 << 20


#: Files that are written and hashed in threads of their own at once, in all and of one user; further ones are received in their
#: connection's thread.
MOST_THREADED = 16
MOST_THREADED_OF_ONE = 4


class _Threaded:
    """Counts the files received with separate threads, by caller. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Counter[str | None] = Counter()

    def acquire(self, caller: str | None) -> bool:
        """Whether one more file of `caller` may use threads."""
        with self._lock:
            free = self._held.total() < MOST_THREADED and self._held[caller] < MOST_THREADED_OF_ONE
            self._held[caller] += free
            return free

    def release(self, caller: str | None) -> None:
        """Release the threads of one file."""
        with self._lock:
            self._held -= Counter([caller])  # removes callers who have none left


_THREADED = _Threaded()


class Hasher(Protocol):
    """Receives all bytes in order."""

    def update(self, data: bytes, /) -> None:
        """The next bytes."""


def storage_problem(error: Exception) -> Problem:
    """The Problem reported to a client whose bytes could not be written."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return Problem(
            507,
            "Insufficient Storage",
            message=Message("The data volume is full. The file was not stored; tell the administrator."),
        )
    return Problem(
        500, "Internal Server Error", message=Message("The file could not be stored. Tell the administrator.")
    )


class _Worker:
    """A thread that processes blocks in order. Its first error is raised in the producer; it keeps consuming, so that the producer never
    blocks.
    """

    def __init__(self, work: Callable[[bytes], None], name: str) -> None:
        self._work = work
        self._queue: queue.Queue[bytes | None] = queue.Queue(_DEPTH)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"receiver-{name}", daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> None:
        """Queue a block; waits while the queue is full. Raises the error of an earlier one."""
        if self._error is not None:
            raise self._error
        self._queue.put(data)

    def join(self) -> None:
        """Wait until all blocks are processed. Raises the first error."""
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        lower_priority()
        while (data := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._work(data)
                except Exception as error:  # any error: the producer must not block on a dead thread
                    self._error = error


class RangeReceiver:
    """Receives a file, or a range of one, into an open part.

    :param offset: where in the file the first byte belongs.
    :param size: number of bytes to come, None when that is not known.
    :param limit: no more than this many bytes are taken.
    :param hashers: see every byte.
    :param room: raises Problem when the volume has become too full; asked now and then unless room was reserved.
    """

    def __init__(
        self,
        part: Part,
        *,
        offset: int = 0,
        size: int | None = None,
        limit: int,
        hashers: Sequence[Hasher] = (),
        room: Callable[[], None] = lambda: None,
    ) -> None:
        self.total = 0
        self._fd = part.fd
        self._start = offset
        self._limit = limit
        self._written = offset
        self._handed = offset
        self._waited = offset
        self._threads: list[_Worker] = []
        self._inline: list[Callable[[bytes], None]] = [self._store, *(hasher.update for hasher in hashers)]
        self._room, self._asked = room, 0
        self._reserved = os.fstat(part.fd).st_blocks * 512
        self._caller = caller()
        if (size is None or size > _INLINE) and _THREADED.acquire(self._caller):
            names = ["disk", *(f"hash{number}" for number in range(len(hashers)))]
            self._threads = [_Worker(work, name) for work, name in zip(self._inline, names, strict=True)]

    def write(self, data: bytes) -> None:
        """The next bytes. Raises Problem 413 beyond the limit, 507 when the disk is full, 500 when it fails."""
        self.total += len(data)
        if self.total > self._limit:
            raise Problem(
                413,
                "Request Entity Too Large",
                message=Message("At most %(limit)s bytes are accepted here.", limit=self._limit),
            )
        if self.total - self._asked >= _STEP:
            self._asked = self.total
            if self._start + self.total > self._reserved:
                self._room()
        try:
            if self._threads:
                for thread in self._threads:
                    thread.put(data)
            else:
                for work in self._inline:
                    work(data)
        except Exception as error:
            raise storage_problem(error) from error

    def settle(self) -> None:
        """Wait until all bytes are written and hashed (not flushed); ends the threads. Raises Problem 507 or 500."""
        failed: Exception | None = None
        for thread in self._threads:
            try:
                thread.join()
            except Exception as error:
                failed = error
        if self._threads:
            _THREADED.release(self._caller)
        self._threads = []
        if failed is not None:
            raise storage_problem(failed) from failed

    @property
    def idle(self) -> bool:
        """Whether all received bytes have been written."""
        return self._written - self._start == self.total

    def close(self) -> None:
        """End the threads, ignoring errors."""
        with suppress(Exception):  # the producer has already been told
            self.settle()

    def flush(self) -> None:
        """`settle`, then flush. Raises Problem."""
        self.settle()
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise storage_problem(error) from error

    def _store(self, data: bytes) -> None:
        view = memoryview(data)
        while len(view):
            count = os.pwrite(self._fd, view, self._written)
            self._written += count
            view = view[count:]
        if self._written - self._handed >= _STEP:
            start_writing(self._fd, self._handed, self._written - self._handed)
            self._handed = self._written
            if self._handed - self._waited > _WINDOW:
                wait_written(self._fd, self._waited, _STEP)
                self._waited += _STEP


class FileReceiver:
    """Receives a complete file into a new part, with SHA-256, ETag and CRC-32. The sink of a multipart upload.

    :param size: as announced or guessed, for reserving room and for the ETag's rule; None when unknown.
    """

    def __init__(self, part: Part, *, size: int | None, limit: int, room: Callable[[], None] = lambda: None) -> None:
        self.part = part
        self._sha256 = hashlib.sha256()
        self._etag = EtagHasher(size)
        self._crc32 = Crc32()
        self._reserved = size
        try:
            reserve(part.fd, min(size or 0, limit))
        except OSError as error:
            part.discard()
            raise storage_problem(error) from error
        try:
            room()  # concurrent uploads may both have been told that there is enough space
        except Problem:
            part.discard()
            raise
        self._receiver = RangeReceiver(
            part, size=size, limit=limit, hashers=[self._sha256, self._etag, self._crc32], room=room
        )

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self._receiver.total

    @property
    def sha256(self) -> str:
        """SHA-256 in hexadecimal; of the whole file after `finish`."""
        return self._sha256.hexdigest()

    @property
    def etag(self) -> str | None:
        """ETag by the rule for parts; None for a file of more than one part whose size differs from the announced one."""
        return self._etag.etag()

    @property
    def crc32(self) -> int:
        """CRC-32; of the whole file after `finish`."""
        return self._crc32.value

    def write(self, data: bytes) -> None:
        """The next bytes. Raises as `RangeReceiver.write` does."""
        self._receiver.write(data)

    def finish(self) -> None:
        """All bytes have been received: truncate to the true size and flush. Raises Problem."""
        self._receiver.settle()
        try:
            if self._reserved is not None and self._reserved > self.size:
                os.ftruncate(self.part.fd, self.size)
        except OSError as error:
            raise storage_problem(error) from error
        self._receiver.flush()
        self.part.close()

    def discard(self) -> None:
        """Remove the part."""
        self._receiver.close()
        self.part.discard()
