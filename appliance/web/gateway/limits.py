"""The numbers that bound what a peer can make the gateway hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes [bytes], counts and times [s] of the gateway.

    `stall` and `linger` are limits on silence, not on duration: a transfer may take days as long as bytes move.
    """

    connections: int = 1024
    connections_per_address: int = 512
    handshake: float = 20.0
    head: float = 10.0
    idle: float = 75.0
    stall: float = 60.0
    linger: float = 10.0
    tick: float = 1.0
    head_size: int = 65536
    line_size: int = 32768
    header_count: int = 100
    #: bodies above this size are bulk: their thread steps back behind everything else that wants a processor
    bulk: int = 16 << 20
    #: a body that its handler left unread is read to its end up to this size, so that the connection can be kept
    drain: int = 65536
    #: and up to this size before the connection is closed: DCOR-Aid reads no answer before it has sent everything, and
    #: a reset in between would hide from it why it was refused. The bytes are dropped undecrypted
    linger_size: int = 128 << 30
