"""API tokens: their format, what is stored of them, and how a request presents one."""

from __future__ import annotations

import hashlib
import secrets
import string
import uuid
from collections.abc import Callable

#: What a token may be used for; each includes the ones before it.
SCOPES = ("read", "write", "admin")
#: Longest credential that is examined [characters].
LONGEST = 512

_RANDOM_BYTES = 33  # 44 characters; clients take 36 characters for an old-style key and mangle it
_EDGES = frozenset(string.ascii_letters + string.digits)


def new_token() -> tuple[str, bytes, str]:
    """Return a new `(token, hash, id)`.

    The token has 44 characters of `[A-Za-z0-9_-]` and more than 256 bits. It has no fixed prefix, as known text would
    help to open an access file without its passphrase, and begins and ends with a letter or digit, so that no shell
    takes it for an option and no double click misses its end. Store the hash and the id, never the token.
    """
    token = secrets.token_urlsafe(_RANDOM_BYTES)
    while token[0] not in _EDGES or token[-1] not in _EDGES:
        token = secrets.token_urlsafe(_RANDOM_BYTES)
    return token, token_hash(token), str(uuid.uuid4())


def token_hash(token: str) -> bytes:
    """Return the SHA-256 (32 bytes) under which a token is stored and found.

    A plain hash suffices: nobody can try 2^256 tokens, and requests must not wait for a slow one.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def allows(scope: str, needed: str) -> bool:
    """Return whether a token of `scope` may be used for what needs `needed`. Raises ValueError for unknown scopes."""
    return SCOPES.index(scope) >= SCOPES.index(needed)


def presented(header: Callable[[str], str | None]) -> str | None:
    """Return the token that a request presents, None for an anonymous one.

    `header` looks up a header by its lower-case name. `Authorization` comes first, then `X-CKAN-API-Key` (all that
    clients of 2021 send). Both carry the bare token; a leading "Bearer " is tolerated, an empty value means anonymous.
    """
    for name in ("authorization", "x-ckan-api-key"):
        token = parse_credential(header(name))
        if token is not None:
            return token
    return None


def parse_credential(value: str | None) -> str | None:
    """Return the token in one header value; None when there is none, it is another scheme's, or absurdly long."""
    value = (value or "").strip()
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "bearer":
        value = rest.strip()
    return value if len(value) <= LONGEST and value.split() == [value] else None
