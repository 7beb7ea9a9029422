"""Scratch folders of children, on the data volume.

Each process keeps its own below a lock that the kernel frees when the process dies. So a service that starts can clear
away what killed processes left without taking a folder from a command that runs beside it.
"""

from __future__ import annotations

import fcntl
import os
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
        owners = {entry.with_suffix("") if entry.suffix == _LOCK_SUFFIX else entry for entry in self._root.iterdir()}
        return sum(_remove_if_dead(folder) for folder in owners)

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
                while self._own is None:
                    self._own = _make(self._root / uuid.uuid4().hex)
            return self._own[0]


def _make(folder: Path) -> tuple[Path, IO[bytes]] | None:
    """→ the new folder and its held lock; None when somebody who clears up took the lock for a dead process' just before we held it."""
    path = _lock_of(folder)
    lock = path.open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not _stands_at(path, lock):
        lock.close()
        return None
    folder.mkdir(mode=0o700)  # after the lock: a folder without a held lock is nobody's
    return folder, lock


def _stands_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _remove_if_dead(folder: Path) -> bool:
    """Remove a folder, its lock, or what there is of both, unless the owner lives. → was it a folder, and is it gone?"""
    path, there = _lock_of(folder), folder.is_dir()
    try:
        with path.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                path.unlink(missing_ok=True)
    except OSError:  # held; or another user's, which must not keep the service from starting
        return False
    return there and not folder.exists()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK_SUFFIX)
