"""Multipart forms as a stream: whatever the boundaries of reads and parts, the same comes out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.model.problem import Problem
from appliance.web.http import Body, Headers, PeerGone, Request
from appliance.web.transfer.multipart_form import MAX_TEXT, parse


class Trickle(Body):
    """A body that comes in pieces of given sizes, and may break off."""

    def __init__(self, content: bytes, sizes: list[int], cut: int | None = None) -> None:
        super().__init__(content)
        self._sizes = sizes or [1 << 20]
        self._turn = 0
        self._left = cut

    def readinto(self, buffer: memoryview) -> int:
        size = self._sizes[self._turn % len(self._sizes)]
        self._turn += 1
        if self._left is not None:
            size = min(size, self._left)
            if not size:
                raise PeerGone("cut")
            self._left -= size
        return super().readinto(buffer[:size])


class Memory:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.content = b""
        self.discarded = False

    def write(self, data: bytes) -> None:
        self.content += data

    def finish(self) -> bytes:
        return self.content

    def discard(self) -> None:
        self.discarded = True


BOUNDARY = "----b0undary"


def encode(parts: list[tuple[str, str | None, bytes]], *, boundary: str = BOUNDARY, end: bytes = b"--\r\n") -> bytes:
    body = b""
    for name, filename, content in parts:
        extra = f'; filename="{filename}"' if filename is not None else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{boundary}".encode() + end


def request(body: Body, boundary: str = BOUNDARY) -> Request:
    headers = Headers([("Content-Type", f"multipart/form-data; boundary={boundary}")])
    return Request("POST", "/", "/", headers=headers, body=body)


NAMES = st.text("abcdefgh_0123456789-", min_size=1, max_size=12)
NASTY = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"--", b"\r\n--", f"\r\n--{BOUNDARY}"[:-1].encode(), b"x"])).map(
        b"".join
    ),
)
PARTS = st.lists(st.tuples(NAMES, st.one_of(st.none(), NAMES), NASTY), max_size=5)


@settings(max_examples=150, deadline=None)
@given(PARTS, st.lists(st.integers(1, 70), min_size=1, max_size=5))
def test_any_cut_of_the_stream_gives_the_same_form(
    parts: list[tuple[str, str | None, bytes]], sizes: list[int]
) -> None:
    parts = [(n, f, c if f is not None else c.hex().encode()) for n, f, c in parts]
    sinks: list[Memory] = []

    def on_file(name: str, filename: str, fields: dict[str, Any], size: int | None) -> Memory:
        sinks.append(Memory())
        return sinks[-1]

    form = parse(request(Trickle(encode(parts), sizes)), on_file)
    expected: dict[str, list[Any]] = {}
    for name, filename, content in parts:
        expected.setdefault(name, []).append(content if filename is not None else content.decode())
    assert form == {name: values if len(values) > 1 else values[0] for name, values in expected.items()}
    assert not any(sink.discarded for sink in sinks)


@settings(max_examples=100, deadline=None)
@given(PARTS.filter(bool), st.lists(st.integers(1, 50), min_size=1, max_size=3), st.data())
def test_truncation_leaves_no_file(parts: list[tuple[str, str | None, bytes]], sizes: list[int], data: Any) -> None:
    parts = [(n, f, c if f is not None else c.hex().encode()) for n, f, c in parts]
    content = encode(parts, end=b"--")
    cut = data.draw(st.integers(0, len(content) - 1))
    sinks: list[Memory] = []

    def on_file(name: str, filename: str, fields: dict[str, Any], size: int | None) -> Memory:
        sinks.append(Memory())
        return sinks[-1]

    for body in (Trickle(content, sizes, cut), Trickle(content[:cut], sizes)):
        with pytest.raises((PeerGone, Problem)):
            parse(request(body), on_file)
    assert all(sink.discarded for sink in sinks)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_garbage_is_refused_and_nothing_else(content: bytes) -> None:
    with pytest.raises(Problem) as refused:
        parse(request(Trickle(content, [50])), lambda *_: Memory())
    assert refused.value.status in {400, 413}


def test_file_is_refused_before_its_bytes_are_read() -> None:
    body = Trickle(encode([("id", None, b"1"), ("file", "a.rtdc", bytes(10_000_000))]), [1 << 20])

    def on_file(name: str, filename: str, fields: dict[str, Any], size: int | None) -> Memory:
        assert (name, filename, fields, size) == ("file", "a.rtdc", {"id": "1"}, 10_000_000)
        raise Problem(403, "Authorization Error")

    with pytest.raises(Problem) as refused:
        parse(request(body), on_file)
    assert refused.value.status == 403
    assert len(body._content) > 9_900_000


def test_refusal_of_a_second_file_discards_the_first() -> None:
    sinks: list[Memory] = []

    def on_file(name: str, filename: str, fields: dict[str, Any], size: int | None) -> Memory:
        if sinks:
            raise Problem(409, "Validation Error")
        sinks.append(Memory())
        return sinks[-1]

    with pytest.raises(Problem):
        parse(request(Body(encode([("a", "x", b"1"), ("b", "y", b"2")]))), on_file)
    assert sinks[0].discarded


def test_text_is_limited() -> None:
    with pytest.raises(Problem) as refused:
        parse(request(Body(encode([("a", None, b"x" * (MAX_TEXT + 1))]))), lambda *_: Memory())
    assert refused.value.status == 413


@pytest.mark.parametrize("boundary", ["", "x\ny"])
def test_boundary_must_be_sensible(boundary: str) -> None:
    with pytest.raises(Problem) as refused:
        parse(request(Body(b""), boundary), lambda *_: Memory())
    assert refused.value.status == 400


def test_epilogue_in_a_read_of_its_own_is_ignored() -> None:
    content = encode([("a", None, b"1")], end=b"--")
    assert parse(request(Trickle(content + b"\r\n", [len(content), 2])), lambda *_: Memory()) == {"a": "1"}


@pytest.mark.parametrize("size", [0, 1, 100, 5000, 16_000, 16_384, 100_000])
@pytest.mark.parametrize("filler", [b"\0", b"\r", b"\r\n--"])
@pytest.mark.parametrize("step", [1, 100, 1 << 20])
def test_size_of_the_last_part_is_told_beforehand(size: int, filler: bytes, step: int) -> None:
    if step == 1 and (size > 5000 or filler != b"\0"):
        pytest.skip("slow, or bytes that look like a boundary arrive one by one: a guess, and only a hint")
    told: list[int | None] = []

    def on_file(name: str, filename: str, fields: dict[str, Any], size: int | None) -> Memory:
        told.append(size)
        return Memory()

    content = (filler * size)[:size]
    form = parse(request(Trickle(encode([("id", None, b"1"), ("file", "f", content)]), [step])), on_file)
    assert form["file"] == content
    assert told == [size]
