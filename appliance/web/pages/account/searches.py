"""Saved searches: the list under *My data*, the way to one, saving, renaming, deleting. Only their owner sees them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from appliance.actions import saved_searches as verbs
from appliance.model.problem import Problem, not_found
from appliance.web.pages.account import dashboard
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("searches", __name__)

_PAGES = {"measurements": N_("Measurements"), "dataset": N_("Datasets")}


@bp.get("/searches")
@allow("site:user")
def page() -> str:
    """What one has saved."""
    return render(
        "account/searches.html",
        title=_("My data"),
        tabs=dashboard.tabs("searches"),
        rows=[
            {
                "url": f"/searches/{one['id']}",
                "title": one["title"],
                "kind": _(_PAGES[one["page"]]),
                "when": show.ago(one["modified"]),
            }
            for one in verbs.listed(conn(), viewer())
        ],
    )


@bp.get("/searches/new")
@allow("site:user")
def new() -> str:
    """The form for the title. Raises Problem 404 for a page whose searches are not saved."""
    return _form(request.args.get("page", ""), request.args.get("query", ""))


@bp.post("/searches")
@allow("write")
def save() -> Any:
    """Save the address of a search under a title."""
    asked = request.form
    try:
        verbs.save(site(), viewer(), asked.get("page", ""), asked.get("title", ""), asked.get("query", ""))
    except Problem as problem:
        if problem.status != 409 or asked.get("page") not in _PAGES:
            raise
        return _form(asked["page"], asked.get("query", ""), asked.get("title", ""), messages(problem)), 409
    return back_to("/searches", done="search-saved")


@bp.get("/searches/<search_id>")
@allow("site:user")
def follow(search_id: str) -> Response:
    """Go to the search."""
    found = verbs.get(conn(), viewer(), search_id)
    return redirect(f"/{found['page']}" + (f"?{found['query']}" if found["query"] else ""), 303)


@bp.get("/searches/<search_id>/rename")
@allow("site:user")
def ask_title(search_id: str) -> str:
    """The form for another title."""
    return _rename_form(search_id, verbs.get(conn(), viewer(), search_id)["title"])


@bp.post("/searches/<search_id>/rename")
@allow("write")
def rename(search_id: str) -> Any:
    """Give it another title."""
    title = request.form.get("title", "")
    try:
        verbs.retitle(site(), viewer(), search_id, title)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _rename_form(search_id, title, messages(problem)), 409
    return back_to("/searches", done="saved")


@bp.post("/searches/<search_id>/delete")
@allow("write")
def delete(search_id: str) -> Any:
    """Ask, then delete."""
    found = verbs.get(conn(), viewer(), search_id)
    asked = question(
        _("Delete this search?"),
        _("“%(title)s” is removed from your list. Datasets and measurements stay.", title=found["title"]),
        _("Delete search"),
        back="/searches",
    )
    if asked:
        return asked
    verbs.delete(site(), viewer(), search_id)
    return back_to("/searches", done="search-deleted")


def _form(page: str, query: str, title: str = "", errors: dict[str, str] | None = None) -> str:
    if page not in _PAGES:
        raise not_found()
    return render(
        "account/search-title.html",
        title=_("Save search"),
        action="/searches",
        hidden={"page": page, "query": query},
        value=title,
        errors=errors or {},
        hint=_("A search that you have saved under the same title is replaced."),
    )


def _rename_form(search_id: str, title: str, errors: dict[str, str] | None = None) -> str:
    return render(
        "account/search-title.html",
        title=_("Rename search"),
        action=f"/searches/{search_id}/rename",
        hidden={},
        value=title,
        errors=errors or {},
        hint="",
    )
