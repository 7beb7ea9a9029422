"""Short work, one at a time.

Threads that compute at once only take the interpreter's lock from each other: eight clients then get half of the answers a second
that one gets, and twenty readers of file ranges a third of them. So a thread takes a turn for short work, from the moment the
request is understood to the moment its answer has left or has to wait for the peer, the disk or a child. Whoever waits goes in order,
but never for long: after `_PATIENCE` it goes ahead without a turn, so that one slow query cannot hold up the others.

(Measured with `bench.throughput` and `bench.transfer`; two turns at once are no faster than one on two cores.)
"""

from __future__ import annotations

import threading
from collections import deque

#: Longest wait for one's turn [s].
_PATIENCE = 0.1


class _Held(threading.local):
    """Does this thread have the turn?"""

    turn = False


_held = _Held()
_guard = threading.Lock()
_waiting: deque[threading.Lock] = deque()
_taken = False


def acquire() -> None:
    """Go on when it is this thread's turn, or after `_PATIENCE`. Nothing happens to a thread that has the turn already."""
    global _taken
    if _held.turn:
        return
    with _guard:
        if not _taken:
            _taken = _held.turn = True
            return
        ticket = threading.Lock()
        ticket.acquire()
        _waiting.append(ticket)
    if ticket.acquire(timeout=_PATIENCE):
        _held.turn = True
        return
    with _guard:
        try:
            _waiting.remove(ticket)
        except ValueError:  # the turn came in this very moment
            _held.turn = True


def release() -> None:
    """Let the next one have its turn; to be called before anything that may wait. Harmless without a turn."""
    global _taken
    if not _held.turn:
        return
    _held.turn = False
    with _guard:
        if _waiting:
            _waiting.popleft().release()
        else:
            _taken = False
