"""The pages' application called in the connection's own thread, for requests without a body.

The way through waitress costs a page seven times of what the page itself costs: a connection for each request, three threads
that wake each other, and HTTP written and parsed twice. So only forms go there, whose bodies must not be read in a thread that an
application waits in; everything else is asked here, as waitress would ask it.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from appliance.web.gateway.fallback import ANSWER_HOP_BY_HOP, FORWARDED, HOP_BY_HOP
from appliance.web.http import Request, Response
from appliance.web.routes import Route, route

if TYPE_CHECKING:
    import re

    from appliance.web.context import Context

#: A WSGI application.
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Nothing of a body that is not there.
_DROPPED = HOP_BY_HOP | {"content-type"}

#: More pages at once only take the interpreter's lock from each other.
_few_at_once = threading.BoundedSemaphore(4)


def pages_route(application: Application) -> Route:
    """The route of all addresses that no other route has, for GET and HEAD without a body."""

    def pages(context: Context, request: Request, match: re.Match[str]) -> Response:
        """A few at once; the others wait here."""
        with _few_at_once:
            return ask(application, request)

    return route("GET", r"/.*", "open", pages, last=True)


def ask(application: Application, request: Request) -> Response:
    """The application's answer to a request without a body."""
    said: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        """As WSGI has it (PEP 3333): the last call counts."""
        said[:] = [(status, headers)]
        return written.append

    pieces = application(environment(request), start_response)
    try:
        written += pieces
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
    status, headers = said[0]
    number, _, reason = status.partition(" ")
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), None)
    body = b"".join(written)
    fields = [(name, value) for name, value in headers if name.lower() not in ANSWER_HOP_BY_HOP]
    return Response(int(number), fields, body, reason, length if request.method == "HEAD" else None)


def environment(request: Request) -> dict[str, Any]:
    """The request as PEP 3333 has it. Names with an underscore are dropped: they could pass for others."""
    host, _, port = request.host.rpartition(":")
    if not port.isdigit():
        host, port = request.host, "443" if request.secure else "80"
    found: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": request.query,
        "REQUEST_URI": request.target,
        "REMOTE_ADDR": request.client,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": request.host,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if request.secure else "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        lower = name.lower()
        if lower in _DROPPED or "_" in lower or lower.startswith(FORWARDED):
            continue
        key = "HTTP_" + lower.upper().replace("-", "_")
        found[key] = f"{found[key]}{';' if lower == 'cookie' else ','} {value}" if key in found else value
    return found
