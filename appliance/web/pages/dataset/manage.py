"""Changing a dataset: edit, activate, visibility and licence, delete, purge. What cannot be undone has a page that says so."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import datasets as verbs
from appliance.model import licences
from appliance.model.problem import Problem, not_found
from appliance.model.viewer import DatasetFacts
from appliance.store import communities, resources, rtdc, tags
from appliance.web.pages.dataset import view as dataset_pages
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.message_translation import inside
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("manage", __name__)
_TEXTS = ("title", "authors", "notes", "tag_string", "doi", "references")


def _frame(row: sqlite3.Row, title: str) -> dict[str, Any]:
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
        **_frame(row, _("Edit") if draft else _("Visibility and licence")),
        everything=draft or viewer().sysadmin,
        values=stored
        | {"tag_string": ", ".join(entered)}
        | {key: value for key, value in data.items() if isinstance(value, str)},
        errors=errors or {},
        licences=licence_options(data.get("license_id", row["license_id"]), old=row["license_id"]),
        visibility=_visibility(facts, data),
        irreversible=not draft,
    )


def licence_options(chosen: str, *, old: str = "") -> list[dict[str, Any]]:
    """The licences that may be chosen: those of the site, for an existing dataset only its own and less restrictive ones."""
    listed = {
        licence["id"]: licence["title"]
        for licence in licences.listed(settings().policy.licences)
        if licence["id"] != "none"
    }
    ids = list(listed)
    if old and not viewer().sysadmin:
        ids = [one for one in licences.looser(old) if one in listed or one == old]
    return [
        {"value": one, "text": listed.get(one) or (licences.find(one) or {"title": one})["title"], "on": one == chosen}
        for one in ids
    ]


def _visibility(facts: DatasetFacts, data: dict[str, Any]) -> list[dict[str, Any]]:
    private = data.get("private", facts.private)
    options = [
        {
            "value": "private",
            "on": private,
            "title": _("Private"),
            "text": _("Visible to members of its circle and collections and to people it is shared with."),
        }
    ]
    if settings().policy.public_datasets:
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


@bp.get("/dataset/<ref>/activate")
@allow("dataset:update")
def activate_page(ref: str) -> str:
    """What activation means, and whether the draft is ready for it."""
    row, _facts = load(ref)
    return _activate_page(row)


@bp.post("/dataset/<ref>/activate")
@allow("dataset:update")
def activate(ref: str) -> Any:
    """Activate a draft, for good."""
    row, _facts = load(ref)
    try:
        verbs.update(site(), viewer(), row["id"], {"state": "active"})
    except Problem as problem:
        if problem.status not in (403, 409):
            raise
        return _activate_page(row, messages(problem)), problem.status
    return back_to(f"/dataset/{row['name']}", done="activated")


def _activate_page(row: sqlite3.Row, errors: dict[str, str] | None = None) -> str:
    if row["state"] != "draft":
        raise not_found()
    files = resources.of_dataset(conn(), row["id"])
    return render(
        "dataset/activate.html",
        **_frame(row, _("Activate")),
        checks=_checks(row, files),
        findings=_personal_findings(files),
        errors=errors or {},
        private=bool(row["private"]),
    )


def _checks(row: sqlite3.Row, files: list[sqlite3.Row]) -> list[dict[str, str]]:
    verdicts = rtdc.verdicts(conn(), row["id"])
    measurements = [file for file in files if file["mimetype"] in ("RT-DC", "DC")]
    valid = sum(bool(verdicts.get(file["id"])) for file in measurements)
    bad = [file["name"] for file in measurements if verdicts.get(file["id"]) is not None and not verdicts[file["id"]]]
    unknown = len(measurements) - valid - len(bad)
    checks = [
        _check(bool(files), ngettext("%(num)s file", "%(num)s files", len(files)), _("There are no files yet.")),
        _measured(valid, unknown),
        _check(bool(row["authors"]), row["authors"], _("Authors are missing.")),
        _check(bool(row["license_id"]), dataset_pages.licence_title(row), _("The licence is missing.")),
    ]
    checks += [
        {"kind": "not-ok", "icon": "error", "text": _("%(name)s did not pass the check; see its page.", name=name)}
        for name in bad
    ]
    if not row["notes"]:
        checks.append(
            {"kind": "so-so", "icon": "info", "text": _("There is no description, and none can be added later.")}
        )
    return checks


def _measured(valid: int, unknown: int) -> dict[str, str]:
    """The line about measurements; one that the jobs have not looked at yet is no fault."""
    if unknown and not valid:
        text = _("No measurement has been checked yet; they are checked when you activate.")
        return {"kind": "so-so", "icon": "clock", "text": text}
    return _check(
        bool(valid),
        ngettext("%(num)s valid measurement", "%(num)s valid measurements", valid),
        _("Add at least one valid measurement (.rtdc)."),
    )


def _check(good: bool, yes: str, no: str) -> dict[str, str]:
    return (
        {"kind": "ok", "icon": "check-circle", "text": yes} if good else {"kind": "not-ok", "icon": "error", "text": no}
    )


def _personal_findings(files: list[sqlite3.Row]) -> list[dict[str, str]]:
    found = []
    for file in files:
        facts = rtdc.get(conn(), file["id"])
        for item in facts["personal"][:5] if facts else []:
            found.append({"file": file["name"], "text": f"{inside(item['where'])}: {item['excerpt']}"})
    return found[:20]


@bp.get("/dataset/<ref>/delete")
@allow("dataset:delete")
def delete_page(ref: str) -> str:
    """What deleting means."""
    row, _facts = load(ref)
    count = ngettext("%(num)s file", "%(num)s files", row["num_resources"])
    text = _(
        "The dataset with %(files)s is removed from all lists; purge it later to free the space.",
        files=count,
    )
    return render(
        "dataset/confirm.html",
        text=text,
        button=_("Delete"),
        action=f"/dataset/{row['id']}/delete",
        **_frame(row, _("Delete")),
    )


@bp.post("/dataset/<ref>/delete")
@allow("dataset:delete")
def delete(ref: str) -> Response:
    """Delete a draft (an admin: any dataset)."""
    row, _facts = load(ref)
    verbs.delete(site(), viewer(), row["id"])
    return back_to("/dashboard", done="draft-deleted" if row["state"] == "draft" else "deleted")


@bp.get("/dataset/<ref>/purge")
@allow("dataset:purge")
def purge_page(ref: str) -> str:
    """What purging means."""
    row, _facts = load(ref)
    text = _(
        "The deleted dataset and its files are removed permanently. For some time, an administrator can recover the files from quarantine."
    )
    return render(
        "dataset/confirm.html",
        text=text,
        button=_("Purge"),
        action=f"/dataset/{row['id']}/purge",
        **_frame(row, _("Purge")),
    )


@bp.post("/dataset/<ref>/purge")
@allow("dataset:purge")
def purge(ref: str) -> Response:
    """Remove a deleted dataset for good."""
    row, _facts = load(ref)
    verbs.purge(site(), viewer(), row["id"])
    return back_to("/dashboard", done="purged")
