"""Who is in a circle or collection, and in which role."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, request

from appliance.actions import communities as verbs
from appliance.actions import managed_accounts
from appliance.model import roles
from appliance.model.problem import Problem, not_found
from appliance.store import communities, users
from appliance.web.pages.community.view import KINDS, PATHS, frame, load, role_word
from appliance.web.pages.frame.allow import allow, may
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.pictures import picture
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("members", __name__)


@bp.get("/<any(organization, group):where>/<ref>/members")
@allow("site:user")
def page(where: str, ref: str) -> str:
    """The members; who may, sees the form to add and change them."""
    row = load(KINDS[where], ref)
    if not may(f"{KINDS[where]}:member_list", communities.facts(row)):
        raise not_found()
    return _page(KINDS[where], row)


def _page(
    kind: str, row: sqlite3.Row, values: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> str:
    found = communities.members(conn(), row["id"])
    manage = may(f"{kind}:members", communities.facts(row))
    return render(
        "community/members.html",
        members=[_member(kind, row, member, manage=manage) for member in found],
        count=ngettext("%(num)s member", "%(num)s members", len(found)),
        manage=manage,
        leave=viewer().role(row["id"]) is not None,
        roles=[{"value": role, "text": role_word(role), "on": role == "member"} for role in roles.ROLES],
        role_help=_role_help(kind),
        values=values or {},
        errors=errors or {},
        **frame(kind, row, "members"),
    )


def _member(kind: str, row: sqlite3.Row, member: sqlite3.Row, *, manage: bool) -> dict[str, Any]:
    shown = member["fullname"] or member["name"]
    own = member["id"] == viewer().user_id
    directory = bool(member["source"]) and managed_accounts.in_use(settings(), member["source"])
    return {
        "name": member["name"],
        "shown": shown,
        "picture": picture(member["id"], shown),
        "role": {
            "kind": "info" if member["role"] == "admin" else "",
            "icon": "",
            "text": role_word(member["role"]),
            "hint": "",
        },
        "roles": [{"value": role, "text": role_word(role), "on": role == member["role"]} for role in roles.ROLES],
        "editable": manage and (not own or viewer().sysadmin) and not directory,
        "directory": _("from the directory") if directory else "",
    }


def _role_help(kind: str) -> list[dict[str, str]]:
    if kind == "circle":
        texts = {
            "admin": _("can add members, share datasets and do everything editors can"),
            "editor": _("can upload, edit and activate datasets"),
            "member": _("can see all datasets of the circle, including private ones"),
        }
    else:
        texts = {
            "admin": _("can add members and datasets"),
            "editor": _("can add and remove datasets"),
            "member": _("can see all datasets in the collection, including private ones"),
        }
    return [{"name": role_word(role), "text": text} for role, text in texts.items()]


def _change(kind: str, ref: str) -> Any:
    row = load(kind, ref)
    name, role = request.form.get("username", "").strip(), request.form.get("role", "member")
    known = any(member["name"] == name for member in communities.members(conn(), row["id"]))
    try:
        if users.find(conn(), name) is None:
            raise Problem(409, "Validation Error", {"username": [_("No such user.")]})
        verbs.set_member(site(), viewer(), kind, row["id"], name, role)
    except Problem as problem:
        return _page(kind, row, {"username": name, "role": role}, messages(problem)), problem.status
    return back_to(f"{PATHS[kind]}/{row['name']}/members", done="member-changed" if known else "member-added")


def _remove(kind: str, ref: str) -> Any:
    row = load(kind, ref)
    name = request.form.get("username", "")
    asked = question(
        _("Remove %(name)s?", name=name),
        _(
            "%(name)s loses access to the private datasets of %(community)s immediately, including to files. You can add the person again later.",
            name=name,
            community=row["title"] or row["name"],
        ),
        _("Remove member"),
        back=f"{PATHS[kind]}/{row['name']}/members",
    )
    if asked:
        return asked
    try:
        verbs.remove_member(site(), viewer(), kind, row["id"], name)
    except Problem as problem:
        return _page(kind, row, errors=messages(problem)), problem.status
    return back_to(f"{PATHS[kind]}/{row['name']}/members", done="member-removed")


def _declare(kind: str) -> None:
    """The forms of circles or of collections."""

    @bp.post(f"{PATHS[kind]}/<ref>/members", endpoint=f"change_{kind}")
    @allow(f"{kind}:members")
    def change(ref: str) -> Any:
        """Add a member, or give one another role."""
        return _change(kind, ref)

    @bp.post(f"{PATHS[kind]}/<ref>/members/remove", endpoint=f"remove_{kind}")
    @allow(f"{kind}:members")
    def remove(ref: str) -> Any:
        """Take a member out."""
        return _remove(kind, ref)


for _kind in PATHS:
    _declare(_kind)


@bp.post("/<any(organization, group):where>/<ref>/leave")
@allow("site:user")
def leave(where: str, ref: str) -> Any:
    """Leave a circle or collection."""
    kind = KINDS[where]
    row = load(kind, ref)
    asked = question(
        _("Leave %(community)s?", community=row["title"] or row["name"]),
        _("You lose access to its private datasets immediately. Only one of its admins can add you again."),
        _("Leave"),
        back=f"{PATHS[kind]}/{row['name']}/members",
    )
    if asked:
        return asked
    verbs.remove_member(site(), viewer(), kind, row["id"], viewer().name)
    return back_to(PATHS[kind], done="member-removed")


@bp.get("/user/complete")
@allow("user:complete")
def complete() -> dict[str, list[dict[str, str]]]:
    """Names for a field in which somebody types a user."""
    text = request.args.get("q", "").strip()
    found = users.complete(conn(), text, limit=10) if len(text) >= 2 else []
    return {"users": [{"name": row["name"], "fullname": row["fullname"]} for row in found]}
