"""The Flask application that renders the pages; requests reach it through `web.wsgi`.

Downloads, uploads and the API do not come here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, g
from werkzeug.wrappers import Response

from appliance.security.headers import security_headers
from appliance.web.pages import BLUEPRINTS
from appliance.web.pages.account import session
from appliance.web.pages.frame import base, errors, i18n, render

if TYPE_CHECKING:
    from appliance.web.context import Context

_MAX_FORM = 2 * 1024 * 1024  # forms are small; files never come here


class _Pages(Flask):
    """Flask without checking each view for coroutines: none is one."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` unchanged."""
        return func


def create_app(context: Context) -> Flask:
    """The pages of one appliance as a WSGI application.

    :param context: what the service composed; the views reach it as ``app.config["CONTEXT"]``.
    """
    app = _Pages("appliance.web", static_folder=None)
    app.config.update(
        CONTEXT=context, MAX_CONTENT_LENGTH=_MAX_FORM, MAX_FORM_MEMORY_SIZE=_MAX_FORM, TRAP_HTTP_EXCEPTIONS=False
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.before_request(session.load)
    app.after_request(_send_cookie)
    _send_headers(app, context)
    app.teardown_request(base.release)
    i18n.init_app(app)
    render.init_app(app)
    errors.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def _send_cookie(response: Response) -> Response:
    """Add the session cookie."""
    if "cookie" in g and g.cookie:
        response.headers.add("Set-Cookie", g.cookie)
    return response


def _send_headers(app: Flask, context: Context) -> None:
    """Add the page headers to every response, except those that the view (an asset) has set itself.

    They are added outside of Flask, whose response object would check and copy each of them.
    """
    server = context.settings.server
    fixed = security_headers("page", hsts=server.port == 443 and "." in server.hostname)
    named = [(name.lower(), (name, value)) for name, value in fixed.items()]
    application = app.wsgi_app

    def with_headers(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The application's response with the headers it has not set itself."""

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            """WSGI's `start_response`."""
            present = {name.lower() for name, _ in headers}
            headers += [pair for name, pair in named if name not in present]
            return start_response(status, headers, exc_info)

        return application(environ, start)

    app.wsgi_app = with_headers  # type: ignore[method-assign]
