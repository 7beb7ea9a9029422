"""Pages are asked in the connection's thread: requests without a body and forms in the same way."""

from __future__ import annotations

import wsgiref.validate
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from appliance.jobs.sandbox import Sandbox
from appliance.model.problem import Problem
from appliance.web import wsgi
from appliance.web.body_budget import BodyBudget
from appliance.web.fair_slots import FairSlots
from appliance.web.http import Body, Headers, Request
from appliance.web.routes import find, route
from tests.support.server import Appliance


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    running = Appliance(tmp_path_factory.mktemp("pages") / "data", **{"policy.anonymous_access": True})
    running.admin.circle("ward")
    running.service.jobs.stop(grace=5.0)
    yield running
    running.stop()


def told(answer: requests.Response) -> tuple[Any, ...]:
    headers = {name: value for name, value in answer.headers.lower_items() if name not in {"date", "set-cookie"}}
    return answer.status_code, answer.reason, headers, answer.content


PATHS = ["/", "/dataset/", "/organization/ward", "/robots.txt", "/no such/ä?q=%C3%A4", "/user/admin", "//dataset//?q=x"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("who", ["admin", "nobody"])
def test_a_body_changes_nothing_where_none_is_expected(appliance: Appliance, path: str, method: str, who: str) -> None:
    http = getattr(appliance, who).http
    headers = {"Accept-Language": "de", "X-Forwarded-For": "1.2.3.4"}
    ask: dict[str, Any] = {"timeout": 60, "allow_redirects": False, "headers": headers}
    direct = http.request(method, appliance.url + path, **ask)
    with_body = http.request(method, appliance.url + path, data=b" ", **ask)
    assert told(direct) == told(with_body)


def test_what_no_page_may_be_asked_goes_on_as_before(appliance: Appliance) -> None:
    http = appliance.nobody.http
    assert http.request("DELETE", appliance.url + "/healthz").status_code == 405
    assert http.request("DELETE", appliance.url + "/").status_code == 405
    assert http.post(appliance.url + "/").status_code == 405


def request(method: str = "GET", path: str = "/", body: Body | None = None, **headers: str) -> Request:
    fields = Headers([(name.replace("9", "-"), value) for name, value in headers.items()])
    return Request(method, path, path, "q=1", fields, body or Body(), "192.0.2.7", host="dcor.example:8443")


def test_the_environment_is_of_pep_3333_and_nobody_speaks_for_the_gateway() -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 FINE", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"a", b"b"]

    asked = request(path="/ü", X9Forwarded9For="10.0.0.1", REMOTE_ADDR="10.0.0.1", Remote_Addr="x", Forwarded="for=x", Cookie="a=1")  # fmt: skip
    asked.headers = Headers([*asked.headers, ("Cookie", "b=2"), ("Accept", "x"), ("accept", "y")])
    answer = wsgi.ask(wsgiref.validate.validator(application), asked)  # type: ignore[arg-type]
    assert (answer.status, answer.reason, answer.body) == (200, "FINE", b"ab")
    assert answer.headers == [("Content-Type", "text/plain")]
    assert (seen["REMOTE_ADDR"], seen["PATH_INFO"], seen["wsgi.url_scheme"]) == ("192.0.2.7", "/Ã¼", "https")
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"], seen["HTTP_HOST"]) == (
        "dcor.example",
        "8443",
        "dcor.example:8443",
    )
    assert {key: value for key, value in seen.items() if key.startswith("HTTP_")} == {
        "HTTP_HOST": "dcor.example:8443",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_ACCEPT": "x, y",
    }


def test_a_form_reaches_the_application_as_it_was_sent() -> None:
    seen: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.extend([environ["REQUEST_METHOD"], environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]])
        seen.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("303 SEE OTHER", [("Location", "/x"), ("Content-Type", "text/plain")])
        return []

    content = b"x=1&y=" + b"z" * 100_000  # more than is kept in memory
    pages = wsgi.pages_route(wsgiref.validate.validator(application))  # type: ignore[arg-type]
    form = request("POST", body=Body(content), Content9Type="application/x-www-form-urlencoded")
    answer = pages.handler(None, form, None)  # type: ignore[arg-type]
    assert (answer.status, answer.header("location"), answer.body) == (303, "/x", b"")
    assert seen == ["POST", "application/x-www-form-urlencoded", str(len(content)), content]


def test_the_service_looks_into_files_without_a_slot(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    slots = FairSlots(1, share=1, patience=2.0)

    def other_page() -> None:
        with slots.held("other"):
            pass

    def run(*arguments: Any, **options: Any) -> Any:
        with ThreadPoolExecutor(1) as threads:
            threads.submit(other_page).result(20)
        return SimpleNamespace(answer={"valid": True})

    monkeypatch.setattr(Sandbox, "run", run)
    with slots.held("somebody"):
        assert appliance.service.context.check_sanity(tmp_path / "file.rtdc", "somebody").valid


def test_a_body_that_is_too_long_reaches_no_application() -> None:
    pages = wsgi.pages_route(lambda environ, start: [], body_limit=10)
    for body in (Body(b"x" * 11), Unannounced(b"x" * 11)):
        with pytest.raises(Problem) as caught:
            pages.handler(None, request("POST", body=body), None)  # type: ignore[arg-type]
        assert caught.value.status == 413


def test_bodies_of_forms_count_with_all_others() -> None:
    budget = BodyBudget(total=4 << 20)
    pages = wsgi.pages_route(lambda environ, start: [], bodies=budget)
    with pytest.raises(Problem) as caught:
        pages.handler(None, request("POST", body=Body(b"x" * (2 << 20))), None)  # type: ignore[arg-type]
    assert caught.value.status == 429
    assert budget.used == 0


class Unannounced(Body):
    """A body in chunks."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.length = None


def test_the_answer_is_closed_even_when_it_breaks_off() -> None:
    class Broken:
        closed = False

        def __iter__(self) -> Iterator[bytes]:
            yield b"a"
            raise OSError("gone")

        def close(self) -> None:
            self.closed = True

    body = Broken()
    with pytest.raises(OSError, match="gone"):
        wsgi.ask(lambda environ, start: (start("200 OK", []), body)[1], request())
    assert body.closed


def test_the_route_takes_what_no_other_takes() -> None:
    api = route("POST", "/api", "open", lambda *_: None)  # type: ignore[arg-type, return-value]
    pages = wsgi.pages_route(lambda environ, start: [])
    found = find((api, pages), request(path="/x"))
    assert found is not None
    assert found[0] is pages
    with pytest.raises(Problem) as caught:
        find((api, pages), request(path="/api"))
    assert caught.value.status == 405
    with_body = find((api, pages), request("POST", path="/x", body=Body(b"x")))
    assert with_body is not None
    assert with_body[0] is pages


def test_a_path_is_a_file_on_no_account(appliance: Appliance) -> None:
    """Dots are for the application to refuse, as before."""
    for path in ("/static/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd"):
        assert appliance.nobody.fetch(path).status_code == 404
