"""The gateway's limits on what one peer and all peers can use."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.web.gateway.proxies import Proxies


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes [bytes], counts and times [s] of the gateway.

    `stall` and `linger` are limits on silence, not on duration: the transfer of a known client (one with a valid credential)
    may take days as long as bytes move, if it carries a file. Its other messages may take `known_time` and a second for each
    `known_rate` bytes. A stranger's message may take `stranger_time` and a second for each `stranger_rate` bytes.
    """

    connections: int = 1024
    #: of one network: an IPv4 address (or `ipv4_prefix` bits of it), or the /64 of an IPv6 address
    connections_per_address: int = 512
    ipv4_prefix: int = 32
    #: whose `X-Forwarded-For` is believed, and whose connections are of many clients
    proxies: Proxies = field(default_factory=Proxies)
    handshake: float = 20.0
    head: float = 10.0
    idle: float = 75.0
    #: of a connection whose buffers have grown large
    idle_costly: float = 15.0
    stall: float = 60.0
    linger: float = 10.0
    stranger_time: float = 20.0
    stranger_rate: int = 256
    known_time: float = 120.0
    known_rate: int = 64
    #: strangers whose transfers hold a thread
    stranger_transfers: int = 256
    #: requests that are computed at once; those of strangers. What takes longer than `patience` no longer counts
    running: int = 64
    running_strangers: int = 16
    patience: float = 0.25
    #: a worker waits so long for the next bytes of a connection before it hands it back to the selector
    attention: float = 0.1
    tick: float = 1.0
    head_size: int = 65536
    line_size: int = 32768
    header_count: int = 100
    #: bodies up to this size are received before the handler is called, without a thread
    collected_body: int = 16384
    #: bodies above this size are bulk: their thread steps back behind everything else that wants a processor
    bulk: int = 16 << 20
    #: a body that its handler left unread is read to its end up to this size, so that the connection can be kept
    drain: int = 65536
    #: and up to this size before the connection is closed: DCOR-Aid reads no answer before it has sent everything, and
    #: a reset in between would hide from it why it was refused. The bytes are dropped undecrypted
    linger_size: int = 128 << 30

    @property
    def handshakes(self) -> int:
        """Connections that may be in the TLS handshake at once: a quarter of all."""
        return max(16, self.connections // 4)

    @property
    def connections_per_user(self) -> int:
        """Connections of one user at once, from any addresses: a quarter of all."""
        return max(16, self.connections // 4)

    @property
    def strangers(self) -> int:
        """Connections without a valid credential at once, including those in the handshake: three quarters of all."""
        return max(16, self.connections * 3 // 4)
