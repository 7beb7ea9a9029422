"""A server between a client and an appliance, on plain HTTP of this machine: counts what is asked, and can spoil what is answered."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.support.ports import LOOPBACK

_PASSED = ("content-type", "content-length", "content-range", "etag", "accept-ranges")
_PIECE = 1 << 14


@dataclass
class Reply:
    """What will be answered; a hook changes it. :ivar cut: break off after so many bytes of the body."""

    status: int
    headers: dict[str, str]
    body: Any
    cut: int | None = None


@dataclass
class Asked:
    """One request for a file. :ivar offset: where its range began; :ivar sent: bytes of the body that were given."""

    path: str
    offset: int
    authorized: bool
    sent: int = 0
    whole: bool = False


@dataclass
class Put:
    """One file that was sent. :ivar authorized: with a token; :ivar answered: the server behind took it (status 200)."""

    path: str
    size: int
    authorized: bool
    answered: bool = False


@dataclass
class Between:
    """The server. `hook(path, request, reply)` may change a reply, JSON of actions decoded (`request` is empty for files).

    `before(path, number)` may say with which status a request is refused before it is passed on; 0 = broken off, None = passed on.
    `refuses(request)` says whether the JSON of an action is refused with 409.
    """

    target: str
    certificate: str
    hook: Callable[[str, dict[str, Any], Reply], None] | None = None
    before: Callable[[str, int], int | None] = lambda _path, _number: None
    refuses: Callable[[dict[str, Any]], bool] = lambda _request: False
    files: list[Asked] = field(default_factory=list)
    puts: list[Put] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    pause: Callable[[], None] = lambda: None
    url: str = ""

    def asked(self, resource_id: str) -> list[Asked]:
        """Requests for one file."""
        return [one for one in self.files if resource_id in one.path]


class _Quiet(ThreadingHTTPServer):
    """Clients of these tests are killed and break off; that is no error worth a line."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


@contextmanager
def between(target: str, certificate: str, **options: Any) -> Iterator[Between]:
    """Run one in front of `target`."""
    state = Between(target, certificate, **options)
    parts = urlsplit(target)
    tls = ssl.create_default_context(cafile=certificate)

    class Handler(BaseHTTPRequestHandler):
        """Forwards each request over a connection of its own."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Files, mostly."""
            asked = Asked(self.path, _offset(self.headers.get("Range")), "Authorization" in self.headers)
            if "/download/" in self.path or self.path.endswith("condensed.rtdc"):
                state.files.append(asked)
            self._forward(None, asked)

        def do_POST(self) -> None:
            """Actions."""
            action = self.path.rpartition("/")[2]
            state.actions.append(action)
            self._passed_on(action)

        def do_PUT(self) -> None:
            """Parts of files."""
            self._passed_on("")

        def _passed_on(self, action: str) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self._read(size)
            kind = self.headers.get("Content-Type") or ""
            put = Put(self.path, size, "Authorization" in self.headers)
            if kind.startswith("multipart") or not action or "/upload/" in self.path:
                state.puts.append(put)
            status = state.before(self.path, state.actions.count(action) if action else len(state.puts))
            if status is not None:
                self.close_connection = True
                if status:
                    self.send_error(status)
                return
            if "json" in kind and state.refuses(json.loads(body)):
                told = json.dumps({"success": False, "error": {"message": "refused"}}).encode()
                self._send(Reply(409, {"Content-Length": str(len(told))}, told), Asked(self.path, 0, True))
                return
            put.answered = self._forward(body, Asked(self.path, 0, True)) == 200

        def _read(self, size: int) -> bytes:
            pieces = []
            while size:
                state.pause()
                piece = self.rfile.read(min(_PIECE, size))
                if not piece:
                    raise ConnectionError
                pieces.append(piece)
                size -= len(piece)
            return b"".join(pieces)

        def _forward(self, body: bytes | None, asked: Asked) -> int:
            connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=tls, timeout=60)
            kept = ("Authorization", "Range", "Content-Type")
            headers = {key: value for key, value in self.headers.items() if key in kept}
            connection.request(self.command, self.path, body=body, headers=headers)
            answer = connection.getresponse()
            passed = {key: value for key, value in answer.getheaders() if key.lower() in _PASSED}
            reply = Reply(answer.status, passed, answer)
            if state.hook is not None:
                self._spoil(body, reply)
            with suppress(ConnectionError):
                self._send(reply, asked)
            connection.close()
            return answer.status

        def _spoil(self, body: bytes | None, reply: Reply) -> None:
            assert state.hook is not None
            plain = "json" in (self.headers.get("Content-Type") or "")
            given = json.loads(body) if body and plain else {}
            if body is not None:
                text = reply.body.read()
                reply.body = json.loads(text) if "json" in reply.headers.get("Content-Type", "") else text
            state.hook(self.path, given, reply)
            if isinstance(reply.body, dict):
                reply.body = json.dumps(reply.body).encode()
            if isinstance(reply.body, bytes):
                reply.headers = {key: value for key, value in reply.headers.items() if key.lower() != "content-length"}
                reply.headers["Content-Length"] = str(len(reply.body))

        def _send(self, reply: Reply, asked: Asked) -> None:
            self.send_response(reply.status)
            for key, value in reply.headers.items():
                self.send_header(key, value)
            if not any(key.lower() == "content-length" for key in reply.headers):
                self.send_header("Connection", "close")
            self.end_headers()
            for piece in _pieces(reply.body):
                if reply.cut is not None and asked.sent + len(piece) > reply.cut:
                    self.wfile.write(piece[: reply.cut - asked.sent])
                    self.wfile.flush()
                    self.close_connection = True
                    return
                state.pause()
                self.wfile.write(piece)
                asked.sent += len(piece)
            asked.whole = True

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = _Quiet((LOOPBACK, 0), Handler)
    state.url = f"http://{LOOPBACK}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def _pieces(body: Any) -> Iterator[bytes]:
    if isinstance(body, bytes):
        yield body
    elif hasattr(body, "read"):
        while piece := body.read(_PIECE):
            yield piece
    else:
        yield from body


def _offset(header: str | None) -> int:
    return int(header.removeprefix("bytes=").partition("-")[0]) if header else 0
