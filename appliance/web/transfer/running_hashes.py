"""Hashes of uploads under way, kept between their pieces."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from appliance.model.multipart_parts import EtagHasher


class RunningHashes:
    """Running hashes of uploads, as far as this process has seen their bytes in order."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Any, EtagHasher]] = {}

    def take(self, upload_id: str, offset: int, size: int) -> tuple[Any, EtagHasher] | None:
        """The hashes of the first `offset` bytes, None when they are not known (any more)."""
        with self._lock:
            found = self._known.pop(upload_id, None)
        if offset == 0:
            return hashlib.sha256(), EtagHasher(size)
        return (found[1], found[2]) if found is not None and found[0] == offset else None

    def keep(self, upload_id: str, offset: int, hashes: tuple[Any, EtagHasher] | None) -> None:
        """Remember the hashes of the first `offset` bytes."""
        if hashes is not None:
            with self._lock:
                if len(self._known) > self._most:
                    self._known.clear()
                self._known[upload_id] = (offset, *hashes)
