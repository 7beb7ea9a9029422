"""The slot for short work on the processor: one thread at a time.

Threads that compute at once only take the interpreter's lock from each other: eight clients then get half of the answers a second
that one gets, and twenty readers of file ranges a third of them. So a thread takes the slot for short work, from the moment the
request is understood to the moment its answer has left or has to wait for the peer, the disk or a child. Whoever waits goes in order,
but never for long: after `_PATIENCE` it goes ahead without the slot, so that one slow query cannot hold up the others.

(Measured with `bench.throughput` and `bench.transfer`; two slots are no faster than one on two cores.)
"""

from __future__ import annotations

import threading
from collections import deque

#: Longest wait for the slot [s].
_PATIENCE = 0.1


class _ThisThread(threading.local):
    """Does this thread hold the slot?"""

    held = False


_this_thread = _ThisThread()
_guard = threading.Lock()
_waiting: deque[threading.Lock] = deque()
_taken = False


def acquire() -> None:
    """Wait for the slot, for `_PATIENCE` at most. No-op if this thread holds it already."""
    global _taken
    if _this_thread.held:
        return
    with _guard:
        if not _taken:
            _taken = _this_thread.held = True
            return
        ticket = threading.Lock()
        ticket.acquire()
        _waiting.append(ticket)
    if ticket.acquire(timeout=_PATIENCE):
        _this_thread.held = True
        return
    with _guard:
        try:
            _waiting.remove(ticket)
        except ValueError:  # the slot was handed over in this moment
            _this_thread.held = True


def release() -> None:
    """Give the slot to the next thread; to be called before anything that may wait. No-op if the slot is not held."""
    global _taken
    if not _this_thread.held:
        return
    _this_thread.held = False
    with _guard:
        if _waiting:
            _waiting.popleft().release()
        else:
            _taken = False
