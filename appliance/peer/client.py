"""HTTP to another DCOR: bounded answers, few redirections, a pause before each repetition.

Nothing that comes from there is believed: sizes are limited before they are read, and the token goes to no other server.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from appliance import __version__
from appliance.model import values
from appliance.model.problem import Problem, invalid
from appliance.model.server_address import Address, redirected, refused
from appliance.model.values import decoded

#: Most bytes of an answer of the API, and seconds until it must be complete.
MOST_ANSWER = 96 << 20
_ANSWER_TIME = 600.0
_TIMEOUT = 60.0  # seconds without a byte
_REDIRECTIONS = 5
#: Seconds before each repetition of a request that failed for a reason that may pass.
WAITS = (1.0, 2.0, 5.0, 15.0, 30.0)
_PIECE = 1 << 16
_AGENT = f"DCOR-Appliance/{__version__}"
_REDIRECTS = (301, 302, 303, 307, 308)


class Refusal(Exception):
    """The server answered, and said no (4xx). :ivar status: of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class TooLarge(Exception):
    """The answer was larger than allowed; a smaller page may fit."""


class Passing(Exception):
    """A failure that may pass: no connection, a broken one, a server that is overloaded."""


@dataclass(slots=True)
class Body:
    """The body of a file's answer. :ivar start: offset of its first byte; :ivar total: size of the whole file, None when not told."""

    start: int
    total: int | None
    _answer: http.client.HTTPResponse

    def read_into(self, buffer: memoryview) -> int:
        """Fill `buffer` as far as bytes are there; 0 at the end. Raises Passing."""
        try:
            return self._answer.readinto(buffer)
        except (OSError, http.client.HTTPException) as error:
            raise Passing(_reason(error)) from error


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to a body that was sent. :ivar etag: as the header has it."""

    status: int
    etag: str
    body: bytes


class Client:
    """One other server, asked with one token. Threads may share it; each has its own connection. :ivar notes: none.

    :param cacert: certificates that are trusted besides the system's (a server's own, or a private authority's).
    :param storage: hosts (with ports) to which its files may be redirected.
    """

    notes: Sequence[str] = ()

    def __init__(
        self,
        address: Address,
        token: str = "",
        *,
        cacert: Path | None = None,
        storage: Sequence[str] = (),
        waits: Sequence[float] | None = None,
    ) -> None:
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise invalid(message="What was passed as a token is not one.")
        self.address = address
        self.waits = tuple(WAITS if waits is None else waits)
        self._token = token
        self._reached = False  # has it answered at all, whatever it said?
        self._storage = frozenset(one.lower() for one in storage)
        self._tls = _tls(cacert)
        self._connections = threading.local()

    # --- the API ----------------------------------------------------------------------------------------------------

    def call(self, action: str, *, most: int = MOST_ANSWER, **parameters: Any) -> Any:
        """The result of an action. Raises Refusal (4xx), TooLarge, or Problem 502 without an answer: after all repetitions, or at
        once when the server has never answered."""
        body = json.dumps(parameters).encode()
        failure = ""
        for wait in (0.0, *self.waits):
            time.sleep(wait)
            try:
                return self._called(action, body, most)
            except Passing as passing:
                failure = str(passing)
                if not self._reached:  # a wrong name or port is told at once
                    break
        raise refused(f"{self.address.name} does not answer {action}: {failure}.")

    def once(self, action: str, **parameters: Any) -> Any:
        """The same without repetition, for what must not happen twice. Raises Passing when it is not known whether it happened."""
        self._drop(self.address)  # over a kept connection it would be sent again where the server had just closed it
        return self._called(action, json.dumps(parameters).encode(), MOST_ANSWER)

    def _called(self, action: str, body: bytes, most: int) -> Any:
        headers = {"Content-Type": "application/json"}
        path = f"{self.address.path}/api/3/action/{action}"
        answer = self._ask(self.address, "POST", path, headers, body)
        if answer.status in _REDIRECTS:
            self._drop(self.address)
            raise refused(
                f"{self.address.name} redirects calls of its API; use the address at which a browser ends up."
            )
        try:
            text = _whole(answer, most)
        except (OSError, http.client.HTTPException) as error:
            self._drop(self.address)
            raise Passing(_reason(error)) from error
        except (TooLarge, Passing):
            self._drop(self.address)
            raise
        return self._result(action, answer.status, text)

    def _result(self, action: str, status: int, text: bytes) -> Any:
        if status >= 500 or status == 429:
            raise Passing(f"it says {status}")
        try:
            data = decoded(text)
        except ValueError as error:
            raise refused(f"{self.address.name} answers {action} with something that is not JSON.") from error
        if status >= 400:
            raise Refusal(status, _message(data))
        if not isinstance(data, Mapping) or data.get("success") is not True or "result" not in data:
            raise refused(f"{self.address.name} does not answer {action} as a DCOR does.")
        return data["result"]

    # --- files ------------------------------------------------------------------------------------------------------

    @contextmanager
    def file(self, path: str, offset: int = 0) -> Iterator[Body]:
        """The bytes of a file from `offset` on (or from its begin, where the server knows no ranges).

        Raises Refusal, Passing, or Problem 502 for a redirection that is not allowed.
        """
        server, target = self.address, self.address.path + path
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        for _ in range(_REDIRECTIONS):
            answer = self._ask(server, "GET", target, headers, None)
            if answer.status not in _REDIRECTS:
                break
            location = answer.getheader("Location") or ""
            self._drop(server)
            server, target = redirected(
                self.address, f"{server.scheme}://{server.name}{target}", location, self._storage
            )
        else:
            raise refused(f"{self.address.name} redirects in a circle.")
        try:
            yield self._body(answer, offset)
        finally:
            if not answer.isclosed():
                self._drop(server)  # its connection still holds bytes of this answer

    def _body(self, answer: http.client.HTTPResponse, offset: int) -> Body:
        if answer.status >= 500 or answer.status == 429:
            raise Passing(f"it says {answer.status}")
        if answer.status == 416:
            return Body(0, None, answer)
        if answer.status not in (200, 206):
            raise Refusal(answer.status, f"the file is answered with {answer.status}")
        if answer.getheader("Content-Encoding", "identity") != "identity":
            raise Refusal(answer.status, "the file is sent in a compressed form that was not asked for")
        length = _number(answer.getheader("Content-Length"))
        if answer.status == 200:
            return Body(0, length, answer)
        unit, _, total = (answer.getheader("Content-Range") or "").partition("/")
        start = _number(unit.removeprefix("bytes ").partition("-")[0])
        if start != offset:
            raise Refusal(206, "the server sends another part of the file than was asked for")
        return Body(offset, _number(total), answer)

    def send_form(
        self, action: str, headers: Mapping[str, str], pieces: Iterable[bytes | memoryview], size: int
    ) -> Any:
        """The result of an action that is given a form with a file of `size` bytes in all, sent once. Raises Refusal, Passing, Problem 502."""
        place = (self.address, f"{self.address.path}/api/3/action/{action}")
        sent = self.send(place, "POST", {**headers, **self._credential(self.address)}, pieces, size)
        if sent.status in _REDIRECTS:
            raise refused(f"{self.address.name} redirects calls of its API; nothing is sent elsewhere.")
        return self._result(action, sent.status, sent.body)

    def send(
        self,
        place: tuple[Address, str],
        method: str,
        headers: Mapping[str, str],
        pieces: Iterable[bytes | memoryview],
        size: int,
    ) -> Sent:
        """Send a body of `size` bytes once, without the token, over a connection of its own. Raises Passing, Problem 502."""
        server, path = place
        self._drop(server)  # what was sent into a connection that the server has closed meanwhile cannot be sent again
        connection = self._connect(server)
        given = {"User-Agent": _AGENT, "Content-Length": str(size), **headers}
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # an answer may have come before everything was sent
                connection.request(method, path, body=pieces, headers=given)
            answer = connection.getresponse()
            return Sent(answer.status, answer.getheader("ETag") or "", _whole(answer, MOST_ANSWER))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failure(server, error) from error
        finally:
            connection.close()

    # --- connections ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections of this thread."""
        for connection in vars(self._connections).pop("open", {}).values():
            connection.close()

    def _ask(
        self, server: Address, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        """Send a request and read the head of its answer. Raises Passing."""
        sent = {"User-Agent": _AGENT, **headers, **self._credential(server)}
        held: dict[Any, http.client.HTTPConnection] = self._connections.__dict__.setdefault("open", {})
        for fresh in (False, True):  # a kept connection may have been closed by the server meanwhile
            connection = held.get(server.origin)
            kept = connection is not None
            if connection is None:
                connection = held[server.origin] = self._connect(server)
            try:
                connection.request(method, path, body=body, headers=sent)
                answer = connection.getresponse()
                self._reached = True
                return answer
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._drop(server)
                if fresh or not kept or isinstance(error, TimeoutError):
                    raise self._failure(server, error) from error
        raise AssertionError  # pragma: no cover

    def _credential(self, server: Address) -> dict[str, str]:
        """The token, for the server that it belongs to only."""
        return {"Authorization": self._token} if self._token and server.origin == self.address.origin else {}

    def _failure(self, server: Address, error: Exception) -> Exception:
        if isinstance(error, ssl.SSLCertVerificationError):
            return refused(
                f"The certificate of {server.name} is not trusted ({error.verify_message}). If it is self-signed or from a private authority, name the file: --cacert FILE"
            )
        return Passing(_reason(error))

    def _connect(self, server: Address) -> http.client.HTTPConnection:
        if server.scheme == "http":
            return http.client.HTTPConnection(server.host, server.port, timeout=_TIMEOUT)
        proxy = "" if urllib.request.proxy_bypass(server.host) else urllib.request.getproxies().get("https", "")
        if not proxy:
            return http.client.HTTPSConnection(server.host, server.port, timeout=_TIMEOUT, context=self._tls)
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port or 3128, timeout=_TIMEOUT, context=self._tls
        )
        connection.set_tunnel(server.host, server.port)
        return connection

    def _drop(self, server: Address) -> None:
        connection = self._connections.__dict__.get("open", {}).pop(server.origin, None)
        if connection is not None:
            with suppress(OSError):
                connection.close()


def _tls(cacert: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cacert is not None:
        try:
            context.load_verify_locations(cafile=os.fspath(cacert))
        except (OSError, ssl.SSLError) as error:
            raise invalid(message=f"{cacert} contains no readable certificate in PEM format.") from error
    return context


def _whole(answer: http.client.HTTPResponse, most: int) -> bytes:
    """The body, of at most `most` bytes."""
    pieces, size, deadline = [], 0, time.monotonic() + _ANSWER_TIME
    while piece := answer.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise TooLarge(f"an answer has more than {most} bytes")
        if time.monotonic() > deadline:
            raise Passing(f"an answer was not complete after {_ANSWER_TIME:.0f} s")
    if answer.length:  # it ended before its announced length
        raise Passing("an answer broke off")
    return b"".join(pieces)


def _message(data: Any) -> str:
    """What an error of CKAN's says, as one line of printable characters."""
    error = data.get("error") if isinstance(data, Mapping) else data
    if isinstance(error, Mapping):
        error = error.get("message") or {key: value for key, value in error.items() if key != "__type"}
    return printable(error if isinstance(error, str) else json.dumps(error, ensure_ascii=False))


def printable(text: object, most: int = 200) -> str:
    """A text from outside for a terminal: one line, no control characters, not too long."""
    clean = values.printable(str(text)[: most + 1])
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def _number(text: str | None) -> int | None:
    """A natural number of a header, None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "nothing comes any more"
    return printable(getattr(error, "strerror", None) or error or type(error).__name__)


__all__ = ["MOST_ANSWER", "WAITS", "Body", "Client", "Passing", "Problem", "Refusal", "Sent", "TooLarge", "printable"]
