"""The other end of one connection: its phase, when that began, and how many bytes it has transferred."""

from __future__ import annotations

import enum
import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.web.gateway.connection import Connection

#: Offset of tcpi_bytes_acked and tcpi_bytes_received (two u64) in Linux' struct tcp_info.
_BYTES_OFFSET = 120
_BYTES_SIZE = _BYTES_OFFSET + 16


class Phase(enum.Enum):
    """What a connection is doing, which determines its deadline."""

    HANDSHAKE = "handshake"
    IDLE = "idle"
    HEAD = "head"
    BODY = "body"  # a small body is received before the handler is called
    HANDLER = "handler"
    TRANSFER = "transfer"
    LINGER = "linger"


class Standing(enum.IntEnum):
    """What is known about a client. At a limit, lower ones are dropped first."""

    UNFINISHED = 0  # TLS handshake not finished
    STRANGER = 1  # no request with a valid credential yet
    KNOWN = 2


class Peer:
    """A live connection. Whoever serves it sets `phase`; others may only `abort` it.

    :ivar network: what counts as one place; budgets and fair shares are counted by it.
    :ivar dispatched: when a worker was given it last.
    :ivar user: the user's id, "" for strangers.
    :ivar hurried: it sends a body that carries no file, which has a least rate.
    :ivar costly: it holds large buffers, so its idle time is shorter.
    """

    __slots__ = (
        "_base", "_measured", "_moved", "_total", "address", "connection", "costly", "dispatched", "hurried", "network",
        "phase", "since", "sock", "standing", "user",
    )  # fmt: skip

    connection: Connection

    def __init__(self, sock: socket.socket, address: str, network: str, standing: Standing) -> None:
        self.sock = sock
        self.address = address
        self.network = network
        self.standing = standing
        self.user = ""
        self.costly = False
        self.enter(Phase.HANDSHAKE if standing is Standing.UNFINISHED else Phase.IDLE)
        self.dispatched = self.since
        self._measured = 0.0
        self._base = self._total = -1
        self._moved = self.since

    def enter(self, phase: Phase) -> None:
        """Begin `phase`."""
        self.phase = phase
        self.hurried = phase is Phase.BODY
        self.since = time.monotonic()

    def abort(self) -> None:
        """Shut down the socket: ends the call its worker is in, or wakes the selector to close it."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def measure(self, now: float) -> tuple[float, int]:
        """Seconds [s] since the kernel last saw a byte of this peer (received, or sent and acknowledged), and the bytes of this phase."""
        total = _bytes_moved(self.sock)
        if self._measured != self.since:
            self._measured, self._base, self._moved = self.since, total, now
        elif total != self._total:
            self._moved = now
        self._total = total
        return now - self._moved, total - self._base


def _bytes_moved(sock: socket.socket) -> int:
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_SIZE)
    if len(info) < _BYTES_SIZE:
        return time.monotonic_ns()  # old kernels do not report it: count everything as progress
    acknowledged, received = struct.unpack_from("=QQ", info, _BYTES_OFFSET)
    return int(acknowledged) + int(received)
