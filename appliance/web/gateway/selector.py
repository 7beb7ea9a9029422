"""The thread that waits on all idle connections: it accepts new ones and runs the periodic maintenance."""

from __future__ import annotations

import errno
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from appliance.threads import Loop
from appliance.web.gateway.peer import Peer

log = logging.getLogger(__name__)

_PARKED = select.EPOLLIN | select.EPOLLONESHOT
#: Connections accepted before events of open ones are handled again.
_ACCEPT_AT_ONCE = 64
#: Poll interval while connections wait for a worker [s].
_CROWDED = 0.01
#: Pause when the process has no descriptor left [s].
_EXHAUSTED = 0.05

#: Called with an accepted socket and the peer's address.
Welcome = Callable[[socket.socket, str], None]


class Selector:
    """Waits on all idle connections at once.

    A connection is either parked here or with a worker, never both: its event is delivered once and switches itself off, and
    `park` switches it on again.

    :param ready: is given a connection on which something has come; :param gone: one whose socket is shut down.
    :param crowded: do connections wait for a worker? Then `dispatch` is called every few milliseconds.
    :param maintain: called every `tick` seconds.
    :ivar loop: the thread.
    """

    def __init__(
        self,
        *,
        tick: float,
        ready: Callable[[Peer], None],
        gone: Callable[[Peer], None],
        crowded: Callable[[], bool],
        dispatch: Callable[[], None],
        maintain: Callable[[], None],
    ) -> None:
        self._tick = tick
        self._ready = ready
        self._gone = gone
        self._crowded = crowded
        self._dispatch = dispatch
        self._maintain = maintain
        self._epoll = select.epoll()
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wakeup, select.EPOLLIN)
        self._listeners: dict[int, tuple[socket.socket, Welcome]] = {}
        self._peers: dict[int, Peer] = {}
        self._accepting = True
        self._accepted_last = threading.Event()
        self._next_tick = 0.0
        self.loop = Loop("gateway-selector", self._turn, self._wake)

    def listen(self, listener: socket.socket, welcome: Welcome) -> None:
        """Accept from `listener`; to be called before `start`."""
        listener.setblocking(False)
        self._listeners[listener.fileno()] = listener, welcome
        self._epoll.register(listener.fileno(), select.EPOLLIN)

    def start(self) -> None:
        """Start the thread."""
        self.loop.start()

    def stop_accepting(self) -> None:
        """Close the listeners; returns when that is done."""
        if not self.loop.alive:
            self._close_listeners()
            return
        self._accepting = False
        self._wake()
        self._accepted_last.wait()

    def stop(self) -> None:
        """Stop the thread. Idempotent."""
        if self._epoll.closed:
            return
        self.loop.stop()
        self.loop.join()
        self._epoll.close()
        os.close(self._wakeup)

    def add(self, peer: Peer) -> None:
        """Watch a new connection."""
        self._peers[peer.sock.fileno()] = peer
        self._epoll.register(peer.sock.fileno(), _PARKED)

    def park(self, peer: Peer) -> None:
        """Watch a connection again that a worker has returned."""
        self._epoll.modify(peer.sock.fileno(), _PARKED)

    def forget(self, peer: Peer) -> None:
        """Call it before closing a connection's socket."""
        self._peers.pop(peer.sock.fileno(), None)

    def _wake(self) -> None:
        os.eventfd_write(self._wakeup, 1)

    def _turn(self) -> None:
        now = time.monotonic()
        if now >= self._next_tick:
            self._next_tick = now + self._tick
            self._maintain()
        wait = max(0.0, self._next_tick - now)
        if self._crowded():
            self._dispatch()
            wait = min(wait, _CROWDED)
        waiting = []
        for fd, event in self._epoll.poll(wait):
            if fd in self._listeners:
                waiting.append(
                    fd
                )  # last: a socket accepted now may get the descriptor of one whose event is in this list
            elif fd == self._wakeup:
                os.eventfd_read(fd)
            elif (peer := self._peers.get(fd)) is not None:
                (self._gone if event & (select.EPOLLHUP | select.EPOLLERR) else self._ready)(peer)
        if not self._accepting:
            self._close_listeners()
        for fd in waiting:
            if fd in self._listeners:
                self._accept(*self._listeners[fd])

    def _accept(self, listener: socket.socket, welcome: Welcome) -> None:
        for _ in range(_ACCEPT_AT_ONCE):
            try:
                sock, address = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    log.warning("gateway.exhausted error=%s", errno.errorcode[error.errno])
                    time.sleep(_EXHAUSTED)
                    return
                continue  # the peer has already closed
            welcome(sock, address[0].removeprefix("::ffff:"))

    def _close_listeners(self) -> None:
        for listener, _ in self._listeners.values():
            with suppress(OSError):
                listener.close()
        self._listeners.clear()
        self._accepted_last.set()
