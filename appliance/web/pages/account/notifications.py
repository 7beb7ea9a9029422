"""Notifications: what has happened for the reader, and what they want to be told of in the page and by mail."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import notifying as verbs
from appliance.model import notices
from appliance.store import notifications
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.i18n import N_, language, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import back_to, render, url_with

bp = Blueprint("notifications", __name__)
_PER_PAGE = 50

_NAMES = {
    "shared": N_("A dataset was shared with me"),
    "checked": N_("My upload was checked"),
    "failed": N_("Files of my upload failed"),
    "changed": N_("A dataset I follow has changed"),
    "request": N_("Someone has requested access to a dataset of my circle"),
}
_ICONS = {"shared": "share", "checked": "check-circle", "failed": "error", "changed": "star", "request": "lock"}
_MAIL = {"off": N_("no mail"), "soon": N_("immediately"), "daily": N_("once a day")}


@bp.get("/notifications")
@allow("site:user")
def page() -> str:
    """The notifications, newest first, and the choices."""
    who = viewer()
    number = page_number(request.args)
    rows = notifications.of_user(conn(), who, limit=_PER_PAGE, offset=(number - 1) * _PER_PAGE)
    chosen = notifications.choices(conn(), str(who.user_id))
    return render(
        "account/notifications.html",
        title=_("Notifications"),
        entries=[_entry(row) for row in rows],
        latest=notifications.newest_id(conn(), str(who.user_id)),
        new=notifications.has_new(conn(), who),
        pages=pages(
            notifications.count(conn(), who, new=False),
            _PER_PAGE,
            number,
            lambda one: url_with("/notifications", page=one),
        ),
        kinds=[_choice(kind, chosen.get(kind)) for kind in notices.KINDS],
        mail_offered=bool(settings().mail.server),
    )


@bp.post("/notifications")
@allow("notification:change")
def look() -> Response:
    """Everything up to the one that the page showed has been read."""
    until = request.form.get("until", "")
    verbs.look(site(), viewer(), int(until) if until.isascii() and until.isdecimal() and len(until) < 18 else 0)
    return back_to("/notifications")


@bp.post("/notifications/choices")
@allow("notification:change")
def choose() -> Response:
    """Save what the reader wants to be told of."""
    form = request.form
    chosen = {kind: (f"page:{kind}" in form, form.get(f"mail:{kind}", "off")) for kind in notices.KINDS}
    verbs.choose(site(), viewer(), chosen, language())
    return back_to("/notifications", done="saved")


def _choice(kind: str, row: sqlite3.Row | None) -> dict[str, Any]:
    mail = row["mail"] if row else "off"
    return {
        "kind": kind,
        "text": _(_NAMES[kind]),
        "page": row is None or bool(row["page"]),
        "mail": [{"value": one, "text": _(_MAIL[one]), "on": one == mail} for one in notices.MAIL],
    }


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    actor = row["actor_fullname"] or row["actor"] or _("Someone")
    number = row["number"]
    text = {
        "shared": lambda: _("%(name)s shared this dataset with you.", name=actor),
        "checked": lambda: ngettext("Your file was checked.", "Your %(num)s files were checked.", number),
        "failed": lambda: ngettext(
            "1 of your files could not be processed.", "%(num)s of your files could not be processed.", number
        ),
        "changed": lambda: _("%(name)s changed this dataset, which you follow.", name=actor),
        "request": lambda: _("%(name)s has requested access to this dataset.", name=actor),
    }[row["kind"]]()
    return {
        "new": row["seen"] is None,
        "icon": _ICONS[row["kind"]],
        "title": row["title"] or row["dataset"],
        "url": notices.address(row["kind"], row["dataset_id"]),
        "text": text,
        "when": show.ago(row["at"]),
        "time": row["at"] + "Z",
        "time_title": show.moment(row["at"]),
    }
