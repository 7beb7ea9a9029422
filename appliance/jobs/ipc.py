"""Messages between the service, the zygote and its children: packets of a SOCK_SEQPACKET socket, so that a killed sender leaves no
partial frame.

A packet is one letter and a payload of at most 16 KiB, the smallest socket buffer that a kernel may be configured with. A value
is sent as a sequence of `j` (JSON text) or `b` (bytes) packets and an `E`. The receiver does not trust the sender, which may be
compromised: the bytes, packets, lists and objects of a value are limited before anything is parsed.
"""

from __future__ import annotations

import json
import math
import socket
import struct
from typing import Any

from appliance.model import messages

CHUNK = 16 * 1024
PACKET = CHUNK + 1
#: Largest value [bytes]; and most lists and objects in it, each of which takes some hundred bytes of memory for two of
#: text.
MAX_ANSWER = 16 << 20
MAX_CONTAINERS = 400_000
#: Most numbers and texts in a value, counted by commas.
MAX_ITEMS = 4_000_000
#: Most packets of one response, including progress reports.
MAX_PACKETS = 100_000
_BUFFER = 256 << 10

Value = Any


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected packet sockets, with buffers for several packets where the kernel permits."""
    both = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        for one in both:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    except Exception:
        for one in both:
            one.close()
        raise
    return both


def packets(value: Value) -> list[bytes]:
    """`value` (JSON-able, or bytes) as packets. Numbers that JSON lacks (NaN, infinities) become null. Raises ValueError for too much."""
    letter, data = (b"b", bytes(value)) if isinstance(value, bytes | bytearray | memoryview) else (b"j", to_json(value))
    if len(data) > MAX_ANSWER:
        raise ValueError("the answer is too large")
    return [letter + data[start : start + CHUNK] for start in range(0, len(data), CHUNK)] + [b"E"]


def to_json(value: Value) -> bytes:
    """Strict JSON text; numpy scalars and arrays as numbers and lists, messages with their template and values."""
    value = messages.packed(value)
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, default=_plain)
    except ValueError:
        text = json.dumps(_finite(value), allow_nan=False, ensure_ascii=False, default=_plain)
    return text.encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    for method in ("tolist", "item"):
        if hasattr(value, method):
            return _finite(getattr(value, method)())
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class Assembler:
    """Reassembles the packets of one value; call `feed` until it returns True."""

    def __init__(self, limit: int = MAX_ANSWER) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._packets = 0
        self._limit = limit
        self._binary = False

    def feed(self, packet: bytes) -> bool:
        """Take one `j`, `b` or `E` packet; → is the value complete? Raises ValueError for anything else or too much."""
        self.count()
        letter = packet[:1]
        if letter == b"E":
            return True
        if letter not in (b"j", b"b"):
            raise ValueError("unknown packet")
        self._size += len(packet) - 1
        if self._size > self._limit:
            raise ValueError("the answer is too large")
        self._binary = letter == b"b"
        self._parts.append(packet[1:])
        return False

    def count(self) -> None:
        """Count a packet of any kind. Raises ValueError when there are too many."""
        self._packets += 1
        if self._packets > MAX_PACKETS:
            raise ValueError("there are too many packets")

    def value(self) -> Value:
        """The assembled value. Raises ValueError (RecursionError for absurd nesting)."""
        data = b"".join(self._parts)
        self._parts.clear()
        if self._binary:
            return data
        if data.count(b"[") + data.count(b"{") > MAX_CONTAINERS or data.count(b",") > MAX_ITEMS:
            raise ValueError("the answer has too many values")
        return json.loads(data, object_hook=messages.unpacked)


def send_with_fds(sock: socket.socket, message: dict[str, Any], fds: list[int]) -> None:
    """One packet of JSON with open files attached."""
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))] if fds else []
    sock.sendmsg([to_json(message)], ancillary)


def receive_with_fds(sock: socket.socket, most: int = 4) -> tuple[dict[str, Any] | None, list[int]]:
    """The next packet of `send_with_fds`; (None, []) at the end of the stream."""
    data, fds, _flags, _address = socket.recv_fds(sock, PACKET, most)
    return (json.loads(data) if data else None), list(fds)
