"""CRC-32 of parts, put together."""

from __future__ import annotations

import zlib
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from appliance.model.crc32 import Crc32, combine


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_parts_give_what_the_whole_gives(parts: list[bytes]) -> None:
    found = reduce(lambda crc, part: combine(crc, zlib.crc32(part), len(part)), parts, 0)
    running = Crc32()
    for part in parts:
        running.update(part)
    assert found == running.value == zlib.crc32(b"".join(parts))


def test_lengths_beyond_32_bits() -> None:
    """Zeros, doubled 20 times from 1 MiB, in two ways that have to agree; the first steps are compared with zlib itself."""
    zeros, size = zlib.crc32(bytes(1 << 20)), 1 << 20
    head = zlib.crc32(b"head")
    for step in range(20):
        assert combine(combine(head, zeros, size), zeros, size) == combine(head, combine(zeros, zeros, size), 2 * size)
        zeros, size = combine(zeros, zeros, size), 2 * size
        if step < 4:
            assert zeros == zlib.crc32(bytes(size))
