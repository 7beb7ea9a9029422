"""The front door: TLS, connections, deadlines, strict HTTP/1.1; everything else happens behind it.

A thread per live connection with blocking sockets. Measured against an event loop, this keeps the latency of small
requests low while bulk bytes move, because TLS, hashing and file reads all run outside of the interpreter's lock.
"""

from appliance.web.gateway.limits import Limits
from appliance.web.gateway.server import Gateway

__all__ = ["Gateway", "Limits"]
