"""Admission of connections: limits by standing and by network, and which connection is dropped when a limit or a deadline is
reached.

Below the limits nothing is dropped before its deadline. At a limit the network with the most connections loses one first, so
that one network cannot lock out another; within a network, connections without TLS are dropped before strangers, and strangers
before known clients. A known client loses a connection only while that is idle or has long been sending a body that is not a
file; the user with the most connections loses first. One user has at most a quarter of all connections, from whatever
addresses.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable

from appliance.web.gateway.limits import Limits
from appliance.web.gateway.peer import Peer, Phase, Standing

log = logging.getLogger(__name__)

_STRANGERS = frozenset({Standing.UNFINISHED, Standing.STRANGER})
_RANK = {Phase.IDLE: 0, Phase.HANDLER: 2}
_MOVING = frozenset({Phase.BODY, Phase.TRANSFER, Phase.LINGER})


class Peers:
    """The set of live connections. All methods are safe to call from several threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_user: dict[str, set[Peer]] = {}
        self._by_network: dict[str, set[Peer]] = {}
        self._counts: dict[Standing, Counter[str]] = {standing: Counter() for standing in Standing}
        self._size = 0
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)

    def __len__(self) -> int:
        return self._size

    def admit(self, peer: Peer) -> bool:
        """Register `peer`, dropping another one if necessary. False when it is over a limit and no other can be dropped."""
        limits = self._limits
        with self._lock:
            place = self._by_network.get(peer.network, ())
            if len(place) >= limits.connections_per_address and not self._evict(_STRANGERS, place):
                if not self._evict({Standing.KNOWN}, place):
                    return False
            elif (
                peer.standing is Standing.UNFINISHED and self._counts[Standing.UNFINISHED].total() >= limits.handshakes
            ):
                self._evict({Standing.UNFINISHED})
            elif sum(self._counts[standing].total() for standing in _STRANGERS) >= limits.strangers:
                self._evict(_STRANGERS)
            if self._size >= limits.connections and not self._evict(_STRANGERS) and not self._evict({Standing.KNOWN}):
                return False
            self._by_network.setdefault(peer.network, set()).add(peer)
            self._counts[peer.standing][peer.network] += 1
            self._size += 1
            return True

    def set_standing(self, peer: Peer, standing: Standing, user: str = "") -> None:
        """Set the standing and user of `peer`. A user with too many connections loses an idle or slow one, else this one."""
        if peer.standing is standing and peer.user == user:
            return
        with self._lock:
            if peer not in self._by_network.get(peer.network, ()):
                return
            self._count_out(peer)
            self._remove_from_user(peer)
            peer.standing, peer.user = standing, user
            self._counts[standing][peer.network] += 1
            if not user:
                return
            others = self._by_user.setdefault(user, set())
            if len(others) >= self._limits.connections_per_user:
                spared = (other for other in others if other.phase is Phase.IDLE or other.hurried)
                self._drop(min(spared, key=lambda other: (_RANK.get(other.phase, 1), other.since), default=peer))
            if peer in self._by_network.get(peer.network, ()):
                self._by_user.setdefault(user, set()).add(peer)

    def leave(self, peer: Peer) -> None:
        """Unregister `peer`. Call it before closing its socket: `abort` must not reach a descriptor that has been reused."""
        with self._lock:
            self._remove(peer)

    def abort(self, *phases: Phase) -> None:
        """Abort the connections in one of `phases`; without arguments, all of them."""
        with self._lock:
            for peer in self._all():
                if not phases or peer.phase in phases:
                    peer.abort()

    def wait_empty(self, seconds: float) -> bool:
        """Wait until no connection is left; False after `seconds`."""
        with self._lock:
            return self._empty.wait_for(lambda: not self._size, timeout=seconds)

    def enforce_deadlines(self) -> None:
        """Abort connections past their deadline, and strangers' transfers beyond their limit."""
        now = time.monotonic()
        with self._lock:
            moving = Counter[str]()
            for peer in self._all():
                if self._overdue(peer, now):
                    log.debug("gateway.dropped phase=%s", peer.phase.value)
                    peer.abort()
                elif peer.standing is not Standing.KNOWN and peer.phase in {Phase.TRANSFER, Phase.LINGER}:
                    moving[peer.network] += 1
            while moving.total() > self._limits.stranger_transfers:
                network = moving.most_common(1)[0][0]
                moving[network] -= 1
                transfers = (
                    peer
                    for peer in self._by_network[network]
                    if peer.standing is not Standing.KNOWN and peer.phase in {Phase.TRANSFER, Phase.LINGER}
                )
                if victim := min(transfers, key=lambda peer: peer.since, default=None):
                    self._drop(victim)

    def _overdue(self, peer: Peer, now: float) -> bool:
        limits, phase, elapsed = self._limits, peer.phase, now - peer.since
        if phase in _MOVING:
            try:
                silent, moved = peer.measure(now)
            except OSError:
                return False  # just closed
            if silent > (limits.linger if phase is Phase.LINGER else limits.stall):
                return True
            if peer.standing is not Standing.KNOWN:
                return elapsed > limits.stranger_time + moved / limits.stranger_rate
            return peer.hurried and elapsed > limits.known_time + moved / limits.known_rate
        return {
            Phase.HANDSHAKE: elapsed > limits.handshake,
            Phase.HEAD: elapsed > limits.head,
            Phase.IDLE: elapsed > (limits.idle_costly if peer.costly else limits.idle),
        }.get(phase, False)

    def _evict(self, standings: Iterable[Standing], place: Iterable[Peer] = ()) -> bool:
        """Drop one peer of `standings`, from `place` or else from the networks with the most of them; False when there is none."""
        standings = frozenset(standings)
        victim = self._victim(place or self._largest(standings), standings)
        if victim is None and not place:
            victim = self._victim(self._all(), standings)
        if victim is None:
            return False
        self._drop(victim)
        return True

    def _largest(self, standings: frozenset[Standing]) -> Iterable[Peer]:
        counts: Counter[str] = Counter()
        for standing in standings:
            counts.update(self._counts[standing])
        most = max(counts.values(), default=0)
        return (peer for network, count in counts.items() if count == most for peer in self._by_network[network])

    def _all(self) -> Iterable[Peer]:
        return (peer for place in self._by_network.values() for peer in place)

    def _drop(self, peer: Peer) -> None:
        self._remove(peer)
        peer.abort()

    def _remove(self, peer: Peer) -> None:
        place = self._by_network.get(peer.network, set())
        if peer not in place:
            return
        place.remove(peer)
        if not place:
            del self._by_network[peer.network]
        self._count_out(peer)
        self._remove_from_user(peer)
        self._size -= 1
        if not self._size:
            self._empty.notify_all()

    def _count_out(self, peer: Peer) -> None:
        counter = self._counts[peer.standing]
        counter[peer.network] -= 1
        if not counter[peer.network]:
            del counter[peer.network]

    def _remove_from_user(self, peer: Peer) -> None:
        others = self._by_user.get(peer.user, set())
        others.discard(peer)
        if not others:
            self._by_user.pop(peer.user, None)

    def _victim(self, peers: Iterable[Peer], standings: frozenset[Standing]) -> Peer | None:
        """The peer to drop: lowest standing; then of the user with the most connections; then idle, other, being answered; then the
        oldest.
        """
        slow = time.monotonic() - self._limits.stranger_time
        expendable = (
            peer
            for peer in peers
            if peer.standing in standings
            and (peer.standing < Standing.KNOWN or peer.phase is Phase.IDLE or (peer.hurried and peer.since < slow))
        )
        return min(
            expendable,
            key=lambda peer: (
                peer.standing,
                -len(self._by_user.get(peer.user, ())),
                _RANK.get(peer.phase, 1),
                peer.since,
            ),
            default=None,
        )
