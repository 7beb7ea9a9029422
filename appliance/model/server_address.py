"""The address of another server, and which redirections of it are followed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from appliance.model.messages import Message
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
    address = split(whole)
    if address is None:
        raise invalid(
            message=Message("'%(text)s' is not the address of a server, such as https://dcor.example.org.", text=text)
        )
    if address.scheme == "http" and not is_loopback(address.host):
        raise invalid(
            message=Message("%(url)s is not encrypted, so no token is sent to it; use https.", url=address.url)
        )
    return address


def redirected(source: Address, base: str, location: str, storage: frozenset[str]) -> tuple[Address, str]:
    """Where a redirection of `source` leads: (server, path with query). Raises Problem 502 for a place that was not allowed.

    :param base: URL that was asked; :param storage: names of the hosts (with ports) where the server may keep its files.
    """
    allow = "allow it: --files-from"
    return _permitted(source, urljoin(base, location), storage, does="redirects to", allow=allow)


def upload_place(target: Address, url: str, storage: frozenset[str]) -> tuple[Address, str]:
    """Where a file shall be put that goes to `target`: (server, path with query). Raises Problem 502 for a place that was not allowed.

    :param url: what `target` said; :param storage: names of the hosts (with ports) where it may take files.
    """
    allow = "an administrator allows it in the setting publish.storage:"
    return _permitted(target, url, storage, does="takes files at", allow=allow)


def _permitted(asked: Address, url: str, storage: frozenset[str], *, does: str, allow: str) -> tuple[Address, str]:
    """(server, path with query) of an address that `asked` named. Raises Problem 502 for a place that was not allowed."""
    place = split(url)
    if place is None:
        raise refused(Message("%(name)s %(does)s something that is not an address.", name=asked.name, does=does))
    if place.origin != asked.origin and place.name not in storage:
        raise refused(
            Message(
                "%(name)s %(does)s %(name_2)s. If that is its storage, %(allow)s %(name_2)s",
                name=asked.name,
                does=does,
                name_2=place.name,
                allow=allow,
            )
        )
    if place.scheme == "http" and not (asked.scheme == "http" and is_loopback(place.host)):
        raise refused(
            Message(
                "%(name)s %(does)s %(name_2)s without encryption, which is refused.",
                name=asked.name,
                does=does,
                name_2=place.name,
            )
        )
    parts = urlsplit(url)
    return place, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def refused(message: str) -> Problem:
    """502: the other server did not answer as it should."""
    return Problem(502, "Bad Gateway", message=message)


def is_loopback(host: str) -> bool:
    """Is this host this very machine?"""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def split(url: str) -> Address | None:
    """The server of an http(s) URL; None for anything else and for one with a user name or password."""
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
