"""Protection against cross-site request forgery by the headers with which browsers declare a request's origin, without tokens in
forms.

A change authorised by a cookie is accepted only when the browser declares that it comes from this site (`Sec-Fetch-Site`), or
when its `Origin` is this site. Requests with an API token need no check: another site cannot add the token.
"""

from __future__ import annotations

from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSAL = "This change was requested by another site. Open the page here and try again."
_DEFAULT_PORTS = {"https": 443, "http": 80}


def refusal(
    method: str,
    *,
    sec_fetch_site: str | None,
    origin: str | None,
    host: str | None,
    scheme: str = "https",
    changes: bool = False,
) -> str | None:
    """Return why a cookie-authorised request must be refused, None when it is accepted.

    The arguments are the headers `Sec-Fetch-Site`, `Origin` and `Host` as received, and the scheme it came by. A
    request with neither of the first two does not come from a browser of this decade, hence from no foreign site.

    :param changes: the request changes something whatever its method. Then one that browsers make of any link or picture
        (GET) must be declared to come from this very site: a link in a mail is "none", and old browsers say nothing.
    """
    safe = method.upper() in SAFE_METHODS
    if safe and not changes:
        return None
    passing = {"same-origin"} if safe else {"same-origin", "none"}
    if sec_fetch_site:
        return None if sec_fetch_site.strip().lower() in passing else _REFUSAL
    if origin is None:
        return _REFUSAL if safe else None
    ours = _origin(f"{scheme}://{host}") if host else None
    return None if ours is not None and _origin(origin) == ours else _REFUSAL


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin; None for "null" and invalid values."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port
