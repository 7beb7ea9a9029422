"""Reading from a connection: request heads, and bodies in either framing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from appliance.model.problem import Problem
from appliance.web.gateway.channel import Channel
from appliance.web.gateway.head import bad
from appliance.web.http import Body, PeerGone

_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n\x00]*)?")
_LINE_LIMIT = 4096
_TRAILER_LIMIT = 16384
#: Empty lines that may stand before a request (RFC 9112, 2.2, asks servers to ignore at least one).
MOST_EMPTY_LINES = 4


class _Buffer(threading.local):
    """A thread's receive buffer."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(16384))


_buffer = _Buffer()


class RequestReader:
    """Received bytes that have not been consumed yet, in front of the channel.

    `head` and `collect` may raise BlockingIOError; what has come so far is kept, and they are called again when more is there.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._rest = b""
        self._searched = 0
        self._begun = False
        self._empty_lines = 0

    @property
    def pending(self) -> bool:
        """Received bytes are waiting to be consumed."""
        return bool(self._rest) or self._channel.pending

    @property
    def received(self) -> int:
        """Number of received (and decrypted) bytes that have not been consumed."""
        return len(self._rest)

    def head(self, limit: int, on_first_byte: Callable[[], None]) -> bytes | None:
        """The next request head with its empty line; None when the peer closed before one began.

        `on_first_byte` is called once for each head, also when empty lines come before it. Raises Problem 431 for more than `limit`
        bytes, 400 for too many empty lines, PeerGone when it breaks off.
        """
        if self._rest:
            self._begin(on_first_byte)
        while True:
            while self._rest.startswith(b"\r\n"):
                self._rest = self._rest[2:]
                self._empty_lines += 1
                if self._empty_lines > MOST_EMPTY_LINES:
                    raise bad("There are too many empty lines before the request.")
            end = self._rest.find(b"\r\n\r\n", max(0, self._searched - 3))
            if end > limit or (end < 0 and len(self._rest) > limit):
                raise bad("The head of the request is too long.", 431)
            if end >= 0:
                head, self._rest, self._searched = self._rest[: end + 4], self._rest[end + 4 :], 0
                self._begun, self._empty_lines = False, 0
                return head
            self._searched = len(self._rest)
            if not self._receive():
                if self._rest:
                    raise PeerGone("broken off in the head")
                return None
            self._begin(on_first_byte)

    def _begin(self, on_first_byte: Callable[[], None]) -> None:
        if not self._begun:
            self._begun = True
            on_first_byte()

    def collect(self, length: int) -> bytes:
        """`length` bytes of body. Raises PeerGone when the connection ends first."""
        while len(self._rest) < length:
            if not self._receive():
                raise PeerGone("broken off in the body")
        body, self._rest = self._rest[:length], self._rest[length:]
        return body

    def _receive(self) -> int:
        count = self._channel.recv_into(_buffer.view)
        self._rest += _buffer.view[:count]
        return count

    def readinto(self, view: memoryview) -> int:
        """Some bytes into `view`; 0 at the end of the connection."""
        if not self._rest:
            return self._channel.recv_into(view)
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def holds_chunk(self, after_line: bool) -> bool:
        """Whether the first line of a chunk that is not the last one, and a byte of it, have been received, so that reading does
        not wait.

        :param after_line: the line that ends the chunk before comes first.
        """
        start = 2 if after_line else 0
        end = self._rest.find(b"\r\n", start, start + _LINE_LIMIT)
        return 0 <= end < len(self._rest) - 2 and chunk_size(self._rest[start:end]) > 0

    def line(self, limit: int = _LINE_LIMIT) -> bytes:
        """A line without its CRLF. Raises Problem 400 beyond `limit` bytes, PeerGone."""
        buffer = memoryview(bytearray(4096))
        while (end := self._rest.find(b"\r\n")) < 0:
            if len(self._rest) > limit + 1:
                raise bad("Malformed body.")
            count = self._channel.recv_into(buffer)
            if not count:
                raise PeerGone("broken off in the body")
            self._rest += buffer[:count]
        line, self._rest = self._rest[:end], self._rest[end + 2 :]
        if len(line) > limit:
            raise bad("Malformed body.")
        return line


def chunk_size(line: bytes) -> int:
    """The chunk size [bytes] in a chunk's first line. Raises Problem 400."""
    match = _CHUNK_SIZE.fullmatch(line)
    if match is None:
        raise bad("Malformed chunk.")
    return int(match[1], 16)


class StreamBody(Body):
    """A body that is still arriving. `before` is called before every receive: it answers "Expect: 100-continue" and updates the
    phase.

    :ivar taken: bytes read so far.
    :ivar broken: the framing was violated; nothing sensible can follow on this connection.
    :ivar withheld: tells whether the peer still waits for "100 Continue" before it sends the body.
    """

    streamed = True

    def __init__(
        self, inbox: RequestReader, length: int | None, before: Callable[[], None], after: Callable[[], None]
    ) -> None:
        self.length = length
        self.taken = 0
        self.broken = False
        self.withheld: Callable[[], bool] = lambda: False
        self._inbox = inbox
        self._before = before
        self._after = after

    @property
    def unread(self) -> int | None:
        """Bytes not read yet; None when unknown."""
        raise NotImplementedError

    def readinto(self, buffer: memoryview) -> int:
        """See `Body`."""
        if self.unread == 0 or not len(buffer):
            return 0
        try:
            self._before()
            count = self._receive(buffer)
            self.taken += count
        except Problem:
            self.broken = True
            raise
        except OSError as error:  # a reset or invalid TLS: reported as PeerGone, so that the handler does not report it as an internal error
            self.broken = True
            raise PeerGone(type(error).__name__) from error
        finally:
            self._after()
        if self.unread == 0:
            self.ended()
        return count

    def _receive(self, buffer: memoryview) -> int:
        raise NotImplementedError

    def _some(self, view: memoryview) -> int:
        count = self._inbox.readinto(view)
        if not count:
            raise PeerGone("broken off in the body")
        return count


class LengthBody(StreamBody):
    """A body of announced length."""

    def __init__(
        self, inbox: RequestReader, length: int, before: Callable[[], None], after: Callable[[], None]
    ) -> None:
        super().__init__(inbox, length, before, after)
        self._unread = length

    @property
    def unread(self) -> int:
        """Bytes not read yet."""
        return self._unread

    def _receive(self, buffer: memoryview) -> int:
        count = self._some(buffer[: self._unread])
        self._unread -= count
        return count


class ChunkedBody(StreamBody):
    """A chunked body. Trailers are read and dropped."""

    def __init__(self, inbox: RequestReader, before: Callable[[], None], after: Callable[[], None]) -> None:
        super().__init__(inbox, None, before, after)
        self._chunk = 0
        self._line_due = False  # the line that ends the chunk has not been read yet
        self._ended = False

    @property
    def unread(self) -> int | None:
        """0 after the last chunk, else None."""
        return 0 if self._ended else None

    def _receive(self, buffer: memoryview) -> int:
        """Read as many chunks as have arrived: a call for each chunk would cost twenty times as much if they are one byte long."""
        filled = self._piece(buffer)
        while 0 < filled < len(buffer) and not self._chunk and self._inbox.holds_chunk(self._line_due):
            filled += self._piece(buffer[filled:])
        return filled

    def _piece(self, buffer: memoryview) -> int:
        """Bytes of one chunk; 0 at the end of the body."""
        if self._line_due:
            if self._inbox.line(0):
                raise bad("Malformed chunk.")
            self._line_due = False
        if not self._chunk:
            self._chunk = chunk_size(self._inbox.line())
            if not self._chunk:
                self._trailers()
                return 0
        count = self._some(buffer[: self._chunk])
        self._chunk -= count
        self._line_due = not self._chunk
        return count

    def _trailers(self) -> None:
        total = 0
        while line := self._inbox.line():
            total += len(line)
            if total > _TRAILER_LIMIT:
                raise bad("Malformed body.")
        self._ended = True
