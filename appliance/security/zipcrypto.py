"""ZIP files with the traditional encryption, the only one that Python's `zipfile` decrypts.

DCOR-Aid and dclab read access files with `zipfile`, so there is no choice of cipher. The cipher is weak; `random_deflate` and
long passphrases compensate for that as far as possible.
"""

from __future__ import annotations

import secrets
import struct
import time
import zlib
from collections.abc import Iterable, Mapping

from appliance.security import random_deflate

_ENCRYPTED = 1
_DEFLATED = 8
_VERSION = 20
_MADE_BY_UNIX = 3 << 8 | _VERSION
_PRIVATE_FILE = 0o100600 << 16

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")


def _crc_table() -> Iterable[int]:
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        yield value


_CRC = tuple(_crc_table())


class Cipher:
    """The traditional ZIP stream cipher, keyed by a password (bytes)."""

    def __init__(self, password: bytes) -> None:
        self._keys = (0x12345678, 0x23456789, 0x34567890)
        for byte in password:
            self._update(byte)

    def encrypt(self, data: bytes) -> bytes:
        """Return the next part of the stream encrypted."""
        done = bytearray()
        for byte in data:
            mask = self._keys[2] | 2
            done.append(byte ^ (mask * (mask ^ 1) >> 8 & 0xFF))
            self._update(byte)
        return bytes(done)

    def _update(self, byte: int) -> None:
        first, second, third = self._keys
        first = first >> 8 ^ _CRC[(first ^ byte) & 0xFF]
        second = ((second + (first & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        third = third >> 8 ^ _CRC[(third ^ second >> 24) & 0xFF]
        self._keys = (first, second, third)


def archive(members: Mapping[str, bytes], password: str, *, now: float | None = None) -> bytes:
    """Return a ZIP file whose `members` (ASCII name → content) are encrypted with `password` (as UTF-8).

    Every member is compressed by `random_deflate`. `now` [Unix s] is the time stamp of the members. Raises ValueError
    for an empty password.
    """
    if not password:
        raise ValueError("An encrypted archive needs a password.")
    stamp = _dos_time(time.time() if now is None else now)
    body, directory = bytearray(), bytearray()
    for name, content in members.items():
        raw_name = name.encode("ascii")
        crc = zlib.crc32(content)
        packed = random_deflate.compress(content)
        # Eleven random bytes, then the one by which readers check the password.
        lead = secrets.token_bytes(11) + bytes([crc >> 24])
        secret = Cipher(password.encode("utf-8")).encrypt(lead + packed)
        common = (_VERSION, _ENCRYPTED, _DEFLATED, *stamp, crc, len(secret), len(content), len(raw_name), 0)
        directory += _CENTRAL.pack(b"PK\x01\x02", _MADE_BY_UNIX, *common, 0, 0, 0, _PRIVATE_FILE, len(body)) + raw_name
        body += _LOCAL.pack(b"PK\x03\x04", *common) + raw_name + secret
    end = _END.pack(b"PK\x05\x06", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return bytes(body + directory + end)


def _dos_time(now: float) -> tuple[int, int]:
    """Time and date words of a ZIP file, local time as the format has it."""
    year, month, day, hour, minute, second = time.localtime(now)[:6]
    return hour << 11 | minute << 5 | second // 2, max(0, year - 1980) << 9 | month << 5 | day
