"""Requests forged by other sites, and the headers that keep pages to themselves."""

from __future__ import annotations

import pytest

from appliance.security import csrf
from appliance.security.headers import security_headers

HOST = "dcor.clinic.example"


@pytest.mark.parametrize(
    ("method", "site", "origin", "host", "passes"),
    [
        ("GET", "cross-site", "https://evil.example", HOST, True),
        ("POST", "same-origin", None, HOST, True),
        ("POST", "none", None, HOST, True),
        ("POST", "same-site", f"https://{HOST}", HOST, False),
        ("POST", "cross-site", f"https://{HOST}", HOST, False),
        ("POST", "nonsense", None, HOST, False),
        ("DELETE", "cross-site", None, HOST, False),
        ("POST", None, f"https://{HOST}", HOST, True),
        ("POST", None, f"https://{HOST}:443", HOST.upper(), True),
        ("POST", None, f"https://{HOST}:8443", f"{HOST}:8443", True),
        ("POST", None, f"https://{HOST}:8443", HOST, False),
        ("POST", None, f"http://{HOST}", HOST, False),
        ("POST", None, f"https://{HOST}.evil.example", HOST, False),
        ("POST", None, f"https://{HOST}@evil.example", HOST, False),
        ("POST", None, "null", HOST, False),
        ("POST", None, "https://[", HOST, False),
        ("POST", None, f"https://{HOST}", None, False),
        ("POST", None, None, HOST, True),
    ],
)
def test_who_may_change_things(
    method: str, site: str | None, origin: str | None, host: str | None, passes: bool
) -> None:
    refusal = csrf.refusal(method, sec_fetch_site=site, origin=origin, host=host)
    assert (refusal is None) == passes


def test_pages_allow_no_inline_code_and_nothing_foreign() -> None:
    policy = security_headers("page")["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    for forbidden in ("unsafe", "http:", "https:", "*", "nonce"):
        assert forbidden not in policy
    assert {"base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} <= set(policy.split("; "))


@pytest.mark.parametrize("kind", ["page", "api", "file", "static"])
def test_every_answer_is_guarded(kind: str) -> None:
    headers = security_headers(kind)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers
    assert security_headers(kind, hsts=True)["Strict-Transport-Security"] == "max-age=31536000"
    if kind in {"api", "file"}:
        assert "sandbox" in headers["Content-Security-Policy"]
