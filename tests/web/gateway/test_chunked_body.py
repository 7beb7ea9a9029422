"""Bodies in chunks: the same bytes come out however they are cut, and many small chunks cost few reads."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.model.problem import Problem
from appliance.web.gateway.channel import PlainChannel
from appliance.web.gateway.request_reader import ChunkedBody, RequestReader
from appliance.web.http import PeerGone


def chunked(pieces: list[bytes], trailer: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n" + trailer + b"\r\n"


class Peer:
    """Somebody who sends a body in segments. :ivar reads: results of the reads that took it."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        channel = PlainChannel(self.near, 1.0)
        channel.wait(blocking=True)
        self.receives = 0
        self.reader = RequestReader(channel)
        self.body = ChunkedBody(self.reader, lambda: None, self._count)

    def _count(self) -> None:
        self.receives += 1

    def send(self, data: bytes, steps: list[int] | None = None, *, end: bool = False) -> None:
        """Send from another thread, in segments of these sizes."""

        def run() -> None:
            rest, turn = data, 0
            while rest:
                step = (steps or [len(data)])[turn % len(steps or [1])]
                self.far.sendall(rest[:step])
                rest, turn = rest[step:], turn + 1
            if end:
                self.far.shutdown(socket.SHUT_WR)

        threading.Thread(target=run, daemon=True).start()

    def read(self, size: int = 1 << 16) -> bytes:
        """The body to its end."""
        found = b""
        buffer = memoryview(bytearray(size))
        while count := self.body.readinto(buffer):
            found += bytes(buffer[:count])
        return found

    def close(self) -> None:
        self.near.close()
        self.far.close()


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.binary(max_size=50), max_size=30),
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
    st.integers(1, 200),
    st.sampled_from([b"", b"Name: value\r\n"]),
)
def test_whatever_the_cuts_the_same_bytes_come_out(
    pieces: list[bytes], steps: list[int], size: int, trailer: bytes
) -> None:
    peer = Peer()
    peer.send(chunked(pieces, trailer) + b"NEXT", steps)
    assert peer.read(size) == b"".join(pieces)
    assert peer.body.unread == 0
    assert peer.reader.collect(4) == b"NEXT", "what follows the body is left alone"
    peer.close()


def test_chunks_of_a_byte_are_taken_together() -> None:
    content = bytes(range(256)) * 80
    peer = Peer()
    peer.far.sendall(chunked([content[number : number + 1] for number in range(len(content))])[:100_000])
    assert len(content) > 16_000
    buffer, found = memoryview(bytearray(1 << 16)), b""
    while len(found) < 16_000:
        found += bytes(buffer[: peer.body.readinto(buffer)])
    assert content.startswith(found)
    assert peer.receives < 50, "a read takes hundreds of chunks, not one"
    peer.close()


def test_what_has_come_is_given_before_more_is_waited_for() -> None:
    """Whoever sends slowly: each byte that has come counts when the connection breaks."""
    peer = Peer()
    peer.far.sendall(b"1\r\na\r\n1\r\nb\r\n1\r")
    buffer = memoryview(bytearray(100))
    found = b""
    while len(found) < 2:
        found += bytes(buffer[: peer.body.readinto(buffer)])
    assert found == b"ab"
    peer.far.shutdown(socket.SHUT_WR)
    with pytest.raises(PeerGone):
        peer.body.readinto(buffer)
    peer.close()


@pytest.mark.parametrize("wire", [b"1\r\naX\r\n", b"1\r\na\r\nzz\r\nb\r\n0\r\n\r\n", b"-1\r\n"])
def test_what_is_malformed_is_refused_also_behind_good_chunks(wire: bytes) -> None:
    peer = Peer()
    peer.send(wire, end=True)
    with pytest.raises(Problem):
        peer.read()
    peer.close()
