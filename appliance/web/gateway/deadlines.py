"""Who is connected, how many a peer may be, and who has been silent for too long."""

from __future__ import annotations

import enum
import logging
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from appliance.web.gateway.limits import Limits

log = logging.getLogger(__name__)

#: Offset of tcpi_bytes_acked and tcpi_bytes_received (two u64) in Linux' struct tcp_info.
_BYTES_OFFSET = 120
_BYTES_SIZE = _BYTES_OFFSET + 16


class Phase(enum.Enum):
    """What a connection is doing, which decides how long it may take."""

    HANDSHAKE = "handshake"
    IDLE = "idle"
    HEAD = "head"
    HANDLER = "handler"
    TRANSFER = "transfer"
    LINGER = "linger"


class Peer:
    """A live connection as the watchdog sees it. Its thread sets `phase`; the watchdog may `abort` it."""

    __slots__ = ("_moved", "_total", "address", "phase", "since", "sock")

    def __init__(self, sock: socket.socket, address: str) -> None:
        self.sock = sock
        self.address = address
        self.enter(Phase.HANDSHAKE)
        self._total = -1
        self._moved = self.since

    def enter(self, phase: Phase) -> None:
        """Begin `phase`."""
        self.phase = phase
        self.since = time.monotonic()

    def abort(self) -> None:
        """End whatever call the connection's thread is in."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def silent(self, now: float) -> float:
        """Seconds [s] since the kernel last saw a byte of this peer: received, or sent and acknowledged."""
        if self.phase not in {Phase.TRANSFER, Phase.LINGER}:
            self._moved = now
            return 0.0
        total = _bytes_moved(self.sock)
        if total != self._total or self.since > self._moved:
            self._total = total
            self._moved = now
        return now - self._moved


def _bytes_moved(sock: socket.socket) -> int:
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_SIZE)
    if len(info) < _BYTES_SIZE:
        return time.monotonic_ns()  # an old kernel does not tell: count everything as progress
    acknowledged, received = struct.unpack_from("=QQ", info, _BYTES_OFFSET)
    return int(acknowledged) + int(received)


class Watchdog:
    """The set of live connections and the thread that drops those past their time."""

    def __init__(self, limits: Limits, chores: Callable[[], None] = lambda: None) -> None:
        self.limits = limits
        self._chores = chores
        self._peers: set[Peer] = set()
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._peers)

    def start(self) -> None:
        """Begin to watch."""
        self._thread = threading.Thread(target=self._run, name="gateway-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def admit(self, peer: Peer) -> bool:
        """Count `peer` in, if need be in place of an idle connection (of its own address, when that has too many)."""
        with self._lock:
            if self._counts[peer.address] >= self.limits.connections_per_address:
                if not self._evict(peer.address):
                    return False
            elif len(self._peers) >= self.limits.connections and not self._evict(None):
                return False
            self._peers.add(peer)
            self._counts[peer.address] += 1
            return True

    def leave(self, peer: Peer) -> None:
        """Count `peer` out."""
        with self._lock:
            self._remove(peer)

    def abort(self, *phases: Phase) -> None:
        """Abort the connections that are in one of `phases`; all of them without any."""
        with self._lock:
            for peer in self._peers:
                if not phases or peer.phase in phases:
                    peer.abort()

    def wait_empty(self, seconds: float) -> bool:
        """Wait until nobody is connected; False when `seconds` were not enough."""
        with self._lock:
            return self._empty.wait_for(lambda: not self._peers, timeout=seconds)

    def _evict(self, address: str | None) -> bool:
        """Drop the longest idle connection (of `address`); False when there is none."""
        idle = [p for p in self._peers if p.phase is Phase.IDLE and address in {None, p.address}]
        if not idle:
            return False
        victim = min(idle, key=lambda p: p.since)
        self._remove(victim)
        victim.abort()
        return True

    def _remove(self, peer: Peer) -> None:
        if peer not in self._peers:
            return
        self._peers.remove(peer)
        self._counts[peer.address] -= 1
        if not self._counts[peer.address]:
            del self._counts[peer.address]
        if not self._peers:
            self._empty.notify_all()

    def _run(self) -> None:
        while not self._stop.wait(self.limits.tick):
            now = time.monotonic()
            with self._lock:
                for peer in self._peers:
                    self._check(peer, now)
            self._chores()

    def _check(self, peer: Peer, now: float) -> None:
        limits, phase, elapsed = self.limits, peer.phase, now - peer.since
        try:
            silent = peer.silent(now)
        except OSError:
            return  # closed in this moment
        late = {
            Phase.HANDSHAKE: elapsed > limits.handshake,
            Phase.HEAD: elapsed > limits.head,
            Phase.IDLE: elapsed > limits.idle,
            Phase.LINGER: silent > limits.linger,
            Phase.TRANSFER: silent > limits.stall,
        }.get(phase, False)
        if late:
            log.debug("gateway.dropped phase=%s", phase.value)
            peer.abort()
