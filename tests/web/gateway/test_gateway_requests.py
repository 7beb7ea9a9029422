"""What the gateway makes of requests, as a client on the wire sees it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.model.problem import not_found
from appliance.web.http import FileBody, Request, Response, text
from appliance.web.routes import route

GET = "GET {} HTTP/1.1\nHost: localhost\n\n"


def echo(context: Any, request: Request, match: Any) -> Response:
    body = request.body.read_all(1 << 20)
    return Response(200, [("X-Path", request.path), ("X-Query", request.query), ("X-Client", request.client)], body)


def refuse(context: Any, request: Request, match: Any) -> Response:
    raise not_found("no such thing")


def fail(context: Any, request: Request, match: Any) -> Response:
    raise RuntimeError("planted secret 4711")


def early(context: Any, request: Request, match: Any) -> Response:
    return text(403, "no\n")


def pieces(context: Any, request: Request, match: Any) -> Response:
    return Response(200, [], iter([b"one", b"", b"two"]), length=6 if request.query == "known" else None)


def a_file(context: Any, request: Request, match: Any) -> Response:
    fd = os.open(context, os.O_RDONLY)
    return Response(200, [("ETag", '"abcde"')], FileBody(fd, 3, 500_000))


ROUTES = [
    route("GET POST PUT", r"/echo(/.*)?", "open", echo),
    route("GET", r"/missing", "open", refuse),
    route("GET", r"/fail", "open", fail),
    route("POST", r"/early", "open", early),
    route("GET", r"/pieces", "open", pieces),
    route("GET", r"/file", "open", a_file),
]


@pytest.fixture
def port(serve: Any, tmp_path: Path) -> int:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 4000)
    return int(serve(ROUTES, path).port)


@pytest.fixture
def raw(port: int, connect: Callable[..., Any]) -> Any:
    return connect(port)


def test_path_is_decoded_and_slashes_are_collapsed(raw: Any) -> None:
    status, headers, _ = raw.send(GET.format("//echo//a%20b/?x=%2F&y")).answer()
    assert status == "200 OK"
    assert headers["x-path"] == "/echo/a b/"
    assert headers["x-query"] == "x=%2F&y"
    assert headers["x-client"] == "127.0.0.1"


def test_connection_is_kept_and_pipelined_requests_are_answered_in_order(raw: Any) -> None:
    raw.send(GET.format("/echo/1") + GET.format("/echo/2") + GET.format("/echo/3"))
    assert [raw.answer()[1]["x-path"] for _ in range(3)] == ["/echo/1", "/echo/2", "/echo/3"]


def test_head_request_has_the_length_and_no_body(raw: Any) -> None:
    raw.send("HEAD /file HTTP/1.1\nHost: localhost\n\n")
    status, headers = raw.head()
    assert (status, headers["content-length"]) == ("200 OK", "500000")
    assert raw.send(GET.format("/echo")).answer()[0] == "200 OK"


def test_file_is_sent_from_its_start_offset(raw: Any) -> None:
    _, _, body = raw.send(GET.format("/file")).answer()
    assert body == (bytes(range(256)) * 4000)[3:500_003]


def test_body_by_length_and_by_chunks(raw: Any) -> None:
    raw.send("POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 5\n\nhello")
    assert raw.answer()[2] == b"hello"
    raw.send(
        "POST /echo HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n3;a=b\nabc\nA\n0123456789\n0\nX-T: 1\n\n"
    )
    assert raw.answer()[2] == b"abc0123456789"
    assert raw.send(GET.format("/echo")).answer()[0] == "200 OK"


def test_iterables_are_sent_with_their_length_or_in_chunks(raw: Any) -> None:
    _, headers, body = raw.send(GET.format("/pieces?known")).answer()
    assert (headers.get("content-length"), body) == ("6", b"onetwo")
    _, headers, body = raw.send(GET.format("/pieces")).answer()
    assert (headers.get("transfer-encoding"), body) == ("chunked", b"onetwo")


def test_http_1_0_closes_after_the_answer(raw: Any) -> None:
    raw.send("GET /pieces HTTP/1.0\n\n".replace("\n\n", "\nHost: localhost\n\n"))
    status, headers, body = raw.answer()
    assert (status, headers["connection"], body) == ("200 OK", "close", b"onetwo")


def test_expect_continue_is_answered_when_the_body_is_read(raw: Any) -> None:
    raw.send("POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 5\nExpect: 100-continue\n\n")
    assert raw.head()[0] == "100 Continue"
    assert raw.send("hello").answer()[2] == b"hello"


def test_refusal_comes_instead_of_continue(raw: Any) -> None:
    raw.send("POST /early HTTP/1.1\nHost: localhost\nContent-Length: 5000000\nExpect: 100-continue\n\n")
    status, headers, _ = raw.answer()
    assert (status, headers["connection"]) == ("403 FORBIDDEN", "close")
    assert raw.closed()


def test_early_refusal_reaches_a_client_that_keeps_sending(raw: Any) -> None:
    raw.send("POST /early HTTP/1.1\nHost: localhost\nContent-Length: 50000000\n\n")
    block = bytes(1_000_000)
    for _ in range(50):
        raw.send(block)
    assert raw.answer()[0] == "403 FORBIDDEN"


def test_small_unread_body_keeps_the_connection(raw: Any) -> None:
    raw.send("POST /early HTTP/1.1\nHost: localhost\nContent-Length: 5\n\nhello")
    assert raw.answer()[0] == "403 FORBIDDEN"
    assert raw.send(GET.format("/echo")).answer()[0] == "200 OK"


def test_problems_become_text_with_capital_phrases(raw: Any) -> None:
    status, _, body = raw.send(GET.format("/missing")).answer()
    assert (status, body) == ("404 NOT FOUND", b"no such thing\n")


def test_failure_shows_an_incident_number_and_no_cause(raw: Any) -> None:
    status, _, body = raw.send(GET.format("/fail")).answer()
    assert status == "500 INTERNAL SERVER ERROR"
    assert b"incident" in body
    assert b"4711" not in body


def test_unknown_method_names_the_known_ones(raw: Any) -> None:
    status, headers, _ = raw.send("DELETE /echo HTTP/1.1\nHost: localhost\n\n").answer()
    assert (status, headers["allow"]) == ("405 METHOD NOT ALLOWED", "GET, POST, PUT")


@pytest.mark.parametrize("host", ["evil.example.org", "dcor.example.org.evil.org", "localhost.evil.org", "10.0.0.1"])
def test_foreign_host_names_are_refused(raw: Any, host: str) -> None:
    assert raw.send(f"GET /echo HTTP/1.1\nHost: {host}\n\n").answer()[0] == "421 MISDIRECTED REQUEST"


@pytest.mark.parametrize("host", ["dcor.example.org", "DCOR.example.org:8443", "localhost:1", "127.0.0.1", "[::1]:443"])
def test_own_host_names_are_accepted(raw: Any, host: str) -> None:
    assert raw.send(f"GET /echo HTTP/1.1\nHost: {host}\n\n").answer()[0] == "200 OK"


BAD = {
    "no host": "GET /echo HTTP/1.1\n\n",
    "two hosts": "GET /echo HTTP/1.1\nHost: localhost\nHost: localhost\n\n",
    "length and chunks": "POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n",
    "two lengths": "POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 4\nContent-Length: 4\n\nabcd",
    "signed length": "POST /echo HTTP/1.1\nHost: localhost\nContent-Length: +4\n\nabcd",
    "negative length": "POST /echo HTTP/1.1\nHost: localhost\nContent-Length: -4\n\nabcd",
    "list of lengths": "POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 4, 4\n\nabcd",
    "space before colon": "GET /echo HTTP/1.1\nHost: localhost\nFoo : x\n\n",
    "folded header": "GET /echo HTTP/1.1\nHost: localhost\nFoo: x\n y\n\n",
    "chunked twice": "POST /echo HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n",
    "chunks in 1.0": "POST /echo HTTP/1.0\nHost: localhost\nTransfer-Encoding: chunked\n\n0\n\n",
    "no slash": "GET echo HTTP/1.1\nHost: localhost\n\n",
    "not utf-8": "GET /echo/%ff HTTP/1.1\nHost: localhost\n\n",
    "encoded nul": "GET /echo/%00 HTTP/1.1\nHost: localhost\n\n",
    "gibberish": "\x16\x03\x01 hello\n\n",
    "bad chunk size": "POST /echo HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\nxyz\n\n",
    "chunk too long": "POST /echo HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n3\nabcdef\n0\n\n",
    "chunk size with sign": "POST /echo HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n+3\nabc\n0\n\n",
}


@pytest.mark.parametrize("case", BAD)
def test_ambiguous_and_malformed_requests_are_refused_and_end_the_connection(raw: Any, case: str) -> None:
    status, headers, _ = raw.send(BAD[case]).answer()
    assert (status, headers["connection"]) == ("400 BAD REQUEST", "close")
    assert raw.closed()


def test_bare_line_feeds_are_refused(raw: Any) -> None:
    assert raw.send(b"GET /echo HTTP/1.1\nHost: localhost\n\r\n\r\n").answer()[0] == "400 BAD REQUEST"


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("POST /echo HTTP/1.1\nHost: localhost\nTransfer-Encoding: gzip\n\n", "400 BAD REQUEST"),
        ("POST /echo HTTP/1.1\nHost: localhost\nTransfer-Encoding: gzip, chunked\n\n", "501 NOT IMPLEMENTED"),
        ("POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 3\nExpect: magic\n\nabc", "417 EXPECTATION FAILED"),
        ("GET /" + "a" * 40000 + " HTTP/1.1\nHost: localhost\n\n", "414 REQUEST URI TOO LONG"),
        ("GET / HTTP/1.1\nHost: localhost\n" + "A: b\n" * 101 + "\n", "431 REQUEST HEADER FIELDS TOO LARGE"),
        ("GET / HTTP/1.1\nHost: localhost\nA: " + "b" * 70000 + "\n\n", "431 REQUEST HEADER FIELDS TOO LARGE"),
        ("POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 9999999\n\n", "413 REQUEST ENTITY TOO LARGE"),
    ],
)
def test_limits_have_their_own_answers(raw: Any, request_text: str, status: str) -> None:
    assert raw.send(request_text).answer()[0] == status


def test_long_query_of_a_search_is_accepted(raw: Any) -> None:
    assert raw.send(GET.format("/echo?fq=" + "a" * 16000)).answer()[0] == "200 OK"


def test_many_connections_at_once(port: int, connect: Callable[..., Any]) -> None:
    answers: list[str] = []

    def one(number: int) -> None:
        answers.append(connect(port).send(GET.format(f"/echo/{number}")).answer()[1]["x-path"])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(f"/echo/{n}" for n in range(40))
