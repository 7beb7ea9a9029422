"""A folder in memory: databases in it sync in no time."""

from __future__ import annotations

import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")


def memory_folder() -> tempfile.TemporaryDirectory[str]:
    """A fresh folder with a random name, in memory where the machine has such a place; it goes with `cleanup` or the `with` block."""
    return tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None)
