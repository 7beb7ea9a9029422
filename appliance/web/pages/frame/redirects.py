"""Targets of redirects: only pages of this site."""

from __future__ import annotations

from urllib.parse import urlsplit


def local_path(target: str, default: str = "/") -> str:
    """`target` if it is a path of this site, else `default`."""
    if (
        not target.startswith("/")
        or target.startswith(("//", "/\\"))
        or any(ord(character) < 32 for character in target)
        or "\\" in target
    ):
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else default
