"""Scratch folders of children, on the data volume.

Each process keeps its own below a lock that the kernel frees when the process dies. So a service that starts can clear
away what killed processes left without taking a folder from a command that runs beside it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
import uuid
from contextlib import suppress
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
                remove_tree(folder)
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


def remove_tree(top: Path) -> None:
    """Remove a folder that a child could write to, however deep, wide or unreadable it is. What cannot be removed stays; no error.

    Nothing recurses, no path grows and no link is followed: a folder found inside is moved to the top before it is looked into.
    Only for folders in which no process works any more.
    """
    try:
        handle = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        pending = _clear(handle, handle)
        while pending:
            name = pending.pop()
            with suppress(OSError):
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
                try:
                    pending += _clear(inner, handle)
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=handle)
    finally:
        os.close(handle)
    with suppress(OSError):
        top.rmdir()


def measure(folder: Path) -> int:
    """Bytes on disk of the files in `folder`; folders in it, which no child can make, are not looked into. Costs little."""
    total = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def open_plain(path: Path) -> IO[bytes]:
    """Open what a child left at `path` for reading, unbuffered. Raises OSError when it is a link, a pipe, … or has a second name.

    The answer counts for the open file, so nobody can put something else in its place afterwards.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise OSError(errno.EINVAL, "not a plain file")
        return os.fdopen(fd, "rb", buffering=0)
    except Exception:
        os.close(fd)
        raise


def _clear(folder: int, top: int) -> list[str]:
    """Remove the files of an open folder and move its folders to `top` under new names. → these names."""
    moved: list[str] = []
    with os.scandir(folder) as entries:
        found = [entry.name for entry in entries]
    for name in found:
        with suppress(OSError):
            if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(name, dir_fd=folder)
                continue
            os.chmod(name, 0o700, dir_fd=folder)  # its maker may have taken every right away
            new = uuid.uuid4().hex
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=top)
            moved.append(new)
    return moved


def _make(folder: Path) -> tuple[Path, IO[bytes]] | None:
    """→ the new folder and its held lock; None when somebody who clears up took the lock for a dead process' just before we held it."""
    path = _lock_of(folder)
    lock = path.open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not _is_file_at(path, lock):
        lock.close()
        return None
    folder.mkdir(mode=0o700)  # after the lock: a folder without a held lock is nobody's
    return folder, lock


def _is_file_at(path: Path, file: IO[bytes]) -> bool:
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
            remove_tree(folder)
            if not folder.exists():
                path.unlink(missing_ok=True)
    except OSError:  # held; or another user's, which must not keep the service from starting
        return False
    return there and not folder.exists()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK_SUFFIX)
