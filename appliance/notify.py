"""Messages to systemd (sd_notify): ready, alive, stopping. Without systemd they are dropped.

The protocol is a datagram to the socket named by ``NOTIFY_SOCKET``; see sd_notify(3).
"""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger(__name__)


def ready() -> None:
    """The service answers requests."""
    _send("READY=1")


def alive() -> None:
    """The service is alive: reset systemd's watchdog."""
    _send("WATCHDOG=1")


def stopping() -> None:
    """The service is about to end."""
    _send("STOPPING=1")


def watchdog_interval() -> float | None:
    """Seconds between two resets of the watchdog, with a margin; None when there is no watchdog."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    return int(microseconds) / 2e6 if microseconds else None


def _send(message: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.send(message.encode())
    except OSError as error:  # the service does not end because nobody listens
        log.warning("notify.failed error=%s", type(error).__name__)
