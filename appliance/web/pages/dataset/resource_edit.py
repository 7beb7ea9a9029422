"""Describing a file of a draft: its description and supplementary metadata, for one file or for all measurements at once.

Only fields that the reader changed are written. The form says what each field held when it was shown (``was:<field>``), so a
form that lay open for an hour does not put old values back.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from flask import Blueprint, request

from appliance.actions import supplement_edits as verbs
from appliance.model.problem import Problem, not_found
from appliance.store import communities, resources
from appliance.web.pages.dataset import overwriting, supplements
from appliance.web.pages.dataset import view as dataset_pages
from appliance.web.pages.dataset.resource import load
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("resource_edit", __name__)


@bp.get("/dataset/<ref>/resource/<resource_id>/edit")
@allow("dataset:update")
def page(ref: str, resource_id: str) -> str:
    """The form."""
    row, file, _facts = load(ref, resource_id)
    return _page(row, file)


@bp.post("/dataset/<ref>/resource/<resource_id>/edit")
@allow("dataset:update")
def save(ref: str, resource_id: str) -> Any:
    """Save what was changed, for this file or (after a summary) for all measurements of the draft."""
    row, file, _facts = load(ref, resource_id)
    given = supplements.entered(settings().policy.supplements, request.form)
    own: dict[str, Any] = _changed(file, given)
    if "description" in request.form and _differs("description", file["description"], request.form["description"]):
        own["description"] = request.form["description"].strip()
    changes = {file["id"]: own}
    if "all" in request.form:
        plan = overwriting.Plan.of(row["id"], given, set(_changed(file, given)))
        if not plan.confirmed():
            return _summary(row, file, plan, given)
        changes = plan.changes()
        changes[file["id"]] = changes.get(file["id"], {}) | own
    try:
        verbs.write(site(), viewer(), row["id"], changes)
    except Problem as problem:
        if problem.status != 409 or not problem.fields:
            raise
        faults: dict[str, Any] = {}
        for found in problem.fields.values():
            faults |= found
        return _page(row, file, given, Problem(409, "Validation Error", faults)), 409
    return back_to(f"/dataset/{row['id']}/resource/{resource_id}", done="saved")


def _changed(file: sqlite3.Row, given: dict[str, str]) -> dict[str, Any]:
    """The supplementary fields that the reader changed in the form."""
    stored = json.loads(file["supplements"])
    return {key: value for key, value in given.items() if _differs(key, stored.get(key), value)}


def _differs(key: str, stored: Any, value: str) -> bool:
    """Is `value` another one than the form showed? A form that does not tell showed what is stored."""
    shown = request.form.get(f"was:{key}", supplements.form_text(stored))
    return shown.replace("\r\n", "\n").strip() != value.replace("\r\n", "\n").strip()


def _summary(row: sqlite3.Row, file: sqlite3.Row, plan: overwriting.Plan, given: dict[str, str]) -> str:
    """What saving for all measurements would write, and what it would overwrite."""
    base = f"/dataset/{row['id']}/resource/{file['id']}"
    circle = communities.find(conn(), row["circle_id"], "circle", deleted=True)
    return render(
        "resource/overwrite.html",
        title=_("Save for all measurements?"),
        name=file["name"],
        base=base,
        crumbs=dataset_pages.crumbs(row, circle, (file["name"], base), (_("Save for all measurements"), "")),
        carried=[(key, value) for key, value in request.form.items(multi=True) if key not in ("field", "seen", "all")],
        **plan.model(),
    )


def _page(
    row: sqlite3.Row, file: sqlite3.Row, given: dict[str, str] | None = None, problem: Problem | None = None
) -> str:
    if row["state"] != "draft" and not viewer().sysadmin:
        raise not_found()
    circle = communities.find(conn(), row["circle_id"], "circle", deleted=True)
    base = f"/dataset/{row['id']}/resource/{file['id']}"
    stored = json.loads(file["supplements"])
    values: dict[str, Any] = dict(given) if given is not None else stored
    form = supplements.form(settings().policy.supplements, values, problem.fields if problem else None)
    shown = {item["key"]: supplements.form_text(stored.get(item["key"])) for part in form for item in part["fields"]}
    shown["description"] = file["description"] or ""
    return render(
        "resource/edit.html",
        title=_("Edit file details"),
        name=file["name"],
        base=base,
        sheet=f"/dataset/{row['id']}/supplements",
        crumbs=dataset_pages.crumbs(row, circle, (file["name"], base), (_("Describe"), "")),
        description=request.form.get("description", file["description"] or ""),
        measurement=overwriting.is_measurement(file),
        form=form,
        shown=[(key, request.form.get(f"was:{key}", value)) for key, value in shown.items()],
        errors=messages(problem) if problem else {},
        others=sum(overwriting.is_measurement(one) for one in resources.of_dataset(conn(), row["id"])) > 1,
    )
