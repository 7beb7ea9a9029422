"""Changing a dataset: edit, activate, visibility and licence, delete, purge. What cannot be undone has a page that says so."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import datasets as verbs
from appliance.actions import deletion
from appliance.model import licences, references
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import DatasetFacts
from appliance.store import communities, datasets, tags
from appliance.web.pages.dataset import view as dataset_pages
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame.allow import allow, may
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.render import back_to, render, url_with

bp = Blueprint("manage", __name__)
_TEXTS = ("title", "authors", "notes", "tag_string", "doi", "references")


def frame(row: sqlite3.Row, title: str) -> dict[str, Any]:
    """What the templates of all pages about managing a dataset need."""
    circle = communities.find(conn(), row["circle_id"], "circle", deleted=True)
    return {
        "title": title,
        "dataset_title": row["title"] or row["name"],
        "base": f"/dataset/{row['id']}",
        "crumbs": dataset_pages.crumbs(row, circle, (title, "")),
    }


@bp.get("/dataset/<ref>/edit")
@bp.get("/dataset/edit/<ref>")
@allow("dataset:update")
def edit(ref: str) -> str:
    """The form: everything of a draft, visibility and licence of an active dataset."""
    row, facts = load(ref)
    return _edit_page(row, facts)


@bp.post("/dataset/<ref>/edit")
@allow("dataset:update")
def save(ref: str) -> Any:
    """Change what the form holds."""
    row, facts = load(ref)
    data = _entered(row)
    try:
        if data.get("doi", "") != row["doi"]:
            require_doi(data)
        verbs.update(site(), viewer(), row["id"], data)
    except Problem as problem:
        if problem.status not in (403, 409):
            raise
        return _edit_page(row, facts, data, messages(problem)), problem.status
    return back_to(f"/dataset/{row['name']}", done="saved")


def _entered(row: sqlite3.Row) -> dict[str, Any]:
    form = request.form
    data: dict[str, Any] = {}
    if row["state"] == "draft" or viewer().sysadmin:
        data = {key: form.get(key, "").strip() for key in _TEXTS if key in form}
        if "tag_string" in data:
            data["tags"] = [{"name": tag.strip()} for tag in data.pop("tag_string").split(",") if tag.strip()]
    if form.get("license_id"):
        data["license_id"] = form["license_id"]
    if form.get("visibility") in ("public", "private"):
        data["private"] = form["visibility"] == "private"
    return data


def require_doi(data: dict[str, Any]) -> None:
    """Take a DOI as people write it; what is none is refused here. (The API takes any text, as upstream does.) Raises Problem 409."""
    text = references.doi(data.get("doi", ""))
    if text.lower().startswith("doi:"):
        text = text[len("doi:") :].strip()
    if text and not references.is_doi(text):
        raise invalid({"doi": [_("Enter a DOI such as 10.1038/s41592-020-0831-y, or leave the field empty.")]})
    data["doi"] = text


def _edit_page(
    row: sqlite3.Row, facts: DatasetFacts, data: dict[str, Any] | None = None, errors: dict[str, str] | None = None
) -> str:
    data = data or {}
    stored = {
        "title": row["title"],
        "authors": row["authors"],
        "notes": row["notes"],
        "doi": row["doi"],
        "references": row["reference_list"],
    }
    entered = [tag["name"] for tag in data["tags"]] if "tags" in data else tags.of_dataset(conn(), row["id"])
    draft = row["state"] == "draft"
    return render(
        "dataset/edit.html",
        **frame(row, _("Edit") if draft else _("Visibility and licence")),
        everything=draft or viewer().sysadmin,
        values=stored
        | {"tag_string": ", ".join(entered)}
        | {key: value for key, value in data.items() if isinstance(value, str)},
        errors=errors or {},
        licences=licence_options(
            data.get("license_id", row["license_id"]), old=row["license_id"], fixed=not may("dataset:license", facts)
        ),
        visibility=visibility_options(facts, data),
        irreversible=not draft,
    )


def licence_options(chosen: str, *, old: str = "", fixed: bool = False) -> list[dict[str, Any]]:
    """The licences that may be chosen: those of the site, for an existing dataset only its own and less restrictive ones."""
    listed = {
        licence["id"]: licence["title"]
        for licence in licences.listed(settings().policy.licences)
        if licence["id"] != "none"
    }
    ids = list(listed)
    if old and not viewer().sysadmin:
        ids = [one for one in ([old] if fixed else licences.looser(old)) if one in listed or one == old]
    return [
        {"value": one, "text": listed.get(one) or (licences.find(one) or {"title": one})["title"], "on": one == chosen}
        for one in ids
    ]


def visibility_options(facts: DatasetFacts, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The choices between private and public, for radio buttons."""
    private = data.get("private", facts.private)
    options = [
        {
            "value": "private",
            "on": private,
            "title": _("Private"),
            "text": _("Visible to members of its circle and collections and to people it is shared with."),
        }
    ]
    guest = facts.private and not may("dataset:publish", facts)
    if settings().policy.public_datasets and not guest:
        options.append(
            {
                "value": "public",
                "on": not private,
                "title": _("Public"),
                "text": _("Visible to everyone with access to this server. This cannot be undone."),
            }
        )
    if not facts.private and not viewer().sysadmin:
        options = [option for option in options if option["value"] == "public"]
    return options


@bp.get("/dataset/<ref>/delete")
@allow("dataset:delete")
def delete_page(ref: str) -> str:
    """What deleting means."""
    row, _facts = load(ref)
    count = ngettext("%(num)s file", "%(num)s files", row["num_resources"])
    text = _(
        "The draft with %(files)s is removed from all lists. Until it is purged you can restore it under My data, Deleted.",
        files=count,
    )
    if row["state"] != "draft":
        text = _(
            "The dataset with %(files)s is removed from all lists. It cannot be restored; purge it later to free the space.",
            files=count,
        )
    return _question(row, text, _("Delete"), "delete")


def _question(row: sqlite3.Row, text: str, button: str, verb: str) -> str:
    """The page that asks before something is done to a dataset."""
    action = f"/dataset/{row['id']}/{verb}"
    return render("dataset/confirm.html", text=text, button=button, action=action, **frame(row, button))


@bp.post("/dataset/<ref>/delete")
@allow("dataset:delete")
def delete(ref: str) -> Response:
    """Delete a draft (an admin: any dataset)."""
    row, _facts = load(ref)
    deletion.delete(site(), viewer(), row["id"])
    done = "draft-deleted" if row["state"] == "draft" else "deleted"
    if row["creator_id"] == viewer().user_id:
        return back_to(url_with("/dashboard", show="deleted"), done=done)
    return back_to(
        f"/dataset/{row['id']}" if datasets.visible(conn(), row["id"], viewer()) else "/dashboard", done=done
    )


@bp.post("/dataset/<ref>/restore")
@allow("dataset:restore")
def restore(ref: str) -> Response:
    """Make a deleted draft a draft again."""
    row, _facts = load(ref)
    deletion.restore(site(), viewer(), row["id"])
    return back_to(f"/dataset/{row['id']}", done="restored")


@bp.get("/dataset/<ref>/purge")
@allow("dataset:purge")
def purge_page(ref: str) -> str:
    """What purging means."""
    row, _facts = load(ref)
    text = _(
        "The deleted dataset and its files are removed permanently. For some time, an administrator can recover the files from quarantine."
    )
    return _question(row, text, _("Purge"), "purge")


@bp.post("/dataset/<ref>/purge")
@allow("dataset:purge")
def purge(ref: str) -> Response:
    """Remove a deleted dataset for good."""
    row, _facts = load(ref)
    deletion.purge(site(), viewer(), row["id"])
    return back_to("/dashboard", done="purged")
