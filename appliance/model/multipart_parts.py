"""The rule by which a large file is divided into parts, and the resulting ETag, which clients compute too.

Parts have at most 1 GiB and nearly equal sizes. The ETag of a file with one part is its MD5; that of several is the MD5 of the
parts' binary MD5s, followed by a hyphen and the number of parts, as in S3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

#: Largest part [bytes]; a file of exactly this size is one part.
MAX_PART = 1 << 30


def part_count(size: int) -> int:
    """Number of parts of a file of `size` bytes; an empty file is one part. Raises ValueError for a negative size."""
    if size < 0:
        raise ValueError("a size is not negative")
    return max(1, -(-size // MAX_PART))


def part_size(size: int) -> int:
    """Size [bytes] of every part but the last, which takes the remainder."""
    return -(-size // part_count(size))


def part_range(size: int, number: int) -> tuple[int, int]:
    """(offset, length) [bytes] of part `number`, counted from 1. Raises ValueError when there is no such part."""
    if not 1 <= number <= part_count(size):
        raise ValueError(f"there is no part {number}")
    step = part_size(size)
    offset = (number - 1) * step
    return offset, min(step, size - offset)


def etag(digests: Sequence[str]) -> str:
    """The file's ETag from the hexadecimal MD5s of its parts in order. Raises ValueError without any."""
    if not digests:
        raise ValueError("a file has at least one part")
    if len(digests) == 1:
        return digests[0]
    joined = hashlib.md5(b"".join(bytes.fromhex(digest) for digest in digests), usedforsecurity=False)
    return f"{joined.hexdigest()}-{len(digests)}"


class EtagHasher:
    """Computes the ETag of a file of known `size` [bytes] piece by piece.

    A file that turns out to have another size has an ETag only when it is one part either way.
    """

    def __init__(self, size: int | None) -> None:
        self._step = part_size(size) if size else MAX_PART
        self._done: list[str] = []
        self._part = hashlib.md5(usedforsecurity=False)
        self._filled = 0
        self._total = 0

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add the next bytes of the file."""
        view = memoryview(data)
        while len(view):
            if self._filled == self._step:
                self._next_part()
            piece = view[: self._step - self._filled]
            self._part.update(piece)
            self._filled += len(piece)
            self._total += len(piece)
            view = view[len(piece) :]

    def etag(self) -> str | None:
        """The ETag; None if the size differs from the announced one and the rule would divide the file differently."""
        if self._step != part_size(self._total) and (self._done or part_count(self._total) > 1):
            return None
        return etag([*self._done, self._part.hexdigest()])

    def _next_part(self) -> None:
        self._done.append(self._part.hexdigest())
        self._part = hashlib.md5(usedforsecurity=False)
        self._filled = 0
