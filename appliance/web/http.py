"""HTTP messages as plain values: what handlers take and give, whoever carries them.

Nothing here knows sockets, Flask or TLS. The gateway makes a `Request` of what a client sent and sends the `Response`
that a handler returned.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from appliance.model.problem import Problem
from appliance.model.viewer import ANONYMOUS, Viewer
from appliance.security.headers import security_headers

#: What keeps browsers from taking an answer for programs for a page.
GUARDED = [(name, value) for name, value in security_headers("api").items() if name != "Cache-Control"]
#: Phrases that differ between Python releases or from common usage.
_PHRASES = {
    413: "REQUEST ENTITY TOO LARGE",
    414: "REQUEST URI TOO LONG",
    416: "REQUESTED RANGE NOT SATISFIABLE",
    421: "MISDIRECTED REQUEST",
    422: "UNPROCESSABLE ENTITY",
}
#: Seconds after which another try makes sense, by status, unless the Problem says it.
_RETRY = {429: 10, 503: 10}


def reason_phrase(status: int) -> str:
    """The reason phrase in capitals: clients distinguish "NOT FOUND" from "FORBIDDEN" by exactly these words."""
    if status in _PHRASES:
        return _PHRASES[status]
    try:
        return HTTPStatus(status).phrase.upper()
    except ValueError:
        return "UNKNOWN"


def cookie(header: str | None, name: str) -> str | None:
    """The value of the first cookie `name` in the header `Cookie`, None without one."""
    if not header or name not in header:
        return None
    for pair in header.split(";"):
        found, _, value = pair.strip().partition("=")
        if found == name:
            return value.strip('"') or None
    return None


class PeerGone(ConnectionError):
    """The client disconnected or stalled in the middle of a message."""


class Headers:
    """Header fields in order; names are case-insensitive."""

    __slots__ = ("_items", "_values")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = list(items)
        self._values: dict[str, list[str]] = {}
        for name, value in self._items:
            self._values.setdefault(name.lower(), []).append(value)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of `name`, else `default`."""
        values = self._values.get(name.lower())
        return values[0] if values else default

    def get_all(self, name: str) -> list[str]:
        """Every value of `name`, in order."""
        return list(self._values.get(name.lower(), ()))

    def items(self) -> list[tuple[str, str]]:
        """All fields in the order received."""
        return list(self._items)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"Headers({[name for name, _ in self._items]})"  # values may be secrets


class Body:
    """The body of a request, read once and forwards. This one holds bytes; the gateway's read from the connection.

    :ivar length: size [bytes] as announced, None when the client sends chunks.
    :ivar streamed: it arrives while the handler reads it, which may take hours.
    :ivar ended: is called once, when the last byte of a streamed body has been read and before the reader gets it.
    """

    length: int | None
    streamed = False
    ended: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, content: bytes = b"") -> None:
        self.length = len(content)
        self._content = memoryview(content)

    def read(self, n: int) -> bytes:
        """Up to `n` bytes, b"" only at the end. Raises PeerGone, Problem 400 for a malformed body."""
        buffer = bytearray(n)
        count = self.readinto(memoryview(buffer))
        return bytes(buffer[:count])

    def readinto(self, buffer: memoryview) -> int:
        """Fill (a part of) `buffer`; returns the count, 0 only at the end. Raises as `read` does."""
        count = min(len(buffer), len(self._content))
        buffer[:count] = self._content[:count]
        self._content = self._content[count:]
        return count

    def read_all(self, limit: int, taken: Callable[[int], None] = lambda size: None) -> bytes:
        """The whole body; `taken` is told of each piece [bytes]. Raises Problem 413 when it is longer than `limit` bytes, before reading where it is announced."""
        if self.length is not None and self.length > limit:
            raise too_large(limit)
        pieces, total = [], 0
        while piece := self.read(min(65536, limit + 1 - total)):
            pieces.append(piece)
            total += len(piece)
            taken(len(piece))
            if total > limit:
                raise too_large(limit)
        return b"".join(pieces)


def too_large(limit: int) -> Problem:
    """413: more than `limit` bytes."""
    return Problem(413, "Request Entity Too Large", message=f"At most {limit} bytes are accepted here.")


@dataclass(slots=True)
class Request:
    """A client's request.

    :ivar target: the request target as sent (path and query, still percent-encoded).
    :ivar path: the path, percent-decoded, runs of slashes made one.
    :ivar query: the raw query string without "?".
    :ivar client: address of the client.
    :ivar secure: came by TLS.
    :ivar host: the Host header, in lower case, with its port if it had one.
    :ivar viewer: who asks, as the route has found out; nobody until then.
    """

    method: str
    target: str
    path: str
    query: str = ""
    headers: Headers = field(default_factory=Headers)
    body: Body = field(default_factory=Body)
    client: str = ""
    secure: bool = True
    host: str = ""
    viewer: Viewer = ANONYMOUS

    def parameters(self) -> list[tuple[str, str]]:
        """The decoded query parameters in order, empty ones included. Raises Problem 400 for more than 1000."""
        try:
            return parse_qsl(self.query, keep_blank_values=True, max_num_fields=1000)
        except ValueError as error:
            raise Problem(400, "Bad Request", message="The query string has too many parameters.") from error


class FileBody:
    """A piece of a file as the body of a response.

    :param source: path, or a descriptor that this object then owns and closes.
    :param start: first byte.
    :param length: count [bytes]; the file must have them.
    """

    __slots__ = ("_fd", "length", "path", "start")

    def __init__(self, source: Path | int, start: int, length: int) -> None:
        self.path = source if isinstance(source, Path) else None
        self._fd = source if isinstance(source, int) else -1
        self.start = start
        self.length = length

    def open(self) -> int:
        """The descriptor to read from; `close` closes it. Raises FileNotFoundError."""
        if self._fd < 0 and self.path is not None:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        return self._fd

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@dataclass(slots=True)
class Response:
    """A handler's response.

    :ivar reason: phrase of the status line; None for the usual one in capitals.
    :ivar length: size of an iterable body [bytes]; None there means chunked. Known by itself for bytes and files.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | FileBody | Iterable[bytes] = b""
    reason: str | None = None
    length: int | None = None

    @property
    def content_length(self) -> int | None:
        """Size of the body [bytes], None when it is not known beforehand."""
        if isinstance(self.body, bytes):
            return self.length if self.length is not None else len(self.body)
        if isinstance(self.body, FileBody):
            return self.body.length
        return self.length

    def header(self, name: str) -> str | None:
        """The first value of the header `name`."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def close(self) -> None:
        """Release what the body holds: its file, or whatever an iterator's own `close` frees."""
        closer = getattr(self.body, "close", None)
        if closer is not None:
            closer()


def text(status: int, message: str, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """A plain-text response with `Cache-Control: no-store`."""
    fields = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), *GUARDED, *headers]
    return Response(status, fields, message.encode())


def json_response(status: int, value: Any, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """`value` as a JSON response with `Cache-Control: no-store`."""
    fields = [("Content-Type", "application/json;charset=utf-8"), ("Cache-Control", "no-store"), *GUARDED, *headers]
    return Response(status, fields, json.dumps(value, separators=(",", ":")).encode())


def retry_after(problem: Problem) -> list[tuple[str, str]]:
    """The Retry-After header of temporary refusals."""
    seconds = _RETRY.get(problem.status) if problem.wait is None else problem.wait
    return [] if seconds is None else [("Retry-After", str(seconds))]


def problem_text(problem: Problem) -> Response:
    """A Problem as plain text, for clients that do not read JSON."""
    headers = (
        [("Allow", ", ".join(problem.fields["allow"]))] if problem.status == 405 and "allow" in problem.fields else []
    )
    headers += retry_after(problem)
    return text(problem.status, f"{problem}\n", headers)
