"""Pieces of archived files that were read: files on the data volume within a bound, the least recently used go first."""

from __future__ import annotations

import shutil
import threading
import zlib
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path


class ChunkCache:
    """Chunks by (file, number). Begins empty, whatever an earlier process left: nobody can say if that is whole. Thread-safe.

    :param folder: on the data volume; made when the first chunk comes. :param limit: bytes altogether; 0 = keep nothing.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, int], tuple[int, int]] = OrderedDict()
        self._size = 0
        self._begun = False

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._size

    def get(self, name: str, number: int) -> bytes | None:
        """A chunk, None when it is not kept (any more)."""
        with self._lock:
            facts = self._known.get((name, number))
            if facts is None:
                return None
            self._known.move_to_end((name, number))
        try:
            content = self._path(name, number).read_bytes()
        except OSError:
            content = b""
        if (len(content), zlib.crc32(content)) != facts:  # gone, or damaged on the disk
            self._drop(name, number)
            return None
        return content

    def put(self, name: str, number: int, content: bytes) -> None:
        """Keep a chunk, if there is room for it; a full disk only means that it is not kept."""
        if len(content) > self._limit:
            return
        with self._lock:
            self._begin()
            try:
                self._path(name, number).write_bytes(content)  # half of it is no chunk: readers compare size and CRC
            except OSError:
                return
            self._size += len(content) - self._known.pop((name, number), (0, 0))[0]
            self._known[name, number] = (len(content), zlib.crc32(content))
            while self._size > self._limit:
                (old, chunk), (size, _crc) = self._known.popitem(last=False)
                self._size -= size
                with suppress(OSError):
                    self._path(old, chunk).unlink(missing_ok=True)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            shutil.rmtree(self._folder, ignore_errors=True)
            with suppress(OSError):
                self._folder.mkdir(mode=0o700, parents=True)

    def _drop(self, name: str, number: int) -> None:
        with self._lock:
            size, _crc = self._known.pop((name, number), (0, 0))
            self._size -= size
            with suppress(OSError):
                self._path(name, number).unlink(missing_ok=True)

    def _path(self, name: str, number: int) -> Path:
        return self._folder / f"{name}.{number}"
