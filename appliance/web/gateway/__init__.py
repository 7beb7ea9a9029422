"""The HTTP server: TLS, connections, deadlines, strict HTTP/1.1.

One thread (`selector`) accepts and holds every connection that waits for its peer; `workers` serve those on which something has
come, with blocking sockets, in turn by network. Measured against an event loop, this keeps the latency of small requests low while
bulk bytes move, because TLS, hashing and file reads all run outside of the interpreter's lock. `admission` decides who is dropped
when there are too many.
"""

from appliance.web.gateway.limits import Limits
from appliance.web.gateway.server import Gateway

__all__ = ["Gateway", "Limits"]
