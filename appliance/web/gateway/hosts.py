"""The host names this server accepts."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HOST = re.compile(r"([^\[\]:/@\s]+|\[[0-9a-f:.]+\])(?::[0-9]{0,5})?")
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})


def host_name(host: str) -> str:
    """The name in a Host header, in lower case, without port and final dot: ``"DCOR.example.org.:8443"`` → ``"dcor.example.org"``.

    "" for what is none, such as ``"localhost:80@elsewhere.org"``.
    """
    found = _HOST.fullmatch(host.strip().lower())
    return found[1].rstrip(".") if found else ""


class Hosts:
    """The accepted names: those of the certificate, and the machine itself."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = LOCAL | {_bracketed(name.lower().rstrip(".")) for name in names}

    def accept(self, host: str) -> bool:
        """Whether `host` (a Host header) is an accepted name. ``*.example.org`` accepts one label."""
        name = host_name(host)
        return name in self._names or f"*.{name.partition('.')[2]}" in self._names


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
