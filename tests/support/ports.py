"""Ports and loopback addresses that nobody else on this machine uses: tests run beside services on the usual ones."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on at the moment, for a server that is about to start."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def unused_port() -> Iterator[int]:
    """A port that refuses connections as long as the context lasts: bound, so that nobody can listen on it, but not listening."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        yield int(held.getsockname()[1])


def own_loopback() -> str:
    """A loopback address of this process, for tests of a fixed port: two test processes do not want the same one."""
    process = os.getpid()
    return f"127.{1 + (process >> 16) % 254}.{(process >> 8) % 256}.{1 + process % 254}"
