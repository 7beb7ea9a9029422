"""The worker threads, and in which order waiting connections get one.

Connections with received data wait in lanes, one for each network and standing, which are served round-robin: a client alone in
its network waits for a few others, not for the hundreds of a busy network. The number of requests computed at once is limited,
more strictly for strangers. A request that has run for a while (waiting for a child or the disk) or transfers a body does not
count.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable

from appliance.web.gateway.connection import Next
from appliance.web.gateway.limits import Limits
from appliance.web.gateway.peer import Peer, Phase, Standing

log = logging.getLogger(__name__)

_IDLE_SECONDS = 10.0
_COMPUTING = frozenset({Phase.HANDSHAKE, Phase.HEAD, Phase.BODY, Phase.HANDLER})

_Lane = tuple[str, bool]


class Workers:
    """A thread pool that grows to the number of connections being served.

    :param park: hands a connection to the selector; :param end: closes one.
    """

    def __init__(self, limits: Limits, park: Callable[[Peer], None], end: Callable[[Peer], None]) -> None:
        self._limits = limits
        self._park = park
        self._end = end
        self._lanes: dict[_Lane, deque[Peer]] = {}
        self._order: deque[_Lane] = deque()
        self._active: set[Peer] = set()
        self._idle: list[queue.SimpleQueue[Peer | None]] = []
        self._lock = threading.Lock()
        self._stopped = False
        self.threads = 0

    def crowded(self) -> bool:
        """Are connections waiting for a worker?"""
        return bool(self._order)

    @property
    def busy(self) -> bool:
        """Is a connection being served?"""
        return bool(self._active)

    def submit(self, peer: Peer) -> None:
        """Queue `peer` to be served."""
        lane = peer.network, peer.standing is Standing.KNOWN
        with self._lock:
            waiting = self._lanes.get(lane)
            if waiting is None:
                self._lanes[lane] = waiting = deque()
                self._order.append(lane)
            waiting.append(peer)
        self.dispatch()

    def dispatch(self) -> None:
        """Give workers to waiting connections, as far as the limits permit."""
        while True:
            with self._lock:
                peer = self._take()
                if peer is None:
                    return
                inbox = self._idle.pop() if self._idle else None
                if inbox is None:
                    self.threads += 1
            if inbox is not None:
                inbox.put(peer)
            elif not self._start(peer):
                return

    def stop(self) -> None:
        """Stop idle threads now, and the others when they finish."""
        with self._lock:
            self._stopped = True
            while self._idle:
                self._idle.pop().put(None)

    def _start(self, peer: Peer) -> bool:
        try:
            threading.Thread(target=self._work, args=(peer,), name="gateway-worker", daemon=True).start()
        except RuntimeError:  # the system cannot start another thread
            log.warning("gateway.exhausted error=threads threads=%d", self.threads)
            with self._lock:
                self.threads -= 1
                self._active.discard(peer)
            self._end(peer)
            return False
        return True

    def _take(self) -> Peer | None:
        """The next peer to serve: lanes round-robin, those of strangers only while few strangers are being served."""
        if not self._order:
            return None
        limits, known, strangers = self._limits, 0, 0
        if len(self._active) >= limits.running_strangers:
            now = time.monotonic()
            for peer in self._active:
                if peer.phase in _COMPUTING and now - max(peer.since, peer.dispatched) < limits.patience:
                    if peer.standing is Standing.KNOWN:
                        known += 1
                    else:
                        strangers += 1
            if known + strangers >= limits.running:
                return None
        for _ in range(len(self._order)):
            lane = self._order[0]
            self._order.rotate(-1)
            if not lane[1] and strangers >= limits.running_strangers:
                continue
            waiting = self._lanes[lane]
            peer = waiting.popleft()
            if not waiting:
                del self._lanes[lane]
                self._order.remove(lane)
            peer.dispatched = time.monotonic()
            self._active.add(peer)
            return peer
        return None

    def _work(self, peer: Peer | None) -> None:
        """Thread main: serve the given connection, then wait for more."""
        inbox: queue.SimpleQueue[Peer | None] = queue.SimpleQueue()
        while peer is not None:
            try:
                usable = self._serve(peer)
            except Exception:  # without this, the connection would stay open with no thread to serve it
                log.exception("gateway.worker_failed")
                usable = False
                self._end(peer)
            peer = self._next(inbox) if usable else None
        with self._lock:
            self.threads -= 1
        self.dispatch()

    def _serve(self, peer: Peer) -> bool:
        """Serve one connection; False when the thread cannot be reused."""
        connection = peer.connection
        outcome = connection.run()
        usable = not connection.priority_lowered
        peer.costly = connection.costly
        with self._lock:
            self._active.discard(peer)  # from here on another worker may serve it
        if outcome is Next.CLOSE:
            self._end(peer)
        elif outcome is Next.AGAIN:
            self.submit(peer)
        else:
            self._park(peer)
        return usable

    def _next(self, inbox: queue.SimpleQueue[Peer | None]) -> Peer | None:
        """The next connection to serve; None after a timeout."""
        with self._lock:
            peer = self._take()
            if peer is not None or self._stopped:
                return peer
            self._idle.append(inbox)
        return self._wait(inbox)

    def _wait(self, inbox: queue.SimpleQueue[Peer | None]) -> Peer | None:
        try:
            return inbox.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            with self._lock:
                if inbox in self._idle:
                    self._idle.remove(inbox)
                    return None
            return inbox.get()  # a connection was assigned between the timeout and the lock
