"""Users: find, create, change, disable, let in again; one-time links and access files."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, make_response, request
from werkzeug.wrappers import Response

from appliance.actions import accounts, managed_accounts, second_factor_setup
from appliance.model.problem import Problem, not_found
from appliance.store import communities, sessions, tokens, users
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.community.view import PATHS, role_word
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow, require_object
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import back_to, render, url_with

bp = Blueprint("admin_users", __name__)
_PER_PAGE = 50
_STATES = ("active", "pending", "disabled")


@bp.get("/admin/users")
@allow("user:list")
def overview() -> str:
    """All accounts, with search."""
    text, order = request.args.get("q", "").strip(), request.args.get("sort", "name")
    page = page_number(request.args)
    found = users.listed(conn(), text, states=_STATES, order=order if order in users.ORDERS else "name")
    rows = found[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    return render(
        "admin/users.html",
        query=text,
        count=ngettext("%(num)s user", "%(num)s users", len(found)),
        users=[_row(row) for row in rows],
        pages=pages(len(found), _PER_PAGE, page, lambda one: url_with("/admin/users", q=text, sort=order, page=one)),
        **frame("users", _("Users")),
    )


def _row(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "name": row["name"],
        "shown": row["fullname"] or row["name"],
        "email": row["email"],
        "url": f"/admin/users/{row['name']}",
        "datasets": show.integer(row["datasets"]),
        "active": show.ago(row["last_active"]),
        "badges": _badges(row),
    }


def _badges(row: sqlite3.Row) -> list[dict[str, str]]:
    found = []
    if row["sysadmin"]:
        found.append({"kind": "info", "icon": "shield", "text": _("Administrator"), "hint": ""})
    if row["state"] == "disabled":
        found.append({"kind": "bad", "icon": "lock", "text": _("Disabled"), "hint": ""})
    if row["state"] == "pending":
        found.append({"kind": "warn", "icon": "clock", "text": _("Pending"), "hint": _("Has not set a password yet")})
    return found


@bp.get("/admin/users/new")
@allow("user:create")
def form() -> str:
    """The form for a new account."""
    return _form({}, {})


@bp.post("/admin/users/new")
@allow("user:create")
def create() -> Any:
    """Make an account; its owner sets the password with a one-time link, which is shown once."""
    values = {key: request.form.get(key, "").strip() for key in ("name", "fullname", "email")}
    try:
        accounts.create(site(), viewer(), values, sysadmin="sysadmin" in request.form)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _form(values, messages(problem)), 409
    return _link_page(values["name"], _("The account was created."))


def _form(values: dict[str, str], errors: dict[str, str]) -> str:
    return render("admin/user-new.html", values=values, errors=errors, **frame("users", _("New user")))


def _link_page(name: str, text: str) -> Response:
    secret = accounts.one_time_link(site(), viewer(), name)
    response = make_response(
        render(
            "admin/link.html",
            text=text,
            link=accounts.link_address(site(), secret),
            back=f"/admin/users/{name}",
            name=name,
            **frame("users", _("One-time link")),
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _load(name: str) -> sqlite3.Row:
    row = users.find(conn(), name)
    if row is None or row["state"] == "deleted":
        raise not_found()
    require_object(row["id"])
    return row


@bp.get("/admin/users/<name>")
@allow("user:list")
def page(name: str) -> str:
    """One account and what can be done with it."""
    return _page(_load(name), {})


def _page(row: sqlite3.Row, errors: dict[str, str]) -> str:
    circles, collections = communities.roles_of(conn(), row["id"])
    identity = managed_accounts.manager(conn(), settings(), row["id"])
    memberships = [
        {
            "text": one["title"] or one["name"],
            "url": f"{PATHS[kind]}/{one['name']}/members",
            "role": role_word(held[one["id"]]),
        }
        for kind, held in (("circle", circles), ("collection", collections))
        for one in communities.by_ids(conn(), held, kind)
    ]
    return render(
        "admin/user.html",
        user={
            "name": row["name"],
            "shown": row["fullname"] or row["name"],
            "active": row["state"] != "disabled",
            "sysadmin": bool(row["sysadmin"]),
            "directory": identity is not None,
            "needs_setup_code": second_factor_setup.needs_permit(conn(), settings(), row, None)
            and second_factor_setup.offered(conn(), settings(), row["id"]),
        },
        badges=_badges(row),
        errors=errors,
        own=row["id"] == viewer().user_id,
        facts=[
            {"name": _("User name"), "text": row["name"]},
            {"name": _("E-mail"), "text": row["email"]},
            *_directory_facts(identity),
            {"name": _("Created"), "text": show.local(row["created"])},
            {"name": _("Last active"), "text": show.ago(row["last_active"])},
            {"name": _("Datasets"), "text": show.integer(users.datasets_created(conn(), row["id"]))},
            {"name": _("Sessions"), "text": show.integer(len(sessions.of_user(conn(), row["id"])))},
            {"name": _("API tokens"), "text": show.integer(len(tokens.of_user(conn(), row["id"])))},
        ],
        memberships=memberships,
        **frame("users", row["fullname"] or row["name"]),
    )


def _directory_facts(identity: sqlite3.Row | None) -> list[dict[str, str]]:
    """What an administrator wants to know of an account of the directory."""
    if identity is None:
        return []
    facts = [{"name": _("Directory"), "text": identity["login"]}]
    if identity["locked"]:
        facts.append({"name": _("Locked by the directory"), "text": identity["locked"]})
    if identity["paused"]:
        facts.append({"name": _("Waiting for the directory"), "text": _("no answer for too long")})
    return facts


@bp.post("/admin/users/<name>/<any(disable, enable, promote, demote):what>")
@allow("site:administer")
def change(name: str, what: str) -> Any:
    """Disable or enable an account, make or unmake an administrator."""
    row = _load(name)
    if what in ("disable", "demote") and (asked := _question(row, what)):
        return asked
    try:
        if what in ("disable", "enable"):
            accounts.set_state(site(), viewer(), row["id"], "disabled" if what == "disable" else "active")
        else:
            accounts.set_sysadmin(site(), viewer(), row["id"], what == "promote")
    except Problem as problem:
        if problem.status != 409:
            raise
        return _page(row, messages(problem)), 409
    return back_to(f"/admin/users/{row['name']}", done=what + "d")


def _question(row: sqlite3.Row, what: str) -> str | None:
    """Ask before an account loses something."""
    name, back = row["fullname"] or row["name"], f"/admin/users/{row['name']}"
    if what == "disable":
        text = _(
            "%(name)s is signed out immediately, and all API tokens of the account stop working. The datasets stay. You can enable the account again later.",
            name=name,
        )
        return question(_("Disable the account of %(name)s?", name=name), text, _("Disable account"), back=back)
    text = _(
        "%(name)s will no longer be able to administer this server and will see only what a regular user sees.",
        name=name,
    )
    return question(
        _("Remove administrator rights from %(name)s?", name=name), text, _("Remove administrator rights"), back=back
    )


@bp.post("/admin/users/<name>/link")
@allow("site:administer")
def link(name: str) -> Response:
    """A one-time link with which the user sets a new password."""
    row = _load(name)
    return _link_page(
        row["name"], _("With this link, %(name)s can set a new password.", name=row["fullname"] or row["name"])
    )


@bp.post("/admin/users/<name>/setup-code")
@allow("site:administer")
def setup_code(name: str) -> Response:
    """A setup code with which an administrator sets up two-step sign-in."""
    row = _load(name)
    response = make_response(
        render(
            "admin/setup-code.html",
            code=second_factor_setup.permit(site(), viewer(), row["id"]),
            text=_("With this code, %(name)s can set up two-step sign-in.", name=row["fullname"] or row["name"]),
            back=f"/admin/users/{row['name']}",
            name=row["name"],
            **frame("users", _("Setup code")),
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return response
