"""API tokens and sessions: their form, and how requests carry them."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from appliance.security import session_cookies, tokens


def test_tokens_have_the_form_that_every_client_keeps() -> None:
    made = [tokens.new_token() for _ in range(500)]
    for token, digest, identity in made:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{42}[A-Za-z0-9]", token)
        assert len(token) != 36
        assert digest == tokens.token_hash(token)
        assert len(digest) == 32
        assert str(uuid.UUID(identity)) == identity
    assert len({token for token, *_ in made}) == 500
    # nothing is the same at one place of all tokens: no prefix that an attacker would know
    assert all(len({token[place] for token, *_ in made}) > 30 for place in range(44))


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, None),
        ({"authorization": ""}, None),
        ({"authorization": "  "}, None),
        ({"authorization": "abc"}, "abc"),
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer  abc "}, "abc"),
        ({"authorization": "Bearer "}, None),
        ({"authorization": "Basic dXNlcjpwYXNz"}, None),
        ({"x-ckan-api-key": "abc"}, "abc"),
        ({"authorization": "", "x-ckan-api-key": "abc"}, "abc"),
        ({"authorization": "abc", "x-ckan-api-key": "xyz"}, "abc"),
        ({"authorization": "a" * 513}, None),
    ],
)
def test_how_requests_present_tokens(headers: dict[str, str], token: str | None) -> None:
    assert tokens.presented(headers.get) == token


def test_scopes_include_each_other() -> None:
    table = [[tokens.allows(scope, needed) for needed in tokens.SCOPES] for scope in tokens.SCOPES]
    assert table == [[True, False, False], [True, True, False], [True, True, True]]
    with pytest.raises(ValueError):
        tokens.allows("everything", "read")


def test_sessions_end_by_idleness_and_by_age() -> None:
    life = session_cookies.Lifetime(idle=timedelta(hours=12), longest=timedelta(days=14))
    start = datetime(2026, 5, 1, tzinfo=UTC)
    assert life.is_live(start, start, start + timedelta(hours=11))
    assert not life.is_live(start, start, start + timedelta(hours=12))
    assert life.is_live(start, start + timedelta(days=13, hours=20), start + timedelta(days=13, hours=23))
    assert not life.is_live(start, start + timedelta(days=13, hours=23), start + timedelta(days=14))
    assert not session_cookies.needs_touch(start, start + timedelta(minutes=4))
    assert session_cookies.needs_touch(start, start + timedelta(minutes=5))


def test_session_cookies_are_guarded() -> None:
    value, digest = session_cookies.new_session()
    assert digest == session_cookies.session_hash(value)
    for header in (session_cookies.set_cookie(value), session_cookies.clear_cookie()):
        assert header.startswith("__Host-dcor=")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(header.split("; "))
        assert "Domain" not in header
