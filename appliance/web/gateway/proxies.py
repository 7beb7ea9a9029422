"""Trusted reverse proxies: `X-Forwarded-For` is honoured only from them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from appliance.model.problem import Problem, invalid
from appliance.web.http import Headers

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
#: Headers by which proxies announce a path prefix.
_PREFIXES = ("X-Forwarded-Prefix", "X-Script-Name")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The addresses of trusted proxies; without any, forwarding headers are ignored."""

    networks: tuple[_Network, ...] = ()

    def client(self, address: str, headers: Headers) -> str:
        """The client address of a request: that of the connection, or the last one in `X-Forwarded-For` that is not a trusted proxy's."""
        if not self.networks or not self.trusts(address):
            return address
        hops = [hop.strip() for line in headers.get_all("X-Forwarded-For") for hop in line.split(",")]
        for hop in reversed(hops):
            found = _address(hop)
            if found is None:
                return address  # entries before a malformed one are not trusted
            if not any(found in network for network in self.networks):
                return str(found)
            address = str(found)
        return address

    def trusts(self, address: str) -> bool:
        """Is this the address of a trusted proxy?"""
        found = _address(address)
        return found is not None and any(found in network for network in self.networks)

    def check(self, address: str, headers: Headers) -> None:
        """Raise Problem 400 when a trusted proxy serves this site under a path prefix: the URLs in responses would not lead here."""
        if not self.networks or not self.trusts(address):
            return
        for name in _PREFIXES:
            prefix = (headers.get(name) or "").strip("/ ")
            if prefix:
                raise Problem(
                    400,
                    "Bad Request",
                    message=f"The proxy serves this appliance below /{prefix}. It needs a host name of its own, without a path: DCOR-Aid and "
                    "dclab know no others.",
                )


def parse(text: str) -> Proxies:
    """Parse a setting: addresses or networks, separated by commas. Raises Problem 409."""
    found = []
    for part in text.replace(";", ",").split(","):
        if part.strip():
            try:
                found.append(ipaddress.ip_network(part.strip(), strict=False))
            except ValueError as error:
                raise invalid(
                    message=f"server.trusted_proxies: '{part.strip()}' is no address or network, such as 10.0.0.5 or 10.0.0.0/28."
                ) from error
    return Proxies(tuple(found))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Parse an address as proxies write it: bare, in brackets, or with a port."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
