"""Signed URLs: the permission for one path, until one moment, for one purpose, in the query string.

A client that follows such a URL sends no token (dclab's HTTP basins and DCOR-Aid's part uploads do not), so the URL itself
carries the permission. The path is the same in every signature, because clients build cache keys from it; everything that
varies is in the query.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote_to_bytes, urlencode

#: A signed URL is valid for at least this long [s]: dclab keeps using the URLs of an opened dataset for an hour.
MIN_LIFETIME = 3600
#: Expiry times are rounded to this fraction of the lifetime, so that a URL stays equal (and cacheable) for a while.
GRID_STEPS = 5
EXPIRES = "expires"
SIGNATURE = "signature"

_RESERVED = frozenset({EXPIRES, SIGNATURE})
_EXPIRES_FORM = re.compile(r"[0-9]{1,12}")
_SIGNATURE_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


class Purpose(enum.StrEnum):
    """What a signature permits. Each purpose has its own key: a download URL never verifies as an upload URL."""

    DOWNLOAD = "download"
    UPLOAD = "upload"


class SignatureError(ValueError):
    """A signed URL was refused. `reason` is "missing", "malformed", "invalid" or "expired"."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Signer:
    """Signs and checks URLs with HMAC-SHA256. `secret` is 32 random bytes or more; raises ValueError for less."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("The signing secret must have at least 32 bytes.")
        self._keys = {
            purpose: hmac.digest(secret, b"dcor signed url 1\0" + purpose.encode(), hashlib.sha256)
            for purpose in Purpose
        }

    def sign(
        self,
        path: str,
        *,
        expires: int,
        claims: Mapping[str, str] | None = None,
        purpose: Purpose = Purpose.DOWNLOAD,
    ) -> str:
        """Return the query string (without "?") that permits `path` until `expires` [Unix s].

        `path` begins with "/" and has no query. `claims` (for example `{"user": id}`) appear in the query, are covered
        by the signature and come back from `verify`. Equal input gives equal output. Raises ValueError for a bad path
        or a claim named "expires" or "signature".
        """
        claims = dict(claims or {})
        if _RESERVED & claims.keys():
            raise ValueError("A claim must not be called 'expires' or 'signature'.")
        if expires < 0:
            raise ValueError("The expiry time must not be negative.")
        signature = self._signature(path, str(int(expires)), claims, purpose)
        return urlencode([*sorted(claims.items()), (EXPIRES, int(expires)), (SIGNATURE, signature)], quote_via=quote)

    def presign(
        self,
        path: str,
        *,
        now: float,
        lifetime: int = MIN_LIFETIME,
        claims: Mapping[str, str] | None = None,
        purpose: Purpose = Purpose.DOWNLOAD,
    ) -> str:
        """Return `path?query`, valid for `lifetime` to 1.2 × `lifetime` seconds from `now` [Unix s].

        The result stays the same for a fifth of the lifetime, so answers that hold it can be cached.
        """
        expires = quantised_expiry(now, lifetime)
        return f"{path}?{self.sign(path, expires=expires, claims=claims, purpose=purpose)}"

    def verify(
        self,
        path: str,
        query: Mapping[str, str] | Iterable[tuple[str, str]],
        now: float,
        *,
        purpose: Purpose = Purpose.DOWNLOAD,
    ) -> dict[str, str]:
        """Return the claims of a signed URL; raise SignatureError when it does not permit `path` at `now` [Unix s].

        `query` holds the decoded parameters: all of them are covered, so an added, doubled or changed one is refused.
        """
        pairs = list(query.items()) if isinstance(query, Mapping) else list(query)
        values = dict(pairs)
        if SIGNATURE not in values or EXPIRES not in values:
            raise SignatureError("missing", "The address carries no signature.")
        signature, expires = values.pop(SIGNATURE), values.pop(EXPIRES)
        if len(values) + 2 != len(pairs) or not _EXPIRES_FORM.fullmatch(expires):
            raise SignatureError("malformed", "The signature of the address is malformed.")
        if not _SIGNATURE_FORM.fullmatch(signature):
            raise SignatureError("malformed", "The signature of the address is malformed.")
        try:
            expected = self._signature(path, expires, values, purpose)
        except ValueError as error:
            raise SignatureError("malformed", "The signature of the address is malformed.") from error
        if not hmac.compare_digest(expected, signature):
            raise SignatureError("invalid", "The signature of the address does not match.")
        if now >= int(expires):
            raise SignatureError("expired", "The address has expired. Ask the server for a new one.")
        return values

    def _signature(self, path: str, expires: str, claims: Mapping[str, str], purpose: Purpose) -> str:
        fields = [canonical_path(path), expires]
        for name, value in sorted(claims.items()):
            fields += [name, value]
        message = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (field.encode() for field in fields))
        digest = hmac.digest(self._keys[purpose], message, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def quantised_expiry(now: float, lifetime: int = MIN_LIFETIME) -> int:
    """Return an expiry time [Unix s] at least `lifetime` seconds after `now`, on a grid of a fifth of the lifetime.

    Raises ValueError when `lifetime` is shorter than an hour.
    """
    if lifetime < MIN_LIFETIME:
        raise ValueError(f"A signed address lives at least {MIN_LIFETIME} s.")
    step = lifetime // GRID_STEPS
    return -(-(int(now) + 1 + lifetime) // step) * step


def canonical_path(path: str) -> str:
    """Return `path` in one percent-encoding: clients re-encode addresses ("ü", "%7E") before they send them.

    An encoded slash stays distinct from a separator. Raises ValueError for a path that does not begin with "/" or has
    a query or fragment.
    """
    if not path.startswith("/") or "?" in path or "#" in path:
        raise ValueError("A signed path begins with '/' and has neither query nor fragment.")
    return "/".join(quote(unquote_to_bytes(part), safe="") for part in path.split("/"))
