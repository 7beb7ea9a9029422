"""The CPU slot: one thread at a time does short computations.

Threads that compute at the same time compete for the GIL: eight clients then get half as many responses per second as one, and
twenty readers of file ranges a third. So a thread holds the slot for short work, from the parsed request until the response has
been sent or it has to wait for the peer, the disk or a child. Waiting threads are served in order, but only for a limited time:
after `_PATIENCE` a thread continues without the slot, so that one slow query cannot block the others.

(Measured with `bench.throughput` and `bench.transfer`; two slots are no faster than one on two cores.)
"""

from __future__ import annotations

import threading
from collections import deque

#: Longest wait for the slot [s].
_PATIENCE = 0.1


class _ThisThread(threading.local):
    """Whether this thread holds the slot."""

    held = False


_this_thread = _ThisThread()
_guard = threading.Lock()
_waiting: deque[threading.Lock] = deque()
_taken = False


def acquire() -> None:
    """Wait for the slot, at most `_PATIENCE`. No-op if this thread holds it."""
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
        except ValueError:  # the slot was handed over between the timeout and the lock
            _this_thread.held = True


def release() -> None:
    """Release the slot; call it before anything that may block. No-op if the slot is not held."""
    global _taken
    if not _this_thread.held:
        return
    _this_thread.held = False
    with _guard:
        if _waiting:
            _waiting.popleft().release()
        else:
            _taken = False
