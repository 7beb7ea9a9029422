"""Sending a `Response`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache

from appliance.web import cpu_slot
from appliance.web.gateway.channel import BLOCK, Channel
from appliance.web.http import FileBody, Response, reason_phrase

_BODYLESS = frozenset({204, 304})
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
_date = (0, "")


def http_date() -> str:
    """The Date header for the current second."""
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, formatdate(now, usegmt=True))
    return _date[1]


def send(channel: Channel, response: Response, *, head_only: bool, version: str, keep_alive: bool) -> tuple[int, bool]:
    """Send `response` and close it, whatever happens; returns the bytes of body sent and whether the connection can be kept.

    Raises OSError when the peer is gone; EOFError when a file or an iterable is shorter than announced;
    ValueError when a header cannot be written.
    """
    length = response.content_length
    bodyless = head_only or response.status in _BODYLESS or response.status < 200
    chunked = length is None and not bodyless and version == "1.1"
    keep_alive = keep_alive and (length is not None or bodyless or chunked)
    try:
        head = _head(response, length, chunked=chunked, keep_alive=keep_alive)
        if bodyless:
            channel.send(head)
            return 0, keep_alive
        if isinstance(response.body, FileBody):
            channel.send_file(head, response.body.open(), response.body.start, response.body.length)
            return response.body.length, keep_alive
        if isinstance(response.body, bytes):
            channel.send(head, response.body)
            return len(response.body), keep_alive
        return _send_iterable(channel, head, response.body, length, chunked=chunked), keep_alive
    finally:
        response.close()


def _head(response: Response, length: int | None, *, chunked: bool, keep_alive: bool) -> bytes:
    status = f"HTTP/1.1 {response.status} {response.reason or reason_phrase(response.status)}"
    _refuse_breaks(status, 0)
    secret = any(name == "Set-Cookie" for name, _ in response.headers)
    block = _block.__wrapped__ if secret else _block
    framing = ""
    if chunked:
        framing = "Transfer-Encoding: chunked\r\n"
    elif length is not None and response.status not in _BODYLESS:
        framing = f"Content-Length: {length}\r\n"
    end = "keep-alive" if keep_alive else "close"
    head = f"{status}\r\nDate: {http_date()}\r\n{block(tuple(response.headers))}{framing}Connection: {end}\r\n\r\n"
    return head.encode("latin-1")


@lru_cache(maxsize=256)
def _block(fields: tuple[tuple[str, str], ...]) -> str:
    """Header fields as lines, without those that the gateway writes itself. Raises ValueError for a line break in one.

    Most responses have one of a few sets of headers, so recent results are cached.
    """
    lines = [f"{name}: {value}\r\n" for name, value in fields if name.lower() not in _HOP_BY_HOP]
    block = "".join(lines)
    _refuse_breaks(block, len(lines))
    return block


def _refuse_breaks(text: str, lines: int) -> None:
    if not text.count("\r") == text.count("\n") == lines or "\0" in text:
        raise ValueError("a response header holds a line break")


def _send_iterable(channel: Channel, head: bytes, body: Iterable[bytes], length: int | None, *, chunked: bool) -> int:
    """Send an iterable body: blocks are gathered to a useful size; the head is sent with the first."""
    cpu_slot.release()
    pending: list[bytes] = [] if chunked else [head]
    if chunked:
        channel.send(head)
    waiting, total = 0, 0
    for piece in body:
        total += len(piece)
        if length is not None and total > length:
            raise EOFError("the body is longer than announced")
        pending.append(piece)
        waiting += len(piece)
        if waiting >= BLOCK or chunked:
            _send_pieces(channel, pending, waiting, chunked=chunked)
            pending, waiting = [], 0
    if pending:
        _send_pieces(channel, pending, waiting, chunked=chunked)
    if chunked:
        channel.send(b"0\r\n\r\n")
    if length is not None and total != length:
        raise EOFError("the body is shorter than announced")
    return total


def _send_pieces(channel: Channel, pieces: list[bytes], size: int, *, chunked: bool) -> None:
    if not chunked:
        channel.send(*pieces)
    elif size:
        channel.send(f"{size:x}\r\n".encode(), *pieces, b"\r\n")
