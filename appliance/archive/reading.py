"""Ranges of archived files, read through from the object storage, with the pieces that were read kept for a while.

Reading waits for another machine, so it is bounded: so many reads at once, and so many of one caller; who comes when all are taken is told to
try again. Files on this machine are served without any of this.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.archive.access import fault, store_of
from appliance.archive.chunk_cache import ChunkCache
from appliance.archive.object_store import BLOCK, ArchiveAway, NoObject, ObjectStore
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.settings import Settings
from appliance.store.archived_files import ArchivedFile

log = logging.getLogger(__name__)

CHUNK = BLOCK
#: Longer ranges are passed on without being kept: one download would push everything else out.
_MOST_KEPT = 16 * CHUNK
_AT_ONCE, _SHARE = 48, 12
_ATTEMPTS = 3


class Blocks:
    """The bytes of a range in blocks; `close` ends the reading early."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._first = next(blocks, b"")  # so that a storage that is away is told before an answer has begun

    def __iter__(self) -> Iterator[bytes]:
        """The blocks, once. Raises ConnectionError when the storage stops answering in the middle."""
        if self._first:
            yield self._first
        try:
            yield from self._blocks
        except Problem as problem:
            log.warning("archive.broken_off reason=%s", problem)
            raise ConnectionError("the archive does not answer any more") from problem

    def close(self) -> None:
        """Give back what is held."""
        close = getattr(self._blocks, "close", None)
        if close is not None:
            close()


class ReadThrough:
    """Reads ranges of archived files. Thread-safe. :param settings: gives those in force."""

    def __init__(self, settings: Callable[[], Settings], folder: Path) -> None:
        self._settings = settings
        self._cache = ChunkCache(folder, settings().archive.cache)
        self._lock = threading.Lock()
        self._reads = Counter[str]()

    def read(self, file: ArchivedFile, start: int, length: int, caller: str = "") -> Blocks:
        """`length` bytes of `file` from `start`. The first of them are there when this returns.

        :param caller: who asks (a user's id or an address), who gets no more than a share of the reads at once.
        :raises Problem: 503 when the storage is away, holds another object, or too much is being read; 429 when the caller's share is used up.
        """
        return Blocks(self._read(file, start, length, caller))

    def require(self, file: ArchivedFile) -> None:
        """Raises Problem 503 unless the storage has the file and answers."""
        if fault(store_of(self._settings(), file), file) is not None:
            raise _lost(file)

    def _read(self, file: ArchivedFile, start: int, length: int, caller: str) -> Iterator[bytes]:
        end = min(start + length, file.size)
        if end - start > _MOST_KEPT:
            with self._place(caller):
                yield from self._passed(file, start, end)
            return
        while start < end:
            kept = self._kept(file, start // CHUNK)
            if kept is not None:
                block = kept[start % CHUNK : start % CHUNK + end - start]
                start += len(block)
                yield block
                continue
            with self._place(caller):
                for number, chunk in self._fetched(file, start, end):
                    self._cache.put(_name(file), number, chunk)
                    block = chunk[start - number * CHUNK : end - number * CHUNK]
                    start += len(block)
                    yield block

    def _fetched(self, file: ArchivedFile, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """The chunks from `start` on that are not kept, up to the first that is, by one request; (number, content)."""
        first = number = start // CHUNK
        last = (end - 1) // CHUNK
        while number < last and self._kept(file, number + 1) is None:
            number += 1
        stop = min((number + 1) * CHUNK, file.size)
        buffer, number = bytearray(), first
        for block in self._passed(file, first * CHUNK, stop):
            buffer += block
            while len(buffer) >= CHUNK or (buffer and number * CHUNK + len(buffer) == stop):
                yield number, bytes(buffer[:CHUNK])
                del buffer[:CHUNK]
                number += 1

    def _passed(self, file: ArchivedFile, start: int, end: int) -> Iterator[bytes]:
        """Bytes from the storage; a connection that breaks off is made again. Raises ArchiveAway."""
        first, failed = start, 0
        while start < end:
            try:
                for block in self._object(file, start, end - start):
                    start += len(block)
                    failed = 0
                    yield block
            except Problem:
                failed += 1
                if start == first or failed >= _ATTEMPTS:
                    raise

    def _object(self, file: ArchivedFile, start: int, length: int) -> Iterator[bytes]:
        store: ObjectStore = store_of(self._settings(), file)
        try:
            return store.read(file.object_key, start, length, file.etag)
        except NoObject as error:
            raise _lost(file) from error

    def _kept(self, file: ArchivedFile, number: int) -> bytes | None:
        return self._cache.get(_name(file), number)

    @contextmanager
    def _place(self, caller: str) -> Iterator[None]:
        with self._lock:
            if self._reads[caller] >= _SHARE:
                raise Problem(
                    429, "Too Many Requests",
                    message=Message("%(count)s files are being read from the archive for you already; try again when one has ended.", count=_SHARE),
                )  # fmt: skip
            if self._reads.total() >= _AT_ONCE:
                raise Problem(
                    503,
                    "Busy",
                    message=Message("Too many files are being read from the archive; try again in a moment."),
                )
            self._reads[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._reads -= Counter([caller])


def _name(file: ArchivedFile) -> str:
    return f"{file.resource_id}-{file.sha256[:16]}"


def _lost(file: ArchivedFile) -> Problem:
    log.error("archive.lost_object resource=%s", file.resource_id)
    return ArchiveAway("it does not have the object that was stored; the administrator finds it with: dcor inspect")
