"""Unpredictable deflate streams that every inflater reads.

The classic ZIP encryption is broken by whoever knows twelve bytes of what was encrypted, eight of them in a row, and the
server's certificate is public. What is encrypted, however, is the compressed form. So the text is written here as
literals only, in many short blocks, each with Huffman codes drawn at random: the same certificate gives different
bytes in every file, down to the block boundaries, and every eight bytes in a row hold some of a block's random header.
Compression is not the aim; the stream is some 45 times longer than the text.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from random import Random

#: Literals of one block take at most so many bits (drawn between the two): less than eight bytes.
BLOCK_BITS = (24, 60)

_END_OF_BLOCK = 256
_LITERAL_CODES = (257, 286)
_DISTANCE_CODES = (2, 30)
_LENGTH_CODES = 19
# The order in which a block states the lengths of its code-length code (RFC 1951, 3.2.7).
_STATED_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_LONGEST_CODE = 13
_LONGEST_LENGTH_CODE = 7
_FIXED_BLOCK, _DYNAMIC_BLOCK = 1, 2


class BitWriter:
    """Collects bits, least significant first, into bytes."""

    def __init__(self) -> None:
        self._value = 0
        self._count = 0
        self._done = bytearray()

    def write(self, value: int, bits: int) -> None:
        """Append the lowest `bits` bits of `value`."""
        self._value |= value << self._count
        self._count += bits
        while self._count >= 8:
            self._done.append(self._value & 0xFF)
            self._value >>= 8
            self._count -= 8

    def finish(self) -> bytes:
        """Return everything written, filled with zero bits to a whole byte."""
        return bytes(self._done + (bytes([self._value]) if self._count else b""))


def compress(data: bytes, random: Random | None = None) -> bytes:
    """Return `data` as a raw deflate stream (`zlib.decompressobj(-15)` reads it) that differs each time.

    Takes 0.2 s for 1 kB. `random` is the system's generator unless a test needs another.
    """
    random = random or secrets.SystemRandom()
    writer = BitWriter()
    # The first block is empty, so that a stream begins with random code lengths only.
    _write_block(writer, data, 0, 0, random)
    start = 0
    while start < len(data):
        start = _write_block(writer, data, start, random.randint(*BLOCK_BITS), random)
    writer.write(1, 1)
    writer.write(_FIXED_BLOCK, 2)
    writer.write(0, 7)  # the end-of-block symbol of the fixed code: an empty last block
    return writer.finish()


def random_code(symbols: int, longest: int, random: Random) -> list[int]:
    """Return code lengths for `symbols` symbols that form a complete prefix code of at most `longest` bits.

    Grown by splitting random leaves of a tree, then dealt out to the symbols at random.
    """
    start = min(4, (symbols // 4).bit_length())
    leaves = [start] * (1 << start)
    while len(leaves) < symbols:
        leaf = random.randrange(len(leaves))
        if leaves[leaf] < longest:
            leaves[leaf] += 1
            leaves.append(leaves[leaf])
    random.shuffle(leaves)
    return leaves


def canonical_codes(lengths: Sequence[int]) -> list[int]:
    """Return the code of each symbol as deflate defines it by the lengths, bits reversed for `BitWriter`."""
    codes = [0] * len(lengths)
    code = previous = 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths)):
        code <<= length - previous
        codes[symbol] = int(format(code, f"0{length}b")[::-1], 2)
        code, previous = code + 1, length
    return codes


def _write_block(writer: BitWriter, data: bytes, start: int, budget: int, random: Random) -> int:
    """Write what fits of `data` from `start` into `budget` bits as one block; return where the next one begins."""
    literals = random_code(random.randint(*_LITERAL_CODES), _LONGEST_CODE, random)
    distances = random_code(random.randint(*_DISTANCE_CODES), _LONGEST_CODE, random)
    writer.write(0, 1)
    writer.write(_DYNAMIC_BLOCK, 2)
    writer.write(len(literals) - _LITERAL_CODES[0], 5)
    writer.write(len(distances) - 1, 5)
    writer.write(_LENGTH_CODES - 4, 4)
    lengths = random_code(_LENGTH_CODES, _LONGEST_LENGTH_CODE, random)
    for symbol in _STATED_ORDER:
        writer.write(lengths[symbol], 3)
    codes = canonical_codes(lengths)
    for length in (*literals, *distances):
        writer.write(codes[length], lengths[length])
    codes = canonical_codes(literals)
    while start < len(data) and (budget := budget - literals[data[start]]) >= 0:
        writer.write(codes[data[start]], literals[data[start]])
        start += 1
    writer.write(codes[_END_OF_BLOCK], literals[_END_OF_BLOCK])
    return start
