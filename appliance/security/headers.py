"""Security headers of all responses, in one table."""

from __future__ import annotations

from collections.abc import Mapping

#: Nothing is allowed but what is here; no inline script or style, nothing from elsewhere. `data:` images are the
#: icons inside the style sheet, `blob:` ones are plots drawn by the page's own script.
PAGE_POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
#: For responses that no browser should render: a stored file must not execute anything.
DATA_POLICY: Mapping[str, str] = {"default-src": "'none'", "frame-ancestors": "'none'", "sandbox": ""}

_COMMON: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PAGE: Mapping[str, str] = {
    # "no-referrer" would make browsers send "Origin: null" with our own forms, which `csrf` refuses.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-Robots-Tag": "noindex, nofollow",
}
_HSTS = "max-age=31536000"
_CACHE: Mapping[str, str] = {
    "page": "no-cache, private",
    "api": "no-cache, private",
    "file": "private, no-cache",
    "static": "public, max-age=31536000, immutable",
}


def security_headers(kind: str, *, hsts: bool = False) -> dict[str, str]:
    """Return the headers of a response of `kind`: "page", "api", "file" (stored data) or "static" (own assets).

    Set `hsts` only for a real host name on port 443: the header binds every port of a name, and on `localhost` it
    would break whatever else runs there. A page that shows something secret sets `Cache-Control: no-store` over it.
    """
    policy = PAGE_POLICY if kind in {"page", "static"} else DATA_POLICY
    headers = {**_COMMON, "Cache-Control": _CACHE[kind], "Content-Security-Policy": csp(policy)}
    if kind == "page":
        headers |= _PAGE
    else:
        headers["Referrer-Policy"] = "no-referrer"
    if hsts:
        headers["Strict-Transport-Security"] = _HSTS
    return headers


def csp(policy: Mapping[str, str]) -> str:
    """Return a policy as the value of `Content-Security-Policy`."""
    return "; ".join(f"{name} {sources}".strip() for name, sources in policy.items())
