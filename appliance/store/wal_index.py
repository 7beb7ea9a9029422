"""Detection of commits by any process, by reading the WAL index that all connections to a database share, without calling SQLite.

The first 48 bytes of the file ``…-shm`` change with every commit of any process (https://www.sqlite.org/walformat.html, "The
WAL-Index Header"; they contain a transaction counter, the last frame and checksums). Reading them takes half a microsecond and
keeps the GIL; ``PRAGMA data_version`` takes nine and releases it.

Closing any descriptor of that file would drop the locks that SQLite holds on it in this process (POSIX locks belong to process
and file, not to the descriptor). So all readers of one file share one descriptor, which is closed with the last of them.
"""

from __future__ import annotations

import mmap
import os
import threading
from pathlib import Path

_HEADER = 48

_guard = threading.Lock()
_shared: dict[tuple[int, int], _Mapping] = {}


class _Mapping:
    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.memory = mmap.mmap(self.fd, _HEADER, access=mmap.ACCESS_READ)
        except Exception:
            os.close(self.fd)
            raise
        self.users = 0

    def close(self) -> None:
        """Close the mapping and the file."""
        self.memory.close()
        os.close(self.fd)


class WalIndex:
    """The header of one database's WAL index. At least one connection must be open as long as this object exists.

    :raises OSError: when no connection is open, or the database is not in WAL mode.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + "-shm")
        with _guard:
            state = path.stat()
            self._key = state.st_dev, state.st_ino
            found = _shared.get(self._key)
            if found is None:
                found = _shared[self._key] = _Mapping(path)
            found.users += 1
        self._memory = found.memory

    def state(self) -> int:
        """A number that changes with each commit. (A value read during a commit is a third number, which only invalidates a cache.)"""
        return int.from_bytes(self._memory[:_HEADER])

    def close(self) -> None:
        """Call it once, when the database's connections have been closed."""
        with _guard:
            mapping = _shared[self._key]
            mapping.users -= 1
            if not mapping.users:
                del _shared[self._key]
                mapping.close()
