"""Signing in and out at the institution's OpenID provider."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from flask import Blueprint, g, redirect, request
from werkzeug.wrappers import Response

from appliance.actions import directory_accounts, provider_login, provider_sync
from appliance.model.problem import Problem, not_found
from appliance.security import oidc, session_cookies
from appliance.security.https_json import ServerAway
from appliance.web.fair_slots import without_slot
from appliance.web.pages.account.login import page as login_page
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import context, settings, site
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.redirects import local_path

bp = Blueprint("provider", __name__)

#: Holds the secret of the attempt, its time and where to go afterwards; this browser's only.
COOKIE = "__Host-dcor-oidc"
_CLEARED = f"{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
_LONGEST_TARGET = 1000


@bp.get("/user/login/oidc")
@allow("open")
def begin() -> Any:
    """Go to the provider."""
    _require_provider()
    target = local_path(request.args.get("next", "")[:_LONGEST_TARGET])
    try:
        flow, url = without_slot(provider_login.begin)(site())
    except Problem:
        return login_page(target, error=_away()), 503
    response = redirect(url, 303)
    encoded = base64.urlsafe_b64encode(target.encode("utf-8", "replace")).decode()
    value = f"{int(time.time())}.{flow.secret}.{encoded}"
    response.headers.add(
        "Set-Cookie", f"{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={oidc.FLOW_SECONDS}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/user/login/oidc/callback")
@allow("open")
def callback() -> Any:
    """Back from the provider. Only the browser that went there is signed in, once."""
    _require_provider()
    flow, target = _attempt()
    wait = context().limiter.provider_attempt(request.remote_addr or "")
    if wait:
        return _refused(target, _("Too many attempts. Try again in %(time)s.", time=show.duration(wait)), 429)
    told = {key: request.args.get(key, "") for key in ("state", "code", "iss", "error")}
    returned = provider_login.Returned(told["state"], told["code"], told["iss"], told["error"])
    try:
        cookie = without_slot(provider_login.finish)(
            site(), flow, returned, address=request.remote_addr or "", agent=request.headers.get("User-Agent", "")
        )
    except directory_accounts.NotAdmitted:
        text = _("Your institution knows you, but you do not have access to this server yet. Ask your administrator.")
        return _refused(target, text, 403)
    except oidc.Refused:
        return _refused(target, _("Signing in at your institution failed. Try again."), 403)
    except ServerAway:
        return _refused(target, _away(), 503)
    g.cookie = session_cookies.set_cookie(cookie)
    return _cleared(redirect(target, 303))


@bp.post("/user/logout/backchannel")
@allow("open")
def back_channel() -> Response:
    """The provider says that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0)."""
    _require_provider()
    address = request.remote_addr or ""
    wait = context().limiter.logout_attempt(address)
    if wait:
        response = _json(429, {"error": "temporarily_unavailable"})
        response.headers["Retry-After"] = str(wait)
        return response
    try:
        without_slot(provider_sync.signed_out_there)(site(), request.form.get("logout_token", ""))
    except oidc.Refused as refusal:
        return _json(400, {"error": "invalid_request", "error_description": str(refusal)})
    except ServerAway:
        return _json(503, {"error": "temporarily_unavailable"})
    context().limiter.logout_succeeded(address)
    return _json(200, {})


def _attempt() -> tuple[oidc.Flow | None, str]:
    """What this browser's cookie says of its attempt, and where to go afterwards; None without one, or when it is too old."""
    begun, _dot, rest = request.cookies.get(COOKIE, "").partition(".")
    secret, _dot, encoded = rest.partition(".")
    try:
        age = time.time() - int(begun[:20])
        target = base64.urlsafe_b64decode(encoded.encode("ascii")).decode()
    except (ValueError, UnicodeError):
        return None, "/"
    fresh = -oidc.LEEWAY <= age <= oidc.FLOW_SECONDS and len(secret) >= 43
    return (oidc.Flow(secret) if fresh else None), local_path(target)


def _require_provider() -> None:
    """Raises Problem 404 where none is set up."""
    if not settings().oidc.issuer:
        raise not_found()


def _away() -> str:
    return _(
        "Your institution's sign-in service cannot be reached at the moment. Local accounts still work. Try again later."
    )


def _refused(target: str, text: str, status: int) -> Response:
    page = Response(login_page(target, error=text), status=status, content_type="text/html; charset=utf-8")
    return _cleared(page)


def _cleared(response: Response) -> Response:
    response.headers.add("Set-Cookie", _CLEARED)
    response.headers["Cache-Control"] = "no-store"
    return response


def _json(status: int, data: dict[str, str]) -> Response:
    text = json.dumps(data)
    return Response(text, status=status, content_type="application/json", headers={"Cache-Control": "no-store"})
