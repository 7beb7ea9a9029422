"""The Flask application that renders the pages; requests reach it through `web.wsgi`.

Downloads, uploads and the API do not come here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, g
from werkzeug.wrappers import Response

from appliance.security.headers import security_headers
from appliance.web.pages import BLUEPRINTS
from appliance.web.pages.account import session
from appliance.web.pages.frame import base, errors, i18n, render

if TYPE_CHECKING:
    from appliance.web.context import Context

_MAX_FORM = 2 * 1024 * 1024  # forms are small; files never come here


def create_app(context: Context) -> Flask:
    """The pages of one appliance as a WSGI application.

    :param context: what the service composed; the views reach it as ``app.config["CONTEXT"]``.
    """
    app = Flask("appliance.web", static_folder=None)
    app.config.update(
        CONTEXT=context, MAX_CONTENT_LENGTH=_MAX_FORM, MAX_FORM_MEMORY_SIZE=_MAX_FORM, TRAP_HTTP_EXCEPTIONS=False
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.before_request(session.load)
    _send_headers(app, context)
    app.teardown_request(base.release)
    i18n.init_app(app)
    render.init_app(app)
    errors.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def _send_headers(app: Flask, context: Context) -> None:
    """Every answer carries the page headers, unless the view (an asset) has set its own."""
    server = context.settings.server
    fixed = security_headers("page", hsts=server.port == 443 and "." in server.hostname)

    @app.after_request
    def headers(response: Response) -> Response:
        """Add the headers that the view has not set itself, and the session's cookie."""
        present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 (iterating gives pairs)
        for name, value in fixed.items():
            if name.lower() not in present:
                response.headers.add(name, value)
        if g.get("cookie"):
            response.headers.add("Set-Cookie", g.cookie)
        return response
