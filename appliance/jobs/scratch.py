"""Scratch folders of children, on the data volume.

Each process keeps its own below a lock that the kernel frees when the process dies. So a service that starts can clear
away what killed processes left without taking a folder from a command that runs beside it.
"""

from __future__ import annotations

import fcntl
import shutil
import threading
import uuid
from pathlib import Path
from typing import IO

_LOCK_SUFFIX = ".lock"


class Scratch:
    """Makes scratch folders below `root`. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._guard = threading.Lock()
        self._own: tuple[Path, IO[bytes]] | None = None

    def new(self) -> Path:
        """A fresh empty folder (mode 0700); the caller removes it. Raises OSError."""
        folder = self._claim() / uuid.uuid4().hex
        folder.mkdir(mode=0o700)
        return folder

    def clear(self) -> int:
        """Remove what processes that are no more left behind. → number of folders removed."""
        if not self._root.is_dir():
            return 0
        return sum(_remove_if_dead(folder) for folder in self._root.iterdir() if folder.is_dir())

    def close(self) -> None:
        """Remove this process' folders."""
        with self._guard:
            if self._own is not None:
                folder, lock = self._own
                shutil.rmtree(folder, ignore_errors=True)
                _lock_of(folder).unlink(missing_ok=True)
                lock.close()
                self._own = None

    def _claim(self) -> Path:
        with self._guard:
            if self._own is None:
                self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder = self._root / uuid.uuid4().hex
                lock = _lock_of(folder).open("wb")
                fcntl.flock(lock, fcntl.LOCK_EX)
                folder.mkdir(mode=0o700)  # after the lock: a folder without a held lock is nobody's
                self._own = folder, lock
            return self._own[0]


def _remove_if_dead(folder: Path) -> bool:
    path = _lock_of(folder)
    with path.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        shutil.rmtree(folder, ignore_errors=True)
        path.unlink(missing_ok=True)
    return True


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK_SUFFIX)
