"""The address of another DCOR, and which redirections of it are followed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from appliance.model.problem import Problem, invalid
from appliance.model.values import is_host

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Address:
    """A server: scheme, host (small letters), port, and the path below which it lies ("" or "/…")."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        """What decides whether a credential may be sent there."""
        return self.scheme, self.host, self.port

    @property
    def name(self) -> str:
        """Host, with the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as text, without a slash at its end. It names the server in the database and in reports."""
        return f"{self.scheme}://{self.name}{self.path}"


def parse(text: str) -> Address:
    """The server that somebody typed; without a scheme: https. Raises Problem 409."""
    whole = text.strip() if "://" in text else f"https://{text.strip()}"
    address = _split(whole)
    if address is None:
        raise invalid(message=f"'{text}' is no address of a server; https://dcor.example.org is one.")
    if address.scheme == "http" and not is_loopback(address.host):
        raise invalid(message=f"{address.url} is not encrypted, so no token is sent there; use https.")
    return address


def redirected(source: Address, base: str, location: str, storage: frozenset[str]) -> tuple[Address, str]:
    """Where a redirection of `source` leads: (server, path with query). Raises Problem 502 for a place that was not allowed.

    :param base: URL that was asked; :param storage: names of the hosts (with ports) where the server may keep its files.
    """
    url = urljoin(base, location)
    target = _split(url)
    if target is None:
        raise refused(f"{source.name} redirects to something that is no address.")
    if target.origin != source.origin and target.name not in storage:
        raise refused(
            f"{source.name} keeps its files at {target.name}. If that is its storage, allow it: --files-from {target.name}"
        )
    if target.scheme == "http" and not (source.scheme == "http" and is_loopback(target.host)):
        raise refused(f"{source.name} redirects to {target.name} without encryption, which is not followed.")
    parts = urlsplit(url)
    return target, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def refused(message: str) -> Problem:
    """502: the other server did not answer as it should."""
    return Problem(502, "Bad Gateway", message=message)


def is_loopback(host: str) -> bool:
    """Is this host this very machine?"""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> Address | None:
    """The server of a URL, None for what is none (other schemes, names and passwords in it)."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or parts.username or parts.password:
        return None
    if not url.isprintable() or " " in url or not host.isascii() or not is_host(host):
        return None
    path = parts.path.rstrip("/").removesuffix("/api/3/action").removesuffix("/api/3")
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], path)
