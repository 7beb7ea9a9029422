"""Who sits at the browser: the session cookie read at the start of each request, and forged requests refused."""

from __future__ import annotations

from flask import g, request

from appliance.model.problem import Problem
from appliance.security import csrf, session_cookies
from appliance.store import announcements, notifications, users
from appliance.web import authentication
from appliance.web.pages.frame.base import conn, context, settings
from appliance.web.pages.frame.i18n import gettext as _


def load() -> None:
    """Find the viewer of this request (`g.viewer`). Raises Problem 403 for a change that another site asked for."""
    g.generation = context().cache.generation()  # before anything is read
    g.viewer, g.person = authentication.anonymous(settings().policy, request.remote_addr or ""), None
    g.pending_rule = None
    if request.path.startswith("/static/"):
        return
    cookie = request.cookies.get(session_cookies.COOKIE)
    if cookie:
        found = authentication.by_session(context(), cookie, request.remote_addr or "")
        if not found.anonymous:
            g.viewer = authentication.guarded(context(), found)
            g.person = context().cache.get(("person", found.user_id), lambda: users.find(conn(), found.user_id))
            (g.news,) = context().cache.get(("news", found.user_id), lambda: (notifications.has_new(conn(), found),))
    (g.banner,) = context().cache.get("announcement", lambda: (announcements.announcement(conn()),))
    _refuse_forged()


def _refuse_forged() -> None:
    refusal = csrf.refusal(
        request.method,
        sec_fetch_site=request.headers.get("Sec-Fetch-Site"),
        origin=request.headers.get("Origin"),
        host=request.host,
        scheme=request.scheme,
    )
    if refusal:
        raise Problem(
            403,
            "Authorization Error",
            message=_("This change was requested by another site. Open the page here and try again."),
        )
