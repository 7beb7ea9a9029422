"""What peers and disks do wrong is neither an incident of ours nor the end of a thread."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from appliance.tls import certificate as certificates
from appliance.tls.context import Certificate
from appliance.web.gateway import Gateway, Limits
from appliance.web.http import FileBody, Request, Response, text
from appliance.web.routes import route
from tests.support.descriptors import held
from tests.support.waiting import wait_for

PING = "GET /ping HTTP/1.1\nHost: localhost\n\n"
Connect = Callable[..., Any]


def ping(context: Any, request: Request, match: Any) -> Response:
    return text(200, "pong")


def take(context: Any, request: Request, match: Any) -> Response:
    return text(200, str(len(request.body.read_all(1 << 20))))


def ignore(context: Any, request: Request, match: Any) -> Response:
    return text(200, "not read")


ROUTES = [route("GET", "/ping", "open", ping), route("PUT", "/take", "open", take), route("PUT", "/no", "open", ignore)]


def reset(raw: Any) -> None:
    """Let go of a connection without a farewell."""
    raw.file.close()
    raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.sock.close()


@pytest.mark.parametrize(
    "head",
    [
        "PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 100000\n\nabc",
        "PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 9\n\nabc",
        "PUT /take HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n3\nabc\n",
        "PUT /take HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n3",
        "PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 9\nExpect: 100-continue\n\n",
        "PUT /no HTTP/1.1\nHost: localhost\nContent-Length: 60000\n\nabc",
        "PUT /no HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n3\nabc\n",
        "PUT /form HTTP/1.1\nHost: localhost\nContent-Length: 60000\n\nabc",
        "PUT /form HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n3\nabc\n",
        "GET /pi",
    ],
)
def test_a_reset_is_no_incident(serve: Any, connect: Connect, head: str, caplog: pytest.LogCaptureFixture) -> None:
    failures: list[Exception] = []

    def failed(request: Request, error: Exception) -> Response:
        failures.append(error)
        return text(500, "")

    gateway = serve(ROUTES, on_error=failed)
    for _ in range(5):
        reset(connect(gateway.port).send(head))
    wait_for(lambda: gateway.connections == 0)
    assert failures == []
    assert "gateway.failed" not in caplog.text


def test_bytes_that_are_no_tls_in_a_body_are_no_incident(serve: Any, connect: Connect) -> None:
    failures: list[Exception] = []

    def failed(request: Request, error: Exception) -> Response:
        failures.append(error)
        return text(500, "")

    gateway = serve(ROUTES, on_error=failed)
    raw = connect(gateway.port).send("PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 100000\n\nabc")
    plain = socket.socket(fileno=raw.sock.detach())
    plain.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
    wait_for(lambda: gateway.connections == 0)
    plain.close()
    assert failures == []


def test_a_certificate_with_malformed_names_leaves_the_gateway_at_work(connect: Connect, tmp_path: Path) -> None:
    from tests.web.conftest import make_certificate

    files = make_certificate(tmp_path / "c")
    gateway = Gateway(
        ROUTES,
        None,
        certificate=files[0],
        key=files[1],
        limits=Limits(tick=0.02, idle=0.5),
    )  # type: ignore[arg-type]
    gateway.start()
    malformed = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x03garbage")
    make_certificate(tmp_path / "c", alternatives=malformed)
    raw = connect(gateway.port)
    assert raw.send(PING).answer()[2] == b"pong"
    assert raw.closed()  # deadlines are still enforced
    assert connect(gateway.port).send(PING).answer()[2] == b"pong"
    files[0].write_text("garbage")
    assert connect(gateway.port).send(PING).answer()[2] == b"pong"
    assert not gateway.loop.stalled(5.0)
    gateway.stop(0)


def test_a_certificate_is_checked_with_what_is_served(certificate: tuple[Path, Path]) -> None:
    served, checked = Certificate(*certificate).context, certificates.server_context(*certificate)
    assert served.get_ciphers() == checked.get_ciphers()
    assert (served.options, served.minimum_version) == (checked.options, checked.minimum_version)


def test_connections_end_when_the_gateway_does(serve: Any, connect: Connect) -> None:
    others = set(threading.enumerate())  # servers of other tests, which may still be up
    gateway = serve(ROUTES)
    raw = connect(gateway.port)
    assert raw.send(PING).answer()[2] == b"pong"
    own = [one for one in threading.enumerate() if one.name == "gateway-selector" and one not in others]
    assert own
    gateway.stop(1.0)
    assert raw.closed()
    wait_for(lambda: not any(one.is_alive() for one in own))


def test_a_file_is_closed_when_nobody_can_say_who_asked(serve: Any, connect: Connect, tmp_path: Path) -> None:
    """The database may fail between the handler and the answer."""
    path = tmp_path / "original"
    path.write_bytes(b"x")

    def known(request: Request) -> str:
        raise RuntimeError("no database")

    def give(context: Any, request: Request, match: Any) -> Response:
        return Response(200, [], FileBody(os.open(path, os.O_RDONLY), 0, 1))

    gateway = serve([route("GET", "/give", "open", give)], known=known)
    raw = connect(gateway.port).send("GET /give HTTP/1.1\nHost: localhost\n\n")
    assert raw.file.read() == b""
    wait_for(lambda: gateway.connections == 0)
    assert held(path) == 0
