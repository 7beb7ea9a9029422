"""Locks on files, which the kernel frees when the process that holds one ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_held(path: Path) -> bool:
    """Does a living process hold the lock on the file `path`? A file that does not exist is nobody's. Raises OSError."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold the lock on the file `path` (made if need be) as long as the block runs; gives False when another process holds it. Raises OSError."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock on the file `path` (made if need be) together with others who share it; waits for one who holds it alone. Raises OSError."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
