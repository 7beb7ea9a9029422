"""CRC-32, as ZIP archives have it, of bytes that arrive in order or in parts.

`combine` is the usual algorithm: `crc32_combine` of zlib (Mark Adler, https://github.com/madler/zlib/blob/develop/crc32.c). Appending n
zero bytes to a message multiplies its CRC by x^(8n) modulo the CRC's polynomial, so the CRC of A followed by B is crc(A)·x^(8·len B) + crc(B).
A polynomial is written with the coefficient of x^0 in the highest of 32 bits.
"""

from __future__ import annotations

import zlib

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31


class Crc32:
    """The CRC-32 of the bytes so far. :param value: CRC-32 of preceding bytes."""

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add the next bytes."""
        self.value = zlib.crc32(data, self.value)


def combine(first: int, second: int, length: int) -> int:
    """The CRC-32 of two pieces put together, from that of each and the length [bytes] of the second. Takes some microseconds."""
    return _product(_power_of_x(8 * length), first) ^ second


def _product(a: int, b: int) -> int:
    """a·b modulo the polynomial."""
    found = 0
    while a:
        if a & _ONE:
            found ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return found


def _power_of_x(exponent: int) -> int:
    """x^exponent modulo the polynomial, by squaring."""
    found, square = _ONE, _ONE >> 1
    while exponent:
        if exponent & 1:
            found = _product(square, found)
        square = _product(square, square)
        exponent >>= 1
    return found
