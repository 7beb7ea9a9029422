"""Registering an account oneself: only on a playground, where the site allows it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from appliance.actions import accounts
from appliance.model.problem import Problem, not_authorized
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import context, settings, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("register", __name__)


def _require_offered() -> None:
    if not settings().policy.self_registration:
        raise not_authorized(_("Ask your administrator for an account."))


@bp.get("/user/register")
@allow("open")
def form() -> str:
    """The form, where registration is offered."""
    _require_offered()
    return _page({}, {})


@bp.post("/user/register")
@allow("open")
def register() -> Any:
    """Make the account; its owner signs in next."""
    _require_offered()
    values = {key: request.form.get(key, "").strip() for key in ("name", "fullname", "email")}
    password = request.form.get("password", "")
    wait = context().limiter.registration(request.remote_addr or "")
    if wait:
        error = _("Too many attempts. Try again in %(time)s.", time=show.duration(wait))
        return _page(values, {"form": error}), 429
    try:
        if not password:
            raise Problem(409, "Validation Error", {"password": ["Missing value"]})
        accounts.create(site(), viewer(), values | {"password": password})
    except Problem as problem:
        if problem.status != 409:
            raise
        return _page(values, messages(problem)), 409
    return back_to("/user/login", done="registered")


def _page(values: dict[str, str], errors: dict[str, str]) -> str:
    return render("account/register.html", title=_("Register"), values=values, errors=errors)
