"""My API tokens."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

from flask import Blueprint, make_response, request
from werkzeug.wrappers import Response

from appliance.actions import accounts
from appliance.model.problem import not_found
from appliance.security.tokens import SCOPES
from appliance.store import tokens as rows
from appliance.store import users
from appliance.web.pages.account import frame as account
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow, require_object
from appliance.web.pages.frame.base import conn, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("tokens", __name__)

_SCOPE_WORDS = {
    "read": (N_("Read"), N_("Read: search, download, open in DCscope"), ""),
    "write": (N_("Read and write"), N_("Read and write: also upload and edit (DCOR-Aid)"), "info"),
    "admin": (N_("Administration"), N_("Administration: everything an administrator can do"), "warn"),
}
_LIFETIMES = {"90": N_("in 90 days"), "180": N_("in 180 days"), "365": N_("in one year"), "": N_("never")}


def owner(name: str) -> sqlite3.Row:
    """The user whose page it is, if the viewer may do what the route declares. Raises Problem 404 or 403."""
    row = users.find(conn(), name)
    if row is None or row["state"] == "deleted":
        require_object("")  # who may not look is refused alike, whether there is such a user or not
        raise not_found()
    require_object(row["id"])
    return row


@bp.get("/user/<name>/api-tokens")
@allow("token:list")
def page(name: str) -> str:
    """The tokens and a form for a new one."""
    return _page(owner(name))


@bp.post("/user/<name>/api-tokens")
@allow("token:manage")
def create(name: str) -> Response | tuple[str, int]:
    """Make a token and show it, this once."""
    row = owner(name)
    label, scope, days = (
        request.form.get("name", "").strip(),
        request.form.get("scope", "write"),
        request.form.get("expires", ""),
    )
    if not label or scope not in _scopes(row) or days not in _LIFETIMES:
        return _page(row, errors={"name": _("Enter what the token is for.")}), 409
    token, _id = accounts.create_token(
        site(), viewer(), row["id"], label[:100], scope=scope, expires=timedelta(days=int(days)) if days else None
    )
    response = make_response(_page(row, secret=token))
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/user/<name>/api-tokens/<token_id>/revoke")
@allow("token:manage")
def revoke(name: str, token_id: str) -> Any:
    """Make a token worthless at once."""
    row = owner(name)
    token = rows.get(conn(), token_id)
    if token is None or token.user_id != row["id"]:
        raise not_found()
    asked = question(
        _("Revoke this token?"),
        _("Programs that use it (DCOR-Aid, DCscope, scripts) lose access immediately. This cannot be undone."),
        _("Revoke token"),
        back=f"/user/{row['name']}/api-tokens",
    )
    if asked:
        return asked
    accounts.revoke_token(site(), viewer(), token_id=token_id)
    return back_to(f"/user/{row['name']}/api-tokens", done="revoked")


def _scopes(row: sqlite3.Row) -> tuple[str, ...]:
    return SCOPES if row["sysadmin"] and viewer().sysadmin else SCOPES[:2]


def _page(row: sqlite3.Row, *, secret: str = "", errors: dict[str, str] | None = None) -> str:
    return render(
        "account/tokens.html",
        title=_("API tokens"),
        **account.frame(row, "tokens"),
        secret=secret,
        errors=errors or {},
        values={"name": "" if secret else request.form.get("name", "")},
        tokens=[_token(row, token) for token in rows.of_user(conn(), row["id"])],
        scopes=[{"value": scope, "text": _(_SCOPE_WORDS[scope][1]), "on": scope == "write"} for scope in _scopes(row)],
        lifetimes=[{"value": days, "text": _(text), "on": days == "180"} for days, text in _LIFETIMES.items()],
    )


def _token(row: sqlite3.Row, token: sqlite3.Row) -> dict[str, Any]:
    word, _long, kind = _SCOPE_WORDS[token["scope"]]
    return {
        "name": token["name"],
        "scope": {"kind": kind, "icon": "", "text": _(word), "hint": ""},
        "created": show.date(token["created"]),
        "used": show.ago(token["last_access"]),
        "expires": show.date(token["expires"]) if token["expires"] else _("never"),
        "revoke": f"/user/{row['name']}/api-tokens/{token['id']}/revoke",
    }
