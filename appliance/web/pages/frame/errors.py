"""Refusals and failures as pages: what happened, what to do next, and a number to ask about."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Flask, current_app, g, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from appliance.model.problem import Problem
from appliance.security import policy
from appliance.web.http import retry_after
from appliance.web.pages.frame import missing_rights
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.problem_texts import said
from appliance.web.pages.frame.render import render


def init_app(app: Flask) -> None:
    """Handle everything a view may raise."""
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failure)


def _problem(problem: Problem) -> Any:
    viewer = g.get("viewer")
    if problem.status == 403 and (viewer is None or viewer.anonymous) and request.method == "GET":
        return redirect("/user/login?next=" + quote(request.full_path.rstrip("?")), 303)
    if wants_json():
        return {"error": said(problem) or problem.kind, "fields": problem.fields}, problem.status, retry_after(problem)
    text, link = said(problem), None
    if problem.status == 403 and request.method == "GET":
        missing, url, label = missing_rights.explained()
        text, link = missing or text, {"url": url, "text": label} if missing else None
    return *page(problem.status, text, link=link, ask_at=_ask_at(problem.status)), retry_after(problem)


def _http(error: HTTPException) -> Any:
    if isinstance(error.response, Response):
        return error.response
    if wants_json():
        return {"error": error.name}, error.code or 500
    return page(error.code or 500)


def _failure(error: Exception) -> Any:
    """Something nobody foresaw: record it under a number, show the number only."""
    place = f"{request.method} {request.url_rule.rule if request.url_rule else 'page'}"
    incident = current_app.config["CONTEXT"].incidents.record(place, error)
    if wants_json():
        return {"error": _("Something went wrong on the server."), "incident": incident}, 500
    return page(500, incident=incident)


def wants_json() -> bool:
    """Was this asked by one of our scripts?"""
    return request.headers.get("Accept", "").startswith("application/json")


def _ask_at(status: int) -> str:
    """Where a reader may ask for access to what this address would show, whether there is such a dataset or not; "" for nothing."""
    ref = (request.view_args or {}).get("ref")
    known = g.get("viewer") is not None and policy.may(g.viewer, "access:request")
    if status != 404 or not known or not isinstance(ref, str) or not request.path.startswith("/dataset/"):
        return ""
    return f"/dataset/{quote(ref, safe='')}/request-access"


def page(
    status: int, text: str = "", incident: str = "", link: dict[str, str] | None = None, ask_at: str = ""
) -> tuple[str, int]:
    """The error page of `status`. :param link: where to ask. :param ask_at: where a request for access is sent."""
    title, advice = _words(status)
    return render(
        "error.html",
        title=title,
        status=status,
        text=advice if text.rstrip(".") in ("", title) else text,
        incident=incident,
        link=link,
        ask_at=ask_at,
        contact=current_app.config["CONTEXT"].settings.web.contact,
    ), status


def _words(status: int) -> tuple[str, str]:
    found = {
        400: (_("Invalid request"), _("Go back, check what you entered and try again.")),
        403: (
            _("You don't have permission"),
            _("Ask an admin of the circle for access, or sign in with another account."),
        ),
        404: (
            _("Page not found"),
            _(
                "This page does not exist or you have no access to it. If someone sent you this link, ask them to share it with you."
            ),
        ),
        405: (_("Invalid request"), _("Go back, check what you entered and try again.")),
        409: (_("This cannot be done"), _("Go back, check what you entered and try again.")),
        413: (_("Too large"), _("The request is larger than the server accepts.")),
        429: (_("Too many attempts"), _("Wait a moment and try again.")),
        503: (_("Maintenance"), _("The server is under maintenance. Try again in a few minutes.")),
        507: (_("The data volume is full"), _("Nothing was changed. Tell the administrator.")),
    }
    if status in found:
        return found[status]
    if status < 500:
        return found[400]
    return _("Something went wrong on the server"), _(
        "This is a server error. Try again; if it happens again, give the administrator the number below."
    )
