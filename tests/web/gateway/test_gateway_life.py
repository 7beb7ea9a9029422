"""Deadlines, caps, TLS, the plain port, the way to the pages, and the end of a gateway."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from appliance.model.problem import Problem
from appliance.web.gateway import Gateway, Limits
from appliance.web.http import FileBody, Request, Response, text
from appliance.web.routes import route
from appliance.web.wsgi import pages_route
from tests.support.waiting import wait_for

PING = "GET /ping HTTP/1.1\nHost: localhost\n\n"
Connect = Callable[..., Any]


def ping(context: Any, request: Request, match: Any) -> Response:
    return text(200, "pong")


def take(context: Any, request: Request, match: Any) -> Response:
    total = 0
    while piece := request.body.read(65536):
        total += len(piece)
    return text(200, str(total))


def big(context: Any, request: Request, match: Any) -> Response:
    return Response(200, [], FileBody(context, 0, context.stat().st_size))


def short(context: Any, request: Request, match: Any) -> Response:
    return Response(200, [], FileBody(context, 0, context.stat().st_size + 1))


ROUTES = [
    route("GET", "/ping", "open", ping),
    route("PUT", "/take", "open", take),
    route("GET", "/big", "open", big),
    route("GET", "/short", "open", short),
]


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    with path.open("wb") as file:
        for _ in range(32):
            file.write(os.urandom(1 << 20))
    return path


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01"])
def test_silence_in_the_handshake_is_ended(serve: Any, connect: Connect, sent: bytes) -> None:
    gateway = serve(ROUTES, limits=Limits(tick=0.02, handshake=0.2))
    raw = connect(gateway.port, tls=False).send(sent)
    assert raw.closed()
    wait_for(lambda: gateway.connections == 0)


def test_slow_head_is_ended_whatever_trickles_in(serve: Any, connect: Connect) -> None:
    raw = connect(serve(ROUTES, limits=Limits(tick=0.02, head=0.3)).port)
    raw.send("GET /ping HTTP/1.1\n")
    assert raw.closed_during("A: b\n")


def test_empty_lines_give_no_more_time(serve: Any, connect: Connect) -> None:
    raw = connect(serve(ROUTES, limits=Limits(tick=0.02, head=0.3)).port)
    raw.send("\n\n")
    assert raw.closed_during("A")


def test_some_empty_lines_may_stand_before_a_request_and_more_may_not(serve: Any, connect: Connect) -> None:
    port = serve(ROUTES).port
    assert connect(port).send("\n\n" + PING).answer()[2] == b"pong"
    assert connect(port).send("\n" * 200).answer()[0].startswith("400")


def test_idle_connection_is_ended(serve: Any, connect: Connect) -> None:
    raw = connect(serve(ROUTES, limits=Limits(tick=0.02, idle=0.2)).port)
    assert raw.send(PING).answer()[2] == b"pong"
    assert raw.closed()


def test_stalled_upload_is_ended(serve: Any, connect: Connect) -> None:
    raw = connect(serve(ROUTES, limits=Limits(tick=0.02, stall=0.3)).port)
    raw.send("PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 1000\n\nabc")
    assert raw.closed()


def test_slow_steady_upload_is_not_ended(serve: Any, connect: Connect) -> None:
    raw = connect(serve(ROUTES, limits=Limits(tick=0.02, stall=0.3)).port)
    raw.send("PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 20\n\n")
    for _ in range(20):
        time.sleep(0.05)  # the pace of the client is what is tested
        raw.send("x")
    assert raw.answer()[2] == b"20"


def test_half_a_tls_record_that_grows_is_progress(serve: Any, connect: Connect, certificate: Any) -> None:
    """A record is useful only when it is complete; the bytes of an incomplete one count nevertheless."""
    port = serve(ROUTES, limits=Limits(tick=0.02, stall=0.3)).port
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    sock = socket.create_connection(("127.0.0.1", port))
    sock.settimeout(10)
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            sock.sendall(outgoing.read())
            incoming.write(sock.recv(65536))
    tls.write(b"PUT /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
    sock.sendall(outgoing.read())
    tls.write(bytes(1000))
    data = outgoing.read()
    for position in range(0, len(data), 50):
        time.sleep(0.04)
        sock.sendall(data[position : position + 50])
    answer = b""
    while not answer:
        try:
            answer = tls.read(65536)
        except ssl.SSLWantReadError:
            incoming.write(sock.recv(65536))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    sock.close()


def test_client_that_reads_nothing_is_ended_and_frees_the_file(serve: Any, connect: Connect, blob: Path) -> None:
    gateway = serve(ROUTES, blob, limits=Limits(tick=0.02, stall=0.3))
    connect(gateway.port, rcvbuf=4096).send("GET /big HTTP/1.1\nHost: localhost\n\n")
    wait_for(lambda: gateway.connections == 1)
    wait_for(lambda: gateway.connections == 0)


def test_client_that_leaves_in_mid_download_is_no_event(serve: Any, connect: Connect, blob: Path) -> None:
    gateway = serve(ROUTES, blob)
    raw = connect(gateway.port).send("GET /big HTTP/1.1\nHost: localhost\n\n")
    assert raw.head()[0] == "200 OK"
    raw.file.close()
    raw.close()
    wait_for(lambda: gateway.connections == 0)


def test_file_shorter_than_announced_ends_the_connection(serve: Any, connect: Connect, blob: Path) -> None:
    raw = connect(serve(ROUTES, blob).port).send("GET /short HTTP/1.1\nHost: localhost\n\n")
    _, headers, body = raw.answer()
    assert len(body) == int(headers["content-length"]) - 1


def test_silent_connections_block_nobody(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES)
    for _ in range(200):
        connect(gateway.port, tls=False)
    assert connect(gateway.port).send(PING).answer()[2] == b"pong"


def test_new_connection_takes_the_place_of_an_idle_one(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES, limits=Limits(tick=0.02, connections=3), known=lambda request: "somebody")
    first = [connect(gateway.port) for _ in range(3)]
    for raw in first:
        raw.send(PING).answer()
    assert connect(gateway.port).send(PING).answer()[2] == b"pong"
    alive = 0
    for raw in first:
        with suppress(OSError):  # one of them made room
            alive += raw.send(PING).answer()[2] == b"pong"
    assert alive == 2


def test_busy_connections_of_an_address_are_capped(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES, limits=Limits(tick=0.02, connections_per_address=2), known=lambda request: "somebody")
    for _ in range(2):
        busy = connect(gateway.port)
        busy.send("PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 9\nExpect: 100-continue\n\n")
        assert busy.head()[0] == "100 Continue"  # the handler is at work, so the connection counts as busy
    with pytest.raises(OSError, match=r".*"):
        connect(gateway.port)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(serve: Any, version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", serve(ROUTES).port)) as sock, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(sock)


def test_certificate_is_reloaded_for_new_connections(serve: Any, connect: Connect, tmp_path: Path) -> None:
    from tests.web.conftest import make_certificate

    files = make_certificate(tmp_path / "c")
    gateway = Gateway(ROUTES, None, certificate=files[0], key=files[1])  # type: ignore[arg-type]
    gateway.start()
    old = connect(gateway.port)
    before = old.sock.getpeercert(binary_form=True)
    make_certificate(tmp_path / "c", "new.example.org")
    gateway.reload_certificate(["new.example.org"])
    new = connect(gateway.port)
    assert new.sock.getpeercert(binary_form=True) != before
    assert new.send(PING.replace("localhost", "new.example.org")).answer()[2] == b"pong"
    assert old.send(PING).answer()[2] == b"pong"
    files[1].write_text("garbage")
    with pytest.raises(Problem, match="cannot be used"):
        gateway.reload_certificate()
    assert connect(gateway.port).send(PING).answer()[2] == b"pong"
    gateway.stop(0)


def test_plain_port_redirects_pages_but_never_the_api(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES, http_port=0)
    raw = connect(gateway.http_port, tls=False)
    status, headers, _ = raw.send("GET /dataset/a?b=%2F HTTP/1.1\nHost: dcor.example.org\n\n").answer()
    assert status == "301 MOVED PERMANENTLY"
    assert headers["location"] == f"https://dcor.example.org:{gateway.port}/dataset/a?b=%2F"
    for path in ("/api/3/action/status_show", "/api", "//api/3"):
        assert raw.send(f"GET {path} HTTP/1.1\nHost: dcor.example.org\n\n").answer()[0] == "403 FORBIDDEN"
    assert raw.send("POST /login HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n").answer()[0] == "403 FORBIDDEN"
    assert raw.send("GET / HTTP/1.1\nHost: evil.org\n\n").answer()[0] == "421 MISDIRECTED REQUEST"


@pytest.fixture
def pages() -> Any:
    app = Flask(__name__)

    @app.route("/<path:path>", methods=["GET", "POST"])
    def show(path: str) -> Any:
        if path == "gone":
            return "not here", 404
        length = len(request.get_data())
        return (
            f"{request.remote_addr} {request.scheme} {request.host} {request.headers.get('X-Forwarded-Host')} {length}"
        )

    return app


def test_other_addresses_go_to_the_pages_with_the_true_client(serve: Any, connect: Connect, pages: Any) -> None:
    gateway = serve((*ROUTES, pages_route(pages, keeps=False)))
    raw = connect(gateway.port)
    forged = "X-Forwarded-For: 6.6.6.6\nX-Forwarded-Host: evil\nX-Forwarded-Proto: http\nForwarded: for=6.6.6.6\n"
    raw.send(f"GET /a HTTP/1.1\nHost: localhost\n{forged}\n")
    assert raw.answer()[2] == b"127.0.0.1 https localhost None 0"
    raw.send("POST /a HTTP/1.1\nHost: localhost\nContent-Length: 3\n\nabc")
    assert raw.answer()[2].endswith(b" 3")
    raw.send("POST /a HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n")
    assert raw.answer()[2].endswith(b" 3")
    status, headers, body = raw.send("GET /gone HTTP/1.1\nHost: localhost\n\n").answer()
    assert (status, body, headers["connection"]) == ("404 NOT FOUND", b"not here", "keep-alive")
    raw.send("HEAD /a HTTP/1.1\nHost: localhost\n\n")
    assert int(raw.head()[1]["content-length"]) > 10


def test_body_for_pages_is_limited(serve: Any, connect: Connect, pages: Any) -> None:
    gateway = serve(
        (*ROUTES, pages_route(pages, body_limit=1000, keeps=False)), limits=Limits(tick=0.02, collected_body=100)
    )
    raw = connect(gateway.port).send("POST /a HTTP/1.1\nHost: localhost\nContent-Length: 1001\n\n")
    assert raw.answer()[0] == "413 REQUEST ENTITY TOO LARGE"
    raw = connect(gateway.port).send("POST /a HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n")
    raw.send("401\n" + "x" * 1025 + "\n0\n\n")
    assert raw.answer()[0] == "413 REQUEST ENTITY TOO LARGE"


def test_an_address_of_no_route_is_not_found(serve: Any, connect: Connect) -> None:
    assert connect(serve(ROUTES).port).send("GET /a HTTP/1.1\nHost: localhost\n\n").answer()[0] == "404 NOT FOUND"


def test_a_slow_form_keeps_nobody_from_the_pages(serve: Any, connect: Connect, pages: Any) -> None:
    gateway = serve((*ROUTES, pages_route(pages, at_once=1, keeps=False)))
    slow = [connect(gateway.port) for _ in range(8)]
    for raw in slow:
        raw.send("POST /a HTTP/1.1\nHost: localhost\nContent-Length: 3\nExpect: 100-continue\n\n")
        assert raw.head()[0] == "100 Continue"
    assert connect(gateway.port).send("GET /a HTTP/1.1\nHost: localhost\n\n").answer()[0] == "200 OK"
    for raw in slow:
        assert raw.send("abc").answer()[2].endswith(b" 3")


def begin_upload(raw: Any) -> Any:
    """Send half of an upload that its handler is known to read."""
    raw.send("PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 6\nExpect: 100-continue\n\n")
    assert raw.head()[0] == "100 Continue"
    return raw.send("abc")


def test_stop_lets_a_transfer_finish_and_closes_idle_connections(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES)
    idle = connect(gateway.port)
    idle.send(PING).answer()
    busy = begin_upload(connect(gateway.port))
    results: list[bool] = []
    stopper = threading.Thread(target=lambda: results.append(gateway.stop(10.0)))
    stopper.start()
    assert idle.closed()
    with pytest.raises(OSError, match=r".*"):
        connect(gateway.port)
    status, headers, body = busy.send("def").answer()
    assert (status, headers["connection"], body) == ("200 OK", "close", b"6")
    busy.close()
    stopper.join()
    assert results == [True]


def test_stop_cuts_what_does_not_finish(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES)
    busy = begin_upload(connect(gateway.port))
    assert gateway.stop(0.1) is False
    assert busy.closed()
    assert gateway.connections == 0


def test_bulk_steps_back_and_ends_its_connection(serve: Any, connect: Connect, blob: Path) -> None:
    raw = connect(serve(ROUTES, blob).port).send("GET /big HTTP/1.1\nHost: localhost\n\n")
    _, headers, body = raw.answer()
    assert (headers["connection"], len(body)) == ("close", 32 << 20)
    assert raw.closed()
