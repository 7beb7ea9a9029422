"""The only way into the pages: the Flask application, run by waitress' WSGI task in the worker's thread.

The request is parsed and its body received before the application is called, so that slow clients do not occupy it. The task
makes the WSGI environment, validates the response and closes it; nothing is serialized and parsed again. Another thread, or a
socket to a second server, would cost several times as much as the page itself.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from waitress.adjustments import Adjustments
from waitress.task import WSGITask

from appliance.security.limits import network
from appliance.web import authentication, fair_slots, page_answers
from appliance.web.body_budget import BodyBudget
from appliance.web.http import Request, Response, too_large
from appliance.web.routes import Route, route

if TYPE_CHECKING:
    import re

    from appliance.web.context import Context

#: A WSGI application.
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Headers that end at the gateway: they belong to one connection, or could be used to impersonate the gateway.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "expect", "content-length", "host", "forwarded", "x-real-ip"}
)
_FORWARDED = "x-forwarded-"
#: Response headers that the gateway writes itself.
_WRITTEN_BY_GATEWAY = frozenset({"connection", "keep-alive", "content-length", "date", "server", "via"})
_METHODS = "GET POST PUT PATCH DELETE OPTIONS"
_ADJUSTMENTS = Adjustments(ident="DCOR")
_BLOCK = 65536
#: Bodies up to this size are kept in memory while they are received, longer ones in a temporary file [bytes].
_IN_MEMORY = 65536


def pages_route(
    application: Application,
    *,
    at_once: int = 4,
    body_limit: int = 16 << 20,
    bodies: BodyBudget | None = None,
    keeps: bool = True,
) -> Route:
    """The route of all addresses that no other route has.

    :param at_once: pages rendered at the same time; more only take the interpreter's lock from each other. Those that wait
        for something else give their slot to others meanwhile (`fair_slots.without_slot`).
    :param body_limit: bytes of a request's body; a longer one is a Problem 413.
    :param bodies: what counts the bodies of all requests; those of pages count for the client's network.
    :param keeps: answers that may be kept are kept in the context's cache (`page_answers`).
    """
    slots = fair_slots.for_pages(at_once)
    budget = bodies or BodyBudget()

    def pages(context: Context, request: Request, match: re.Match[str]) -> Response:
        """The cached response, else the application's."""
        kept = page_answers.look_up(context, request) if keeps else None
        if kept is not None:
            return kept
        place = network(request.client)
        caller = authentication.recognised(context, request) or place
        if request.body.length == 0:
            with slots.held(caller):
                environ: dict[str, Any] = {}
                response = ask(application, request, environ=environ)
            if keeps:
                page_answers.keep(context, environ, response)
            return response
        with budget.share(place) as share, received(request, body_limit, share.grow) as body, slots.held(caller):
            return ask(application, request, body)

    return route(_METHODS, r"/.*", "open", pages, last=True)


def received(request: Request, limit: int, taken: Callable[[int], None] = lambda size: None) -> IO[bytes]:
    """The complete body of a request. :param taken: called with the size of each piece [bytes]. Raises Problem 413, PeerGone."""
    if request.body.length is not None and request.body.length > limit:
        raise too_large(limit)
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
        while piece := request.body.read(_BLOCK):
            taken(len(piece))
            file.write(piece)
            if file.tell() > limit:
                raise too_large(limit)
        stack.pop_all()
    return file


def ask(
    application: Application,
    request: Request,
    body: IO[bytes] | None = None,
    environ: dict[str, Any] | None = None,
) -> Response:
    """The application's response to a request with `body`. :param environ: is filled with the WSGI environment."""
    task = _Task(application, request, body, {} if environ is None else environ)
    task.service()
    headers = [(name, value) for name, value in task.response_headers if name.lower() not in _WRITTEN_BY_GATEWAY]
    status, _, reason = task.status.partition(" ")
    length = task.content_length if request.method == "HEAD" else None
    return Response(int(status), headers, b"".join(task.written), reason, length)


class _Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    """Waitress' task, with this object in place of its channel and server.

    :ivar written: what the application has answered.
    """

    version = "1.1"
    adj = _ADJUSTMENTS

    def __init__(
        self, application: Application, request: Request, body: IO[bytes] | None, environ: dict[str, Any]
    ) -> None:
        self.application = application
        self._environ = environ
        self.written: list[bytes] = []
        self.response_headers: list[tuple[str, str]] = []
        self.channel = self.server = self
        self.request = _Parsed(request, body)
        self.addr = (request.client, 0)
        host, _, port = request.host.rpartition(":")
        self.server_name = host if port.isdigit() else request.host
        self.effective_port = port if port.isdigit() else ("443" if request.secure else "80")
        self.write_soon = self.written.append

    def get_environment(self) -> dict[str, Any]:
        """As in waitress, but without `wsgi.file_wrapper`: responses are bytes here."""
        self._environ.update(super().get_environment())
        self._environ.pop("wsgi.file_wrapper", None)
        return self._environ

    def build_response_header(self) -> bytes:
        """No-op: the gateway writes the response's head."""
        return b""

    def check_client_disconnected(self) -> bool:
        """Always false: the connection is not read meanwhile."""
        return False


class _Parsed:
    """A request in the form that waitress' parser produces."""

    def __init__(self, request: Request, body: IO[bytes] | None) -> None:
        self.command = request.method
        self.path = request.path.encode().decode("latin-1")  # PEP 3333: the path's bytes, decoded as Latin-1
        self.query = request.query
        self.request_uri = request.target
        self.url_scheme = "https" if request.secure else "http"
        self.headers = _headers(request)
        self._body = body
        if body is None:
            self.headers.pop("CONTENT_TYPE", None)
        else:
            self.headers["CONTENT_LENGTH"] = str(body.tell())
            body.seek(0)

    def get_body_stream(self) -> IO[bytes]:
        """The body from its beginning."""
        return io.BytesIO() if self._body is None else self._body


def _headers(request: Request) -> dict[str, str]:
    """The headers passed to the application. Names with underscores are dropped: in CGI variables they could imitate others."""
    found = {"HOST": request.host}
    for name, value in request.headers:
        lower = name.lower()
        if lower in HOP_BY_HOP or "_" in lower or lower.startswith(_FORWARDED):
            continue
        key = lower.upper().replace("-", "_")
        found[key] = f"{found[key]}{';' if lower == 'cookie' else ','} {value}" if key in found else value
    return found
