"""An authenticator app of our own, by RFC 6238 as it stands."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time


class Phone:
    """An authenticator app. It shows each code once; two are good at any moment (the server accepts the next one, too)."""

    def __init__(self, key: str) -> None:
        self._key = base64.b32decode(key.replace(" ", ""))
        self._last = 0

    def code(self) -> str:
        """A code that was not used yet."""
        now = int(time.time()) // 30
        self._last = max(now, self._last + 1)
        assert self._last <= now + 1, "a test needs more codes than there are"
        return self.shown()

    def shown(self) -> str:
        """The code of the last time again."""
        digest = hmac.digest(self._key, struct.pack(">Q", self._last), hashlib.sha1)
        at = digest[-1] & 15
        return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"
