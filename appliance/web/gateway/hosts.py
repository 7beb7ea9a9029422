"""The names this server answers to."""

from __future__ import annotations

from collections.abc import Iterable

LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})


def host_name(host: str) -> str:
    """The name in a Host header, in lower case, without port and final dot: ``"DCOR.example.org.:8443"`` → ``"dcor.example.org"``."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0].rstrip(".")


class Hosts:
    """The accepted names: those of the certificate, and the machine itself."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = LOCAL | {_bracketed(name.lower().rstrip(".")) for name in names}

    def accept(self, host: str) -> bool:
        """Whether a request for `host` (a Host header) is meant for us. ``*.example.org`` accepts one label."""
        name = host_name(host)
        return name in self._names or f"*.{name.partition('.')[2]}" in self._names


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
