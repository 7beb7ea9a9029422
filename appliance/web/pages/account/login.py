"""Signing in and out, and setting a password with a one-time link."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, g, redirect, request
from werkzeug.wrappers import Response

from appliance.actions import accounts, directory_accounts, login, provider_sync, second_factor
from appliance.model.problem import Problem
from appliance.security import ldap, session_cookies
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import settings, site
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.redirects import local_path
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("login", __name__)


@bp.get("/user/login")
@allow("open")
def form() -> str | Response:
    """The log-in page; whoever is signed in goes on."""
    target = local_path(request.args.get("next", ""))
    return page(target) if g.viewer.anonymous else redirect(target, 303)


@bp.post("/user/login")
@allow("open")
def sign_in() -> Any:
    """Start a session. Wrong name and wrong password look and last the same."""
    name, password = request.form.get("login", "").strip(), request.form.get("password", "")
    target, address = local_path(request.form.get("next", "")), request.remote_addr or ""
    try:
        cookie = login.sign_in(site(), name, password, address=address, agent=request.headers.get("User-Agent", ""))
    except login.TooManyAttempts as problem:
        return page(target, name, _("Too many attempts. Try again in %(time)s.", time=show.duration(problem.wait))), 429
    except ldap.DirectoryAway:
        text = _(
            "Your institution's directory cannot be reached at the moment. Local accounts still work. Try again later."
        )
        return page(target, name, text), 503
    except directory_accounts.NotAdmitted:
        text = _("Your institution knows you, but you do not have access to this server yet. Ask your administrator.")
        return page(target, name, text), 403
    if cookie is None:
        return page(target, name, _("Wrong user name or password.")), 401
    if isinstance(cookie, login.SecondStep):
        return _code_page(target, cookie.secret)
    g.cookie = session_cookies.set_cookie(cookie)
    return redirect(target, 303)


@bp.post("/user/login/code")
@allow("open")
def second_step() -> Any:
    """A code of the app, or a recovery code, after the password."""
    secret, code = request.form.get("secret", ""), request.form.get("code", "")
    target, address = local_path(request.form.get("next", "")), request.remote_addr or ""
    try:
        cookie = login.finish(site(), secret, code, address=address, agent=request.headers.get("User-Agent", ""))
    except (login.TooManyAttempts, second_factor.TooManyCodes) as problem:
        wait = _("Too many attempts. Try again in %(time)s.", time=show.duration(problem.wait))
        return _code_page(target, secret, wait), 429
    except Problem as problem:
        if problem.status == 503:
            return _code_page(
                target,
                secret,
                _("Codes cannot be checked at the moment; recovery codes still work. Ask your administrator."),
            ), 503
        return page(target, "", _("Signing in took too long. Start again with your user name and password.")), 401
    if cookie is None:
        return _code_page(
            target, secret, _("The code is wrong or has already been used. Wait for the app's next code.")
        ), 401
    g.cookie = session_cookies.set_cookie(cookie)
    return redirect(target, 303)


@bp.post("/user/logout")
@allow("open")
def sign_out() -> Response:
    """End the session, on the server too."""
    cookie, elsewhere = request.cookies.get(session_cookies.COOKIE), ""
    if cookie and not g.viewer.anonymous:
        elsewhere = provider_sync.sign_out_address(site(), g.viewer.session_id)
        login.sign_out(site(), g.viewer, cookie)
    g.cookie = session_cookies.clear_cookie()
    if elsewhere:  # a page, as browsers follow no redirection of a form to another host here
        return Response(
            render("account/signed-out.html", title=_("Sign out"), elsewhere=elsewhere, provider=provider_name()),
            content_type="text/html; charset=utf-8",
            headers={"Cache-Control": "no-store"},
        )
    return back_to("/user/login", done="signed-out")


@bp.get("/user/password/<secret>")
@allow("open")
def password_form(secret: str) -> str:
    """The form of a one-time link. Whether the link is still valid is checked when it is used."""
    return render("account/set-password.html", title=_("Set your password"), errors={})


@bp.post("/user/password/<secret>")
@allow("open")
def set_password(secret: str) -> Any:
    """Use up a one-time link."""
    new = request.form.get("password", "")
    if new != request.form.get("again", ""):
        return render(
            "account/set-password.html",
            title=_("Set your password"),
            errors={"again": _("The two passwords do not match.")},
        ), 409
    try:
        accounts.use_link(
            site(), secret, new, address=request.remote_addr or "", revoke_tokens="revoke_tokens" in request.form
        )
    except Problem as problem:
        if not problem.fields:
            raise
        return render("account/set-password.html", title=_("Set your password"), errors=messages(problem)), 409
    return back_to("/user/login", done="password")


def _code_page(target: str, secret: str, error: str = "") -> Response:
    contact = settings().web.contact
    text = render(
        "account/login-code.html",
        title=_("Two-step sign-in"),
        next=target,
        secret=secret,
        error=error,
        help=_("Lost your phone and your recovery codes? Ask your administrator: %(contact)s.", contact=contact)
        if contact
        else _("Lost your phone and your recovery codes? Ask your administrator."),
    )
    return Response(text, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})


def provider_name() -> str:
    """What the OpenID provider is called on pages; "" without one."""
    chosen = settings().oidc
    return chosen.name or urlsplit(chosen.issuer).hostname or ""


def page(target: str, name: str = "", error: str = "") -> str:
    """The log-in page, with what was typed and what is wrong."""
    contact = settings().web.contact
    directory = bool(settings().ldap.servers)
    text = (
        _("No account, or forgotten your password? Ask your administrator: %(contact)s.", contact=contact)
        if contact
        else _("No account, or forgotten your password? Ask your administrator.")
    )
    return render(
        "account/login.html",
        title=_("Sign in"),
        next=target,
        login=name,
        error=error,
        help=text,
        hint=_("Use your institution's user name and password.") if directory else "",
        provider=provider_name(),
        provider_url=f"/user/login/oidc?{urlencode({'next': target})}",
        may_register=settings().policy.self_registration,
    )
