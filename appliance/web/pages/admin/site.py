"""Announcements and maintenance mode, and incidents."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.model.problem import not_found
from appliance.store import announcements, audit, incidents
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, context, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("admin_site", __name__)
_LONGEST = 500


@bp.get("/admin/notices")
@allow("site:administer")
def notice_page() -> str:
    """What everybody is told, and whether the API is closed."""
    return render(
        "admin/notices.html",
        announcement=announcements.announcement(conn()),
        maintenance=announcements.maintenance(conn()),
        **frame("notices", _("Announcements")),
    )


@bp.post("/admin/notices/announcement")
@allow("site:administer")
def announce() -> Response:
    """Show a sentence above every page, or remove it."""
    text = request.form.get("text", "").strip()[:_LONGEST]
    with context().db.write() as tx:
        announcements.announce(tx, text)
        audit.add(tx, viewer(), "site.announce", "site", text=text)
    return back_to("/admin/notices", done="announced" if text else "announcement-removed")


@bp.post("/admin/notices/maintenance")
@allow("site:administer")
def maintenance() -> Response:
    """Close the API to everybody but administrators, or open it."""
    text = ""
    if "on" in request.form:
        text = request.form.get("text", "").strip()[:_LONGEST] or _("The server is under maintenance. Try again later.")
    with context().db.write() as tx:
        announcements.set_maintenance(tx, text)
        audit.add(tx, viewer(), "site.maintenance", "site", on=bool(text))
    return back_to("/admin/notices", done="maintenance-on" if text else "maintenance-off")


@bp.get("/admin/incidents")
@allow("site:administer")
def incident_list() -> str:
    """The latest failures inside."""
    rows = [
        {"id": row["id"], "url": f"/admin/incidents/{row['id']}", "place": row["place"], "when": show.local(row["at"])}
        for row in incidents.latest(conn(), 100)
    ]
    return render("admin/incidents.html", incidents=rows, query="", **frame("incidents", _("Incidents")))


@bp.get("/admin/incidents/<incident_id>")
@allow("site:administer")
def incident(incident_id: str) -> str:
    """One failure with its trace."""
    row = incidents.get(conn(), incident_id)
    if row is None:
        raise not_found()
    return render(
        "admin/incident.html",
        id=row["id"],
        place=row["place"],
        when=show.local(row["at"]),
        trace=row["trace"],
        **frame("incidents", _("Incident %(number)s", number=row["id"])),
    )
