"""``multipart/form-data`` as a stream: text fields are collected, files go to where the caller wants them.

A file's bytes are handed on as they arrive, and only after the caller has agreed to take them: that is where
permissions, names and sizes are checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import multipart

from appliance.model.messages import Message
from appliance.model.problem import Problem, bad_request
from appliance.web.http import Request
from appliance.web.transfer.file_receiver import BLOCK

#: All text fields together [bytes], and the number of parts.
MAX_TEXT = 8 << 20
MAX_PARTS = 2000
_FIRST_READ = 16384
#: Actions that accept a file.
FILE_ACTIONS = frozenset({"package_revise", "resource_create"})


class Sink(Protocol):
    """Receives a file. `finish` returns the form value that represents it."""

    def write(self, data: bytes) -> None:
        """The next bytes. Raises Problem."""

    def finish(self) -> Any:
        """All bytes have come."""

    def discard(self) -> None:
        """Undo everything; called when the form is incomplete, or later by `Form.discard`."""


#: Called before the first byte of a file: (field name, file name, text fields so far, size) → sink. The size [bytes] is
#: what the file has if nothing follows it in the form, None when that can not be told. Raises Problem to refuse.
OnFile = Callable[[str, str, dict[str, Any], int | None], Sink]


class Form(dict[str, Any]):
    """The values of a form by name; a name given more than once holds a list. Files are what their sinks returned."""

    def __init__(self) -> None:
        super().__init__()
        self.sinks: list[Sink] = []

    def add(self, name: str, value: Any) -> None:
        """Append a value."""
        if name not in self:
            self[name] = value
        elif isinstance(self[name], list):
            self[name].append(value)
        else:
            self[name] = [self[name], value]

    def discard(self) -> None:
        """Remove the files that were not moved elsewhere."""
        for sink in self.sinks:
            sink.discard()


def is_multipart(request: Request) -> bool:
    """Whether the body is a multipart form."""
    return (request.headers.get("Content-Type") or "").lower().startswith("multipart/form-data")


def parse(
    request: Request,
    on_file: OnFile,
    limit: int = MAX_TEXT,
    taken: Callable[[int], None] = lambda size: None,
) -> Form:
    """Read the whole form. The caller has to call `discard` of the result when the files have been used or are not needed.

    An incomplete, malformed or refused form leaves nothing behind.

    :param limit: bytes of all text fields together (never more than `MAX_TEXT`); `taken` is called with the size of each piece.
    :raises Problem: 400 malformed, 413 too much text, or what `on_file` and the sinks raise; PeerGone.
    """
    _, options = multipart.parse_options_header(request.headers.get("Content-Type") or "")
    try:
        parser = multipart.PushMultipartParser(
            options.get("boundary", ""), max_segment_count=MAX_PARTS, max_header_size=8192
        )
    except multipart.MultipartError as error:
        raise bad_request(Message("The form's boundary is missing or malformed.")) from error
    reader = _FormReader(on_file, request.body.length, len(options["boundary"].encode()), min(limit, MAX_TEXT), taken)
    try:
        _feed(parser, request, reader)
    except multipart.ParserLimitReached as error:
        reader.discard()
        raise Problem(413, "Request Entity Too Large", message=Message("The form has too many parts.")) from error
    except multipart.MultipartError as error:
        reader.discard()
        raise bad_request(Message("The form is malformed or incomplete.")) from error
    except Exception:
        reader.discard()
        raise
    return reader.form


def _feed(parser: multipart.PushMultipartParser, request: Request, reader: _FormReader) -> None:
    """Read small blocks until a file begins, so that it can be refused before its bytes are read; then large blocks."""
    buffer = memoryview(bytearray(BLOCK))
    while True:
        wanted = buffer if reader.in_file else buffer[:_FIRST_READ]
        filled = 0
        while filled < len(wanted):
            count = request.body.readinto(wanted[filled:])
            filled += count
            if not count or not reader.in_file:
                break
        if not filled:
            break
        reader.chunk = bytes(wanted[:filled])
        reader.fed += filled
        for event in parser.parse(reader.chunk):
            reader.take(event)
    parser.close()


class _FormReader:
    """Turns the parser's events into a `Form`.

    :ivar chunk: what the parser was fed last; `fed`: how much it was fed in all [bytes].
    """

    def __init__(
        self, on_file: OnFile, length: int | None, boundary: int, most: int, taken: Callable[[int], None]
    ) -> None:
        self.form = Form()
        self.chunk = b""
        self.fed = 0
        self._on_file = on_file
        self._length = length
        self._closing = len("\r\n--") + boundary + len("--\r\n")
        self._segment: Any = None
        self._sink: Sink | None = None
        self._text: list[bytes] = []
        self._text_size = 0
        self._most = most
        self._taken = taken

    @property
    def in_file(self) -> bool:
        """Whether the parser is inside a file."""
        return self._sink is not None

    def take(self, event: Any) -> None:
        """A part begins (MultipartSegment), goes on (bytes) or ends (None)."""
        if event is None:
            self._end()
        elif isinstance(event, bytes | bytearray):
            self._more(bytes(event))
        else:
            if not event.name:
                raise bad_request(Message("A field of the form has no name."))
            self._segment = event
            self._text = []

    def discard(self) -> None:
        """Undo the sinks."""
        if self._sink is not None:
            self.form.sinks.append(self._sink)
            self._sink = None
        self.form.discard()

    def _more(self, data: bytes) -> None:
        if self._segment.filename is not None:
            if self._sink is None:
                self._sink = self._begin_file(self._size(data))
            self._sink.write(data)
            return
        self._text_size += len(data)
        self._taken(len(data))
        if self._text_size > self._most:
            raise Problem(413, "Request Entity Too Large", message=Message("The form's fields are too long."))
        self._text.append(data)

    def _begin_file(self, size: int | None) -> Sink:
        return self._on_file(self._segment.name, self._segment.filename, dict(self.form), size)

    def _size(self, data: bytes) -> int | None:
        """Size of the file that begins with `data`, assuming that it is the form's last part."""
        if self._length is None:
            return None
        position = self.chunk.find(b"\r\n\r\n" + data) + 4
        if position < 4:
            position = len(self.chunk) - len(data)
        return max(len(data), self._length - (self.fed - len(self.chunk) + position) - self._closing)

    def _end(self) -> None:
        if self._segment.filename is not None:
            sink = self._sink or self._begin_file(0)
            self._sink = None
            self.form.sinks.append(sink)
            self.form.add(self._segment.name, sink.finish())
            return
        try:
            self.form.add(self._segment.name, b"".join(self._text).decode("utf-8"))
        except UnicodeDecodeError as error:
            raise bad_request(Message("A field of the form is not UTF-8.")) from error
