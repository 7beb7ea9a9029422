"""The rule for parts against the rule as clients have it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import multipart_parts as rule
from appliance.model.multipart_parts import MAX_PART, EtagHasher, etag, part_count, part_range, part_size


@pytest.mark.parametrize(
    ("size", "count", "step"),
    [
        (1, 1, 1),
        (MAX_PART, 1, MAX_PART),
        (MAX_PART + 2, 2, MAX_PART // 2 + 1),
        (MAX_PART + 1, 2, MAX_PART // 2 + 1),
        (2 * MAX_PART - 2, 2, MAX_PART - 1),
        (2 * MAX_PART, 2, MAX_PART),
        (0, 1, 0),
    ],
)
def test_known_sizes(size: int, count: int, step: int) -> None:
    assert (part_count(size), part_size(size)) == (count, step)


@given(st.integers(1, 1 << 45))
def test_parts_cover_the_file_once(size: int) -> None:
    count = part_count(size)
    last = part_range(size, count)
    assert sum(last) == size
    assert last[1] > 0
    assert (count - 1) * part_size(size) + last[1] == size
    assert part_size(size) <= MAX_PART


@given(st.binary(max_size=500), st.lists(st.integers(1, 40), min_size=1), st.booleans())
def test_hasher_follows_the_rule_for_any_blocks(content: bytes, sizes: list[int], known: bool) -> None:
    """With a largest part of 100 bytes in place of 1 GiB."""
    original, rule.MAX_PART = rule.MAX_PART, 100
    try:
        hasher = EtagHasher(len(content) if known else None)
        position, turn = 0, 0
        while position < len(content):
            step = sizes[turn % len(sizes)]
            hasher.update(content[position : position + step])
            position, turn = position + step, turn + 1
        step = part_size(len(content)) or 1
        digests = [hashlib.md5(content[i : i + step]).hexdigest() for i in range(0, len(content), step)]
        expected = etag(digests or [hashlib.md5().hexdigest()])
        assert hasher.etag() in ({expected} if known or len(content) <= 100 else {expected, None})
    finally:
        rule.MAX_PART = original


@given(st.integers(0, 400), st.integers(0, 400))
def test_wrong_announcement_never_gives_a_wrong_etag(announced: int, size: int) -> None:
    original, rule.MAX_PART = rule.MAX_PART, 100
    try:
        hasher = EtagHasher(announced)
        hasher.update(bytes(size))
        right = EtagHasher(size)
        right.update(bytes(size))
        assert hasher.etag() in {right.etag(), None}
    finally:
        rule.MAX_PART = original


def test_agrees_with_dcoraid_on_a_real_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    dcoraid = pytest.importorskip("dcoraid.common")
    path = tmp_path / "file"
    path.write_bytes(b"some bytes" * 1000)
    hasher = EtagHasher(10000)
    hasher.update(path.read_bytes())
    assert dcoraid.etagsum(path) == hasher.etag()
