"""Hashes of uploads in progress, kept between requests."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from appliance.model.crc32 import Crc32
from appliance.model.multipart_parts import EtagHasher
from appliance.store.uploads import Upload


class RunningHashes:
    """Running hashes of uploads whose bytes this process has received in order. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Any, EtagHasher]] = {}

    def take(self, upload_id: str, offset: int, size: int) -> tuple[Any, EtagHasher] | None:
        """Remove and return the hashes of the first `offset` bytes, None when they are not known."""
        with self._lock:
            found = self._known.pop(upload_id, None)
        if offset == 0:
            return hashlib.sha256(), EtagHasher(size)
        return (found[1], found[2]) if found is not None and found[0] == offset else None

    def keep(self, upload_id: str, offset: int, hashes: tuple[Any, EtagHasher] | None) -> None:
        """Store the hashes of the first `offset` bytes."""
        if hashes is not None:
            with self._lock:
                if len(self._known) > self._most:
                    self._known.clear()
                self._known[upload_id] = (offset, *hashes)


class UnknownCrc32(Crc32):
    """Null object for the CRC-32 of a file whose first bytes have an unknown CRC-32."""

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Ignore these bytes."""


def running_crc32(upload: Upload) -> Crc32:
    """The CRC-32 of the bytes received so far; it continues after a restart."""
    if upload.received and upload.crc32 is None:
        return UnknownCrc32()
    return Crc32(upload.crc32 or 0)
