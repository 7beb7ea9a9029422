"""Circles and collections: lists, their own pages, founding and editing. Paths are CKAN's (organization, group)."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, request
from slugify import slugify

from appliance.actions import communities as verbs
from appliance.actions import upload_limits
from appliance.model.problem import Problem, not_found
from appliance.store import communities
from appliance.web.pages.dataset.dataset_search import listing
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import markdown
from appliance.web.pages.frame.allow import allow, may, require_object
from appliance.web.pages.frame.base import conn, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.pictures import picture
from appliance.web.pages.frame.render import back_to, render, url_with

PATHS = {"circle": "/organization", "collection": "/group"}
KINDS = {"organization": "circle", "group": "collection"}
_PER_PAGE = 60

bp = Blueprint("communities", __name__)


def load(kind: str, ref: str) -> sqlite3.Row:
    """The circle or collection with this id or name, if the viewer may do what the route declares. Raises Problem 404 or 403."""
    row = communities.find(conn(), ref, kind)
    if row is None:
        raise not_found()
    require_object(communities.facts(row))
    return row


def words(kind: str) -> dict[str, str]:
    """What is said differently of circles and of collections."""
    if kind == "circle":
        return {
            "one": _("Circle"),
            "many": _("Circles"),
            "new": _("New circle"),
            "icon": "circle",
            "lead": _(
                "A circle is a group of people who work together: a ward, a lab, a project. Each dataset belongs to one circle, whose members can see it."
            ),
            "none": _("No circles yet"),
            "none_text": _("Create a circle for your group; then add its members and upload datasets."),
            "path": PATHS[kind],
            "delete": _("Only empty circles can be deleted."),
        }
    return {
        "one": _("Collection"),
        "many": _("Collections"),
        "new": _("New collection"),
        "icon": "collection",
        "lead": _(
            "A collection gathers datasets from several circles, for a study or a paper. All its members can see its datasets, including private ones."
        ),
        "none": _("No collections yet"),
        "none_text": _("Create a collection for a study or a paper, and add datasets from their pages."),
        "path": PATHS[kind],
        "delete": _("Its datasets stay where they are."),
    }


@bp.get("/<any(organization, group):where>")
@bp.get("/<any(organization, group):where>/")
@allow("site:read")
def overview(where: str) -> str:
    """All circles or all collections as cards."""
    kind = KINDS[where]
    text, page = request.args.get("q", "").strip(), page_number(request.args)
    found = communities.listed(conn(), kind, viewer(), text=text, sort="title asc")
    shown = found[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    return render(
        "community/list.html",
        title=words(kind)["many"],
        words=words(kind),
        query=text,
        entries=[_card(kind, row) for row in shown],
        pages=pages(len(found), _PER_PAGE, page, lambda number: url_with(PATHS[kind], q=text, page=number)),
        may_create=may(f"{kind}:create"),
    )


def _card(kind: str, row: sqlite3.Row) -> dict[str, Any]:
    role = viewer().role(row["id"])
    return {
        "title": row["title"] or row["name"],
        "picture": picture(row["id"], row["title"] or row["name"], row["image_url"]),
        "url": f"{PATHS[kind]}/{row['name']}",
        "text": markdown.excerpt(row["description"], 140) if row["description"] else "",
        "count": show.datasets(row["datasets"]),
        "role": {"kind": "info", "icon": "", "text": role_word(role), "hint": ""} if role else None,
    }


def role_word(role: str) -> str:
    """A role as people say it."""
    return {"admin": _("Admin"), "editor": _("Editor"), "member": _("Member")}.get(role, role)


@bp.get("/<any(organization, group):where>/<ref>")
@allow("site:read")
def page(where: str, ref: str) -> str:
    """The datasets of a circle or in a collection, with search and facets."""
    kind = KINDS[where]
    row = load(kind, ref)
    path = f"{PATHS[kind]}/{row['name']}"
    return render(
        "dataset/parts.html" if request.headers.get("X-Fragment") else "community/page.html",
        **frame(kind, row, "datasets"),
        **listing(path, request.args, {where if where == "organization" else "groups": row["name"]}),
    )


@bp.get("/<any(organization, group):where>/<ref>/about")
@allow("site:read")
def about(where: str, ref: str) -> str:
    """The description and a few facts."""
    kind = KINDS[where]
    row = load(kind, ref)
    facts = [
        {"name": _("URL name"), "text": row["name"]},
        {"name": "ID", "text": row["id"]},
        {"name": _("Created"), "text": show.local(row["created"])},
        {"name": _("Datasets"), "text": show.integer(communities.count_datasets(conn(), row["id"], viewer()))},
    ]
    if kind == "circle" and may("circle:update", communities.facts(row)):
        facts.append({"name": _("Storage"), "text": _storage(row["id"])})
    return render(
        "community/about.html",
        facts=facts,
        description=markdown.cached(row["description"]) if row["description"] else "",
        **frame(kind, row, "about"),
    )


def _storage(circle_id: str) -> str:
    """How much a circle holds, and of how much, for those who look after it."""
    taken = show.size(communities.bytes_of_circle(conn(), circle_id))
    quota = upload_limits.quota_of(site(), conn(), circle_id)
    return _("%(taken)s of %(quota)s", taken=taken, quota=show.size(quota)) if quota else taken


def frame(kind: str, row: sqlite3.Row, on: str) -> dict[str, Any]:
    """Head and tabs of a circle's or collection's pages."""
    base = f"{PATHS[kind]}/{row['name']}"
    role = viewer().role(row["id"])
    facts = communities.facts(row)
    tabs = [("datasets", base, _("Datasets")), ("about", f"{base}/about", _("About"))]
    if role or viewer().sysadmin:
        tabs.append(("members", f"{base}/members", _("Members")))
    if may(f"{kind}:update", facts):
        tabs.append(("edit", f"{base}/edit", _("Settings")))
    return {
        "title": row["title"] or row["name"],
        "words": words(kind),
        "base": base,
        "picture": picture(row["id"], row["title"] or row["name"], row["image_url"]),
        "summary": markdown.excerpt(row["description"], 180) if row["description"] else "",
        "role": {"kind": "info", "icon": "user", "text": role_word(role), "hint": _("Your role here")}
        if role
        else None,
        "tabs": [{"url": url, "text": text, "on": key == on} for key, url, text in tabs],
        "crumbs": [{"text": words(kind)["many"], "url": PATHS[kind]}, {"text": row["title"] or row["name"], "url": ""}],
        "upload_url": f"/upload?circle={row['name']}" if kind == "circle" and may("circle:add_dataset", facts) else "",
    }


@bp.get("/organization/new")
@allow("circle:create")
def new_circle() -> str:
    """The form for a new circle."""
    return _form("circle", {}, {})


@bp.post("/organization/new")
@allow("circle:create")
def create_circle() -> Any:
    """Found a circle."""
    return _create("circle")


@bp.get("/group/new")
@allow("collection:create")
def new_collection() -> str:
    """The form for a new collection."""
    return _form("collection", {}, {})


@bp.post("/group/new")
@allow("collection:create")
def create_collection() -> Any:
    """Found a collection."""
    return _create("collection")


def _create(kind: str) -> Any:
    data = {key: request.form.get(key, "").strip() for key in ("title", "name", "description")}
    data["name"] = data["name"] or slugify(data["title"])[:100]
    try:
        verbs.create(site(), viewer(), kind, data)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _form(kind, data, messages(problem)), 409
    return back_to(f"{PATHS[kind]}/{data['name']}/members", done="created")


def _form(kind: str, values: dict[str, str], errors: dict[str, str]) -> str:
    return render("community/new.html", title=words(kind)["new"], words=words(kind), values=values, errors=errors)


@bp.get("/organization/<ref>/edit")
@allow("circle:update")
def edit_circle(ref: str) -> str:
    """Title and description of a circle."""
    return _edit_form("circle", load("circle", ref))


@bp.post("/organization/<ref>/edit")
@allow("circle:update")
def save_circle(ref: str) -> Any:
    """Change a circle."""
    return _save("circle", load("circle", ref))


@bp.get("/group/<ref>/edit")
@allow("collection:update")
def edit_collection(ref: str) -> str:
    """Title and description of a collection."""
    return _edit_form("collection", load("collection", ref))


@bp.post("/group/<ref>/edit")
@allow("collection:update")
def save_collection(ref: str) -> Any:
    """Change a collection."""
    return _save("collection", load("collection", ref))


def _save(kind: str, row: sqlite3.Row) -> Any:
    data = {key: request.form.get(key, "").strip() for key in ("title", "description")}
    try:
        verbs.update(site(), viewer(), kind, row["id"], data)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _edit_form(kind, row, data, messages(problem)), 409
    return back_to(f"{PATHS[kind]}/{row['name']}/about", done="saved")


def _edit_form(
    kind: str, row: sqlite3.Row, values: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> str:
    held = len(communities.dataset_ids(conn(), row["id"]))
    return render(
        "community/edit.html",
        values=values or {"title": row["title"], "description": row["description"]},
        errors=errors or {},
        may_delete=may(f"{kind}:delete", communities.facts(row)),
        held=ngettext("It holds %(num)s dataset.", "It holds %(num)s datasets.", held),
        **frame(kind, row, "edit"),
    )


@bp.post("/organization/<ref>/delete")
@allow("circle:delete")
def delete_circle(ref: str) -> Any:
    """Delete an empty circle."""
    row = load("circle", ref)
    if asked := _delete_question("circle", row):
        return asked
    verbs.delete(site(), viewer(), "circle", row["id"])
    return back_to("/organization", done="deleted")


@bp.post("/group/<ref>/delete")
@allow("collection:delete")
def delete_collection(ref: str) -> Any:
    """Delete a collection; its datasets stay."""
    row = load("collection", ref)
    if asked := _delete_question("collection", row):
        return asked
    verbs.delete(site(), viewer(), "collection", row["id"])
    return back_to("/group", done="deleted")


def _delete_question(kind: str, row: sqlite3.Row) -> str | None:
    text = _("This cannot be undone here. Its datasets stay, but its members lose the access that it gave them.")
    if kind == "circle":
        text = _("This cannot be undone here. Only a circle without datasets can be deleted.")
    title = _("Delete %(community)s?", community=row["title"] or row["name"])
    return question(title, text, _("Delete"), back=f"{PATHS[kind]}/{row['name']}/edit")
