"""A page that is answered without Flask is the page that Flask would send, head and body; and not everything is answered so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.actions import accounts, login
from appliance.model.viewer import OPERATOR
from appliance.security import session_cookies
from appliance.store import announcements
from appliance.store.cache import Cache
from appliance.web import authentication, route_table, wsgi
from appliance.web.app import create_app
from appliance.web.context import Context
from appliance.web.http import Headers, Request, Response
from appliance.web.routes import find
from tests.web.api.permission_fixture import World

PASSWORD = "correct horse 1 battery"
#: Every page that may be kept.
PAGES = ["/", "/?n=1", "/dataset/{name}", "/dataset/{name}/resource/{file}", "/measurements", "/help/user-guide"]
HEADERS = {
    "a program": {},
    "a browser": {"Accept-Language": "de-DE,de;q=0.9", "Accept-Encoding": "gzip, deflate, br"},
    "choices by cookie": {"Cookie": "dcor-language=de; dcor-theme=dark", "Accept-Encoding": "gzip;q=0.5"},
    "no compression": {"Accept-Encoding": "gzip;q=0, identity", "Accept-Language": "fr"},
    "unknown choices": {"Cookie": 'dcor-language=xx; dcor-theme="light"; dcor-session='},
    "long header": {"Accept-Language": "de," + "xx," * 100},
}


class Site:
    """The pages of an appliance, with how often Flask was asked."""

    def __init__(self) -> None:
        self.world = World()
        one = self.world.context
        self.db = one.db
        self.world.appliance.service.jobs.stop(grace=5.0)  # nobody else commits
        self.context = Context(one.settings, one.db, one.depot, signer=one.signer)
        app = create_app(self.context)
        self.asked = 0

        def counted(environ: Any, start: Any) -> Any:
            self.asked += 1
            return app(environ, start)

        self.routes = (*route_table.routes(), wsgi.pages_route(counted))
        dataset = self.world.dataset("public")
        self.names = {"name": dataset.name, "file": dataset.resource}
        self.user = accounts.create(
            one, OPERATOR, {"name": "reader", "email": "reader@example.org", "password": PASSWORD}
        )

    def sign_in(self) -> dict[str, str]:
        """The cookie of a new session of the reader."""
        return {"Cookie": f"{session_cookies.COOKIE}={login.sign_in(self.context, 'reader', PASSWORD)}"}

    def ask(self, page: str, headers: dict[str, str] | list[tuple[str, str]], method: str = "GET") -> Response:
        """The answer to a request."""
        fields = list(headers.items()) if isinstance(headers, dict) else headers
        target = page.format(**self.names)
        path, _, query = target.partition("?")
        request = Request(
            method, target, path, query, Headers([("Host", "localhost"), *fields]), client="192.0.2.7", host="localhost"
        )
        found = find(self.routes, request)
        assert found is not None
        return found[0].answer(self.context, request, found[1])

    def by_flask(self, ask: Callable[[], Response]) -> Response:
        """What is answered with an empty cache."""
        self.context.cache = Cache(self.db.generation, 0)
        before = self.asked
        answer = ask()
        assert self.asked == before + 1
        self.context.cache = Cache(self.db.generation)
        return answer


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.world.stop()


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr("appliance.web.pages.frame.format.datetime", SimpleNamespace(now=lambda zone: now))


def seen(answer: Response) -> tuple[Any, ...]:
    return answer.status, answer.reason, answer.headers, answer.length, answer.body


@pytest.mark.parametrize("signed_in", [False, True], ids=["nobody", "user"])
@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize("page", PAGES)
def test_a_kept_page_is_the_page_that_flask_sends(site: Site, page: str, client: str, signed_in: bool) -> None:
    headers = dict(HEADERS[client])
    if signed_in:
        cookie = site.sign_in()["Cookie"]
        headers["Cookie"] = f"{headers['Cookie']}; {cookie}" if "Cookie" in headers else cookie
        headers["Cookie"] = headers["Cookie"].replace("dcor-session=; ", "")
        site.ask("/about", headers)  # the first use of a session is noted
    flask = site.by_flask(lambda: site.ask(page, headers))
    assert flask.status == 200
    site.ask(page, headers)
    before = site.asked
    kept = site.ask(page, headers)
    assert site.asked == before
    assert seen(kept) == seen(flask)
    assert {"Content-Security-Policy", "X-Content-Type-Options", "Vary"} <= {name for name, _ in kept.headers}


def test_languages_themes_and_compression_have_pages_of_their_own(site: Site) -> None:
    site.context.cache = Cache(site.db.generation)
    bodies = {site.ask("/", headers).body for headers in HEADERS.values() for _ in range(2)}
    assert len(bodies) >= 4


def test_a_commit_makes_flask_answer_again(site: Site) -> None:
    site.ask("/", {})
    with site.db.write() as tx:
        announcements.announce(tx, "The cellar is wet")
    before = site.asked
    assert b"The cellar is wet" in bytes(site.ask("/", {}).body)  # type: ignore[arg-type]
    assert site.asked == before + 1


def test_an_ended_session_is_nobody_at_once(site: Site) -> None:
    headers = site.sign_in()
    for _ in range(3):
        assert b"/user/reader" in bytes(site.ask("/", headers).body)  # type: ignore[arg-type]
    cookie = headers["Cookie"].partition("=")[2]
    login.sign_out(site.context, authentication.by_session(site.context, cookie, "192.0.2.7"), cookie)
    assert b"/user/reader" not in bytes(site.ask("/", headers).body)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", []),
        ("GET", [("Cookie", "dcor-theme=dark"), ("Cookie", "dcor-language=de")]),
        ("GET", [("Accept-Language", "de"), ("accept-language", "en")]),
    ],
)
def test_what_is_not_one_plain_question_goes_to_flask(site: Site, method: str, headers: list[tuple[str, str]]) -> None:
    site.ask("/", dict(headers))
    before = site.asked
    for _ in range(2):
        assert site.ask("/", headers, method).status == 200
    assert site.asked == before + 2


@pytest.mark.parametrize("page", ["/about", "/dataset", "/user/login", "/nothing-here"])
def test_other_pages_are_not_kept(site: Site, page: str) -> None:
    before = site.asked
    for _ in range(2):
        site.ask(page, {})
    assert site.asked == before + 2
