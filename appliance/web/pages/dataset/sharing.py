"""Who else sees a dataset: people it is shared with, the collections it is in, and who follows it."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import collecting, following
from appliance.actions import sharing as verbs
from appliance.model.problem import Problem
from appliance.model.viewer import DatasetFacts
from appliance.store import communities, sharing, users
from appliance.web.pages.dataset import collection_entries
from appliance.web.pages.dataset.manage import frame
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow, may
from appliance.web.pages.frame.base import conn, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.pictures import picture
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("sharing", __name__)


def _frame(row: sqlite3.Row, title: str) -> dict[str, Any]:
    circle = communities.find(conn(), row["circle_id"], "circle", deleted=True)
    link = (
        {"text": circle["title"] or circle["name"], "url": f"/organization/{circle['name']}/members"}
        if circle
        else None
    )
    return frame(row, title) | {"circle": link}


@bp.get("/dataset/<ref>/share")
@bp.get("/dataset/collaborators/<ref>")
@allow("dataset:share")
def page(ref: str) -> str:
    """The people a dataset is shared with, and a form for one more."""
    row, _facts = load(ref)
    return _page(row)


def _page(row: sqlite3.Row, values: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    values = values or {}
    people = [
        {
            "name": person["name"],
            "shown": person["fullname"] or person["name"],
            "picture": picture(person["user_id"], person["fullname"] or person["name"]),
            "role": {"kind": "", "icon": "", "text": _capacity(person["capacity"]), "hint": ""},
            "since": _("since %(date)s", date=show.date(person["modified"])),
        }
        for person in sharing.collaborators(conn(), row["id"])
    ]
    options = [
        {
            "value": "member",
            "text": _("Member: can see it"),
            "on": values.get("capacity") != "editor",
        },
        {
            "value": "editor",
            "text": _("Editor: can also edit the draft"),
            "on": values.get("capacity") == "editor",
        },
    ]
    return render(
        "dataset/share.html",
        people=people,
        capacities=options,
        values=values,
        errors=errors or {},
        public=not row["private"],
        **_frame(row, _("Share")),
    )


def _capacity(capacity: str) -> str:
    return _("Editor") if capacity == "editor" else _("Member")


@bp.post("/dataset/<ref>/share")
@allow("dataset:share")
def share(ref: str) -> Any:
    """Share with one more person."""
    row, _facts = load(ref)
    name, capacity = request.form.get("username", "").strip(), request.form.get("capacity", "")
    try:
        if users.find(conn(), name) is None:
            raise Problem(409, "Validation Error", {"username": [_("No such user.")]})
        verbs.share(site(), viewer(), row["id"], name, capacity)
    except Problem as problem:
        if problem.status not in (404, 409):
            raise
        return _page(row, {"username": name, "capacity": capacity}, messages(problem)), 409
    return back_to(f"/dataset/{row['id']}/share", done="shared")


@bp.post("/dataset/<ref>/unshare")
@allow("dataset:share")
def unshare(ref: str) -> Any:
    """Stop sharing with a person, at once."""
    row, _facts = load(ref)
    name = request.form.get("username", "")
    asked = question(
        _("Stop sharing with %(name)s?", name=name),
        _("Access ends immediately, including to files. You can share the dataset again later."),
        _("Stop sharing"),
        back=f"/dataset/{row['id']}/share",
    )
    if asked:
        return asked
    verbs.unshare(site(), viewer(), row["id"], name)
    return back_to(f"/dataset/{row['id']}/share", done="unshared")


@bp.get("/dataset/<ref>/collections")
@bp.get("/dataset/groups/<ref>")
@allow("dataset:read")
def collections_page(ref: str) -> str:
    """The collections a dataset is in, and those of the viewer it can be added to."""
    row, facts = load(ref)
    return _collections_page(row, facts)


def _collections_page(row: sqlite3.Row, facts: DatasetFacts) -> str:
    may_collect = may("dataset:collect", facts)
    mine = [one for one in own_collections() if one["id"] not in facts.collection_ids] if may_collect else []
    return render(
        "dataset/collections.html",
        collected=collection_entries.shown(facts),
        may_collect=may_collect,
        options=[{"value": one["name"], "text": one["title"] or one["name"], "on": False} for one in mine],
        may_create=may("collection:create"),
        **_frame(row, _("Collections")),
    )


def own_collections() -> list[sqlite3.Row]:
    """Collections to which the viewer may add datasets."""
    found = (
        communities.listed(conn(), "collection", viewer())
        if viewer().sysadmin
        else communities.by_ids(conn(), viewer().collections, "collection")
    )
    return [one for one in found if may("collection:datasets", communities.facts(one))]


@bp.post("/dataset/<ref>/collections")
@allow("dataset:read")
def collect(ref: str) -> Response:
    """Add to, or remove from, a collection; the rules of both are asked by the verb."""
    row, _facts = load(ref)
    removing, name = "remove" in request.form, request.form.get("collection", "")
    if removing:
        collecting.remove(site(), viewer(), name, row["id"])
    else:
        collecting.add(site(), viewer(), name, [row["id"]])
    return back_to(f"/dataset/{row['id']}/collections", done="removed" if removing else "added")


@bp.post("/dataset/<ref>/follow")
@allow("dataset:read")
def follow(ref: str) -> Response:
    """Keep an eye on a dataset."""
    row, _facts = load(ref)
    following.follow(site(), viewer(), "dataset", row["id"])
    return back_to(f"/dataset/{row['name']}", done="followed")


@bp.post("/dataset/<ref>/unfollow")
@allow("dataset:read")
def unfollow(ref: str) -> Response:
    """Stop following."""
    row, _facts = load(ref)
    following.unfollow(site(), viewer(), "dataset", row["id"])
    return back_to(f"/dataset/{row['name']}", done="unfollowed")
