"""The pages' application behind a Unix socket, and the way to it.

Flask runs in waitress, which never sees the network: its socket is readable for this user alone, and what it is told
about the client comes from the gateway.
"""

from __future__ import annotations

import http.client
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import waitress.server
from waitress import wasyncore

from appliance.web.http import Request, Response, text, too_large

log = logging.getLogger(__name__)

_BLOCK = 65536
_TIMEOUT = 300.0
#: What ends at the gateway: it belongs to one connection, or a client could speak for the gateway with it.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "expect", "content-length", "host", "forwarded", "x-real-ip"}
)
FORWARDED = "x-forwarded-"
#: Headers of the answer that the gateway writes itself.
ANSWER_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server", "via"}
)


class _UnixConnection(http.client.HTTPConnection):
    """An HTTP connection to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """In place of the network's. Raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def forward(request: Request, path: Path, limit: int) -> Response:
    """Have the application behind the socket `path` answer `request`, whose body has at most `limit` bytes.

    Raises Problem 413, PeerGone. An application that does not answer is a 502 or 504.
    """
    if request.body.length is not None and request.body.length > limit:
        raise too_large(limit)
    connection = _UnixConnection(path)
    try:
        _ask(connection, request, limit)
        answer = connection.getresponse()
    except TimeoutError:
        connection.close()
        log.warning("gateway.fallback_timeout")
        return text(504, "The page took too long.\n", [("Connection", "close")])
    except (
        ConnectionRefusedError,
        FileNotFoundError,
        http.client.HTTPException,
        BrokenPipeError,
        ConnectionResetError,
    ) as error:
        connection.close()
        log.warning("gateway.fallback_failed error=%s", type(error).__name__)
        return text(502, "The pages are not available at the moment.\n")
    except Exception:
        connection.close()
        raise
    headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in ANSWER_HOP_BY_HOP]
    length = answer.length if request.method != "HEAD" else _announced(answer)
    return Response(answer.status, headers, _Pieces(connection, answer), reason=answer.reason, length=length)


def _ask(connection: _UnixConnection, request: Request, limit: int) -> None:
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", request.host.encode("latin-1"))
    for name, value in request.headers:
        if name.lower() not in HOP_BY_HOP and not name.lower().startswith(FORWARDED):
            connection.putheader(name, value.encode("latin-1"))
    connection.putheader("X-Forwarded-For", request.client)
    connection.putheader("X-Forwarded-Proto", "https" if request.secure else "http")
    connection.putheader("Connection", "close")
    length = request.body.length
    if length is None:
        connection.putheader("Transfer-Encoding", "chunked")
    elif length or request.method in {"POST", "PUT", "PATCH"}:
        connection.putheader("Content-Length", str(length))
    connection.endheaders()
    total = 0
    while piece := request.body.read(_BLOCK):
        total += len(piece)
        if total > limit:
            raise too_large(limit)
        connection.send(piece if length is not None else b"%x\r\n%b\r\n" % (len(piece), piece))
    if length is None:
        connection.send(b"0\r\n\r\n")


def _announced(answer: http.client.HTTPResponse) -> int | None:
    value = answer.getheader("Content-Length")
    return int(value) if value is not None and value.isdigit() else None


class _Pieces:
    """The body of an answer, read as it is sent."""

    def __init__(self, connection: _UnixConnection, answer: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            while piece := self._answer.read1(_BLOCK):
                yield piece
        except http.client.HTTPException as error:
            raise EOFError("the application broke off") from error

    def close(self) -> None:
        """Let go of the connection, whatever of the answer was not read."""
        self._answer.close()
        self._connection.close()


class Pages:
    """Waitress on a Unix socket (mode 0600) in a thread of this process.

    :param application: the WSGI application.
    :param threads: how many pages are rendered at once.
    """

    def __init__(self, application: Callable[..., Any], path: Path, threads: int = 6, limit: int = 16 << 20) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._server = waitress.server.create_server(
            application,
            unix_socket=str(path),
            unix_socket_perms="600",
            threads=threads,
            ident=None,
            connection_limit=1000,
            max_request_body_size=limit + 1,
            trusted_proxy="localhost",
            trusted_proxy_count=1,
            trusted_proxy_headers={"x-forwarded-for", "x-forwarded-proto"},
            clear_untrusted_proxy_headers=True,
            log_untrusted_proxy_headers=False,
        )
        self._thread = threading.Thread(target=self._server.run, name="pages", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the pages under way, then stop."""
        self._server.task_dispatcher.shutdown()
        sockets = self._server._map  # the loop ends when it has none left; only its own thread may close them
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets, ignore_all=True))
        self._thread.join(5)
        self._path.unlink(missing_ok=True)
