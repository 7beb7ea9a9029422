"""Saved comparisons: the list under *My data*, the way to one, saving, sharing, deleting."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, request
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from appliance.actions import comparisons as verbs
from appliance.model.problem import Problem
from appliance.web.pages.account import dashboard
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.problem_texts import said
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("comparisons", __name__)


@bp.get("/comparisons")
@allow("site:user")
def page() -> str:
    """Own comparisons, and those that others share."""
    own, shared = verbs.listed(conn(), viewer())
    return render(
        "account/comparisons.html",
        title=_("My data"),
        tabs=dashboard.tabs("comparisons"),
        lists=[
            {"title": _("My comparisons"), "rows": [_row(one) for one in own], "own": True},
            {"title": _("Shared with me"), "rows": [_row(one) for one in shared], "own": False},
        ],
        any=bool(own or shared),
    )


@bp.get("/comparisons/<comparison_id>")
@allow("site:user")
def follow(comparison_id: str) -> Response:
    """Go to the page of the comparison."""
    found = verbs.get(conn(), viewer(), comparison_id)
    query = urlencode([*(("r", one) for one in found["resources"])])
    rest = f"&{found['query']}" if found["query"] else ""
    return redirect(f"/compare?{query}{rest}&saved={found['id']}", 303)


@bp.post("/comparisons")
@allow("write")
def save() -> Any:
    """Save the address of a comparison under a title."""
    made = verbs.save(site(), viewer(), request.form.get("title", ""), request.form.get("query", ""))
    return back_to(f"/comparisons/{made}")


@bp.post("/comparisons/<comparison_id>/delete")
@allow("write")
def delete(comparison_id: str) -> Any:
    """Ask, then delete."""
    found = verbs.get(conn(), viewer(), comparison_id)
    asked = question(
        _("Delete this comparison?"),
        _("“%(title)s” is removed from your list and from those of the people you share it with. Measurements stay.", title=found["title"]),
        _("Delete comparison"),
        back="/comparisons",
    )  # fmt: skip
    if asked:
        return asked
    verbs.delete(site(), viewer(), comparison_id)
    return back_to("/comparisons", done="comparison-deleted")


@bp.post("/comparisons/<comparison_id>/share")
@allow("write")
def share(comparison_id: str) -> Any:
    """Share it with somebody."""
    try:
        verbs.share(site(), viewer(), comparison_id, request.form.get("username", "").strip())
    except Problem as problem:
        if problem.status != 409:
            raise
        return manage(comparison_id, said(problem)), 409
    return back_to(f"/comparisons/{comparison_id}/people", done="comparison-shared")


@bp.post("/comparisons/<comparison_id>/unshare")
@allow("write")
def unshare(comparison_id: str) -> Any:
    """Stop sharing with somebody."""
    name = request.form.get("username", "")
    found, own = verbs.get(conn(), viewer(), comparison_id), name != viewer().name
    back = f"/comparisons/{comparison_id}/people" if own else "/comparisons"
    asked = question(
        _("Stop sharing with %(name)s?", name=name),
        _("“%(title)s” is removed from this person's list. You can share it again later.", title=found["title"]),
        _("Stop sharing"),
        back=back,
    )
    if asked:
        return asked
    verbs.unshare(site(), viewer(), comparison_id, name)
    return back_to(back, done="comparison-unshared")


@bp.get("/comparisons/<comparison_id>/people")
@allow("site:user")
def people(comparison_id: str) -> str:
    """With whom a comparison of one's own is shared."""
    return manage(comparison_id)


def manage(comparison_id: str, error: str = "") -> str:
    """The page of sharing. Raises Problem 404."""
    found = verbs.owned_people(conn(), viewer(), comparison_id)
    return render(
        "account/comparison-people.html",
        title=_("Share a comparison"),
        comparison=found["title"],
        base=f"/comparisons/{found['id']}",
        people=[{"name": row["name"], "shown": row["fullname"] or row["name"]} for row in found["people"]],
        error=error,
        username=request.form.get("username", ""),
    )


def _row(one: dict[str, Any]) -> dict[str, Any]:
    count = len(one["resources"])
    return {
        "id": one["id"],
        "title": one["title"],
        "count": ngettext("%(num)s measurement", "%(num)s measurements", count),
        "when": show.ago(one["modified"]),
        "who": one["fullname"] or one["user"],
    }
