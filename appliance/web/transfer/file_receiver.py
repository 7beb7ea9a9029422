"""Bytes of an upload on their way to disk: written once, hashed while they pass, flushed as they come.

A large upload is written and hashed in threads of its own beside the connection's, because each of these steps leaves
the interpreter's lock alone. The disk is never more than a fixed distance behind, so the end of an upload is no wait.
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
from appliance.model.multipart_parts import EtagHasher
from appliance.model.problem import Problem
from appliance.store.depot import Part
from appliance.store.fair_lock import caller
from appliance.store.filesystem import reserve, start_writing, wait_written
from appliance.web.gateway.priority import lower_priority

#: Size of the pieces in which a body is read [bytes], and how many may wait for each thread.
BLOCK = 1 << 19
_DEPTH = 4
#: Up to this size [bytes] threads cost more than they bring.
_INLINE = 4 << 20
#: Written data are handed to the disk in steps of this size [bytes] ...
_STEP = 16 << 20
#: ... and waited for when they lie this far back.
_WINDOW = 96 << 20


#: Files that are written and hashed in threads of their own at once, in all and of one user; further ones are received in their
#: connection's thread.
MOST_THREADED = 16
MOST_THREADED_OF_ONE = 4


class _Threaded:
    """Who has how many files in threads. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Counter[str | None] = Counter()

    def acquire(self, caller: str | None) -> bool:
        """May one more file of `caller` have threads?"""
        with self._lock:
            free = self._held.total() < MOST_THREADED and self._held[caller] < MOST_THREADED_OF_ONE
            self._held[caller] += free
            return free

    def release(self, caller: str | None) -> None:
        """Give the threads of one file back."""
        with self._lock:
            self._held -= Counter([caller])  # forgets callers who have none left


_THREADED = _Threaded()


class Hasher(Protocol):
    """Something that sees all bytes in order."""

    def update(self, data: bytes, /) -> None:
        """The next bytes."""


def storage_problem(error: Exception) -> Problem:
    """What a client is told when its bytes could not be written."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return Problem(
            507,
            "Insufficient Storage",
            message="The data volume is full. The file was not stored; tell the administrator.",
        )
    return Problem(500, "Internal Server Error", message="The file could not be stored. Tell the administrator.")


class _Worker:
    """A thread that takes blocks in order. Its first error is raised to the giver; it goes on taking, so that nobody waits for it."""

    def __init__(self, work: Callable[[bytes], None], name: str) -> None:
        self._work = work
        self._queue: queue.Queue[bytes | None] = queue.Queue(_DEPTH)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"intake-{name}", daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> None:
        """Hand over a block; waits while too many wait. Raises the error of an earlier one."""
        if self._error is not None:
            raise self._error
        self._queue.put(data)

    def join(self) -> None:
        """Wait until everything is done. Raises the first error."""
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
                except Exception as error:  # whatever it is: who gives blocks must not wait for ever for a dead thread
                    self._error = error


class RangeReceiver:
    """Takes a file, or a piece of one, into an open part.

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
        self._lanes: list[_Worker] = []
        self._inline: list[Callable[[bytes], None]] = [self._store, *(hasher.update for hasher in hashers)]
        self._room, self._asked = room, 0
        self._reserved = os.fstat(part.fd).st_blocks * 512
        self._caller = caller()
        if (size is None or size > _INLINE) and _THREADED.acquire(self._caller):
            names = ["disk", *(f"hash{number}" for number in range(len(hashers)))]
            self._lanes = [_Worker(work, name) for work, name in zip(self._inline, names, strict=True)]

    def write(self, data: bytes) -> None:
        """The next bytes. Raises Problem 413 beyond the limit, 507 when the disk is full, 500 when it fails."""
        self.total += len(data)
        if self.total > self._limit:
            raise Problem(413, "Request Entity Too Large", message=f"At most {self._limit} bytes are accepted here.")
        if self.total - self._asked >= _STEP:
            self._asked = self.total
            if self._start + self.total > self._reserved:
                self._room()
        try:
            if self._lanes:
                for lane in self._lanes:
                    lane.put(data)
            else:
                for work in self._inline:
                    work(data)
        except Exception as error:
            raise storage_problem(error) from error

    def settle(self) -> None:
        """Wait until all bytes are written and hashed (not flushed); threads end. Raises Problem 507 or 500."""
        failed: Exception | None = None
        for lane in self._lanes:
            try:
                lane.join()
            except Exception as error:
                failed = error
        if self._lanes:
            _THREADED.release(self._caller)
        self._lanes = []
        if failed is not None:
            raise storage_problem(failed) from failed

    @property
    def idle(self) -> bool:
        """Everything given so far has been written."""
        return self._written - self._start == self.total

    def close(self) -> None:
        """End the threads, whatever has become of the bytes."""
        with suppress(Exception):  # whoever gave the bytes has been told already
            self.settle()

    def flush(self) -> None:
        """Settle, and make the bytes durable. Raises Problem."""
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
    """A whole file: a new part, its SHA-256, ETag and CRC-32. The sink of a multipart upload.

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
            room()  # two that were asked at the same time may both have been told that there is enough
        except Problem:
            part.discard()
            raise
        self._intake = RangeReceiver(
            part, size=size, limit=limit, hashers=[self._sha256, self._etag, self._crc32], room=room
        )

    @property
    def size(self) -> int:
        """Bytes taken so far."""
        return self._intake.total

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256; of the whole file after `finish`."""
        return self._sha256.hexdigest()

    @property
    def etag(self) -> str | None:
        """ETag by the rule for parts; None when the file had another size than announced and is larger than a part."""
        return self._etag.etag()

    @property
    def crc32(self) -> int:
        """CRC-32; of the whole file after `finish`."""
        return self._crc32.value

    def write(self, data: bytes) -> None:
        """The next bytes. Raises as `RangeReceiver.write` does."""
        self._intake.write(data)

    def finish(self) -> None:
        """All bytes have come: the file is on disk with its true size. Raises Problem."""
        self._intake.settle()
        try:
            if self._reserved is not None and self._reserved > self.size:
                os.ftruncate(self.part.fd, self.size)
        except OSError as error:
            raise storage_problem(error) from error
        self._intake.flush()
        self.part.close()

    def discard(self) -> None:
        """Leave nothing behind."""
        self._intake.close()
        self.part.discard()
