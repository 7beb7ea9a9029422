"""Parsing of request heads, strict where leniency would let two parsers read two different requests."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

import httptools

from appliance.model.problem import Problem
from appliance.web.gateway.limits import Limits
from appliance.web.http import Headers

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SLASHES = re.compile(r"/{2,}")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)


@dataclass(slots=True)
class Head:
    """A parsed request head.

    :ivar length: Content-Length [bytes]; None without one or with chunks.
    """

    method: str = ""
    target: str = ""
    path: str = ""
    query: str = ""
    host: str = ""
    version: str = "1.1"
    headers: Headers = field(default_factory=Headers)
    length: int | None = None
    chunked: bool = False
    expects: bool = False
    keep_alive: bool = True


class _Collector:
    """The callbacks that httptools calls while it parses."""

    def __init__(self) -> None:
        self.url = b""
        self.items: list[tuple[str, str]] = []
        self.complete = False

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field, decoded as Latin-1."""
        self.items.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """All headers have been parsed."""
        self.complete = True


def bad(message: str, status: int = 400) -> Problem:
    """400 for a malformed request."""
    return Problem(status, "Bad Request", message=message)


def parse_head(raw: bytes, limits: Limits) -> Head:
    """Parse a request head that ends in an empty line.

    Raises Problem: 400 malformed, 414 target too long, 431 too many headers, 501 unknown transfer coding, 505 version.
    """
    if _has_faulty_lines(raw):
        raise bad("Malformed request.")
    if raw.find(b"\r\n") > limits.line_size:
        raise bad("The address is too long.", 414)
    collector = _Collector()
    parser = httptools.HttpRequestParser(collector)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # upgrades are ignored: the response is HTTP/1.1
    except httptools.HttpParserError as error:
        raise bad("Malformed request.") from error
    if not collector.complete:
        raise bad("Malformed request.")
    if len(collector.items) > limits.header_count:
        raise bad("The request has too many headers.", 431)
    head = Head(
        method=parser.get_method().decode("ascii"),
        version=parser.get_http_version(),
        headers=Headers(collector.items),
    )
    if head.version not in {"1.0", "1.1"}:
        raise bad("Only HTTP/1.0 and HTTP/1.1 are spoken here.", 505)
    _target(head, collector.url.decode("latin-1"))
    _framing(head)
    return head


def _has_faulty_lines(raw: bytes) -> bool:
    """Whether there is a bare CR or LF, a folded line or NUL."""
    ends = raw.count(b"\r\n")
    return raw.count(b"\n") != ends or raw.count(b"\r") != ends or b"\r\n " in raw or b"\r\n\t" in raw or b"\0" in raw


def _target(head: Head, target: str) -> None:
    """Split the request target; find the host."""
    hosts = head.headers.get_all("host")
    if len(hosts) > 1 or (not hosts and head.version == "1.1"):
        raise bad("The request must have one Host header.")
    head.host = hosts[0].strip().lower() if hosts else ""
    if absolute := _ABSOLUTE.match(target):
        head.host = absolute[1].lower()
        target = target[absolute.end() :]
        target = target if target.startswith("/") else f"/{target}"
    if not target.startswith("/") or "#" in target:
        raise bad("Malformed address.")
    path, _, head.query = target.partition("?")
    path = _SLASHES.sub("/", path)
    head.target = path + target[target.index("?") :] if "?" in target else path
    try:
        head.path = _SLASHES.sub("/", unquote_to_bytes(path.encode("latin-1")).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise bad("The address is not UTF-8.") from error
    if _CONTROL.search(head.path):
        raise bad("Malformed address.")


def _framing(head: Head) -> None:
    """Body length. Conflicting headers are refused."""
    lengths = head.headers.get_all("content-length")
    codings = head.headers.get_all("transfer-encoding")
    if codings:
        if lengths or len(codings) > 1 or head.version == "1.0":
            raise bad("The length of the body is ambiguous.")
        if codings[0].strip().lower() != "chunked":
            raise bad("Only chunked transfer coding is known here.", 501)
        head.chunked = True
    elif lengths:
        if len(lengths) > 1 or not lengths[0].isascii() or not lengths[0].isdigit() or len(lengths[0]) > 18:
            raise bad("The length of the body is ambiguous.")
        head.length = int(lengths[0])
    has_body = head.chunked or bool(head.length)
    expect = head.headers.get("expect")
    if expect is not None and head.version == "1.1":
        if expect.strip().lower() != "100-continue":
            raise bad("That expectation can not be met.", 417)
        head.expects = has_body
    connection = {word.strip().lower() for value in head.headers.get_all("connection") for word in value.split(",")}
    head.keep_alive = "keep-alive" in connection if head.version == "1.0" else "close" not in connection
