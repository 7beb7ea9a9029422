"""Requests for access: sent from a link that leads nowhere for the reader, decided by the admins of the circle."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import access_requests as verbs
from appliance.model.problem import Problem
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow, may, require_object
from appliance.web.pages.frame.base import conn, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("access_requests", __name__)


@bp.post("/dataset/<ref>/request-access")
@allow("access:request")
def ask(ref: str) -> Any:
    """Ask the circle. The answer does not tell whether there is such a dataset."""
    try:
        verbs.ask(site(), viewer(), ref, request.form.get("message", ""))
    except Problem as problem:
        if problem.status != 409:
            raise
        return render(
            "error.html", title=_("This cannot be done"), status=409, text=" ".join(messages(problem).values())
        ), 409
    return render("community/asked.html", title=_("Request sent"))


@bp.get("/requests")
@allow("site:user")
def page() -> str:
    """The open requests that the reader may decide."""
    rows = verbs.listed(conn(), viewer())
    return render(
        "community/requests.html",
        title=_("Access requests"),
        requests=[
            {
                "id": row["id"],
                "person": row["fullname"] or row["user"],
                "login": row["user"],
                "email": row["email"] or "",
                "dataset": row["title"] or row["dataset"],
                "url": f"/dataset/{row['dataset_id']}",
                "circle": row["circle_title"] or row["circle"],
                "message": row["message"],
                "when": show.ago(row["created"]),
            }
            for row in rows
        ],
    )


@bp.post("/requests/<request_id>")
@allow("dataset:share")
def decide(request_id: str) -> Response:
    """Grant or decline."""
    facts = verbs.facts_of(conn(), request_id)
    if not may("dataset:read", facts):
        verbs.decide(site(), viewer(), request_id, grant=False)  # refuses like what does not exist
    require_object(facts)
    grant = request.form.get("do") == "grant"
    verbs.decide(site(), viewer(), request_id, grant=grant)
    return back_to("/requests", done="access-granted" if grant else "access-declined")
