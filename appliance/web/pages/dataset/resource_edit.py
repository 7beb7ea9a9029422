"""Describing a file of a draft: its description and supplementary metadata, for one file or for all measurements at once."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from flask import Blueprint, request

from appliance.actions import lookup
from appliance.actions import resources as verbs
from appliance.model.problem import Problem, not_found
from appliance.store import communities, resources
from appliance.web.pages.dataset import supplements
from appliance.web.pages.dataset import view as dataset_pages
from appliance.web.pages.dataset.resource import load
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, context, settings, site, viewer
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
    """Save, for this file or for all measurements of the draft."""
    row, file, _facts = load(ref, resource_id)
    given = supplements.entered(settings().policy.supplements, request.form)
    everywhere = "all" in request.form
    targets = [one for one in resources.of_dataset(conn(), row["id"]) if _is_measurement(one)] if everywhere else [file]
    try:
        with context().db.write() as tx:
            for target in targets:
                stored, facts = lookup.resource(tx, viewer(), target["id"], "dataset:update")
                verbs.require_draft(viewer(), facts)
                new = dict(given)
                if target["id"] == file["id"]:
                    new["description"] = request.form.get("description", "").strip()
                verbs.change(site(), tx, viewer(), json.loads(stored["document"]), new)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _page(row, file, given, problem), 409
    return back_to(f"/dataset/{row['id']}/resource/{resource_id}", done="saved")


def _is_measurement(file: sqlite3.Row) -> bool:
    return file["mimetype"] in ("RT-DC", "DC")


def _page(
    row: sqlite3.Row, file: sqlite3.Row, given: dict[str, str] | None = None, problem: Problem | None = None
) -> str:
    if row["state"] != "draft" and not viewer().sysadmin:
        raise not_found()
    circle = communities.find(conn(), row["circle_id"], "circle", deleted=True)
    base = f"/dataset/{row['id']}/resource/{file['id']}"
    values: dict[str, Any] = dict(given) if given is not None else json.loads(file["supplements"])
    return render(
        "resource/edit.html",
        title=_("Edit file details"),
        name=file["name"],
        base=base,
        crumbs=dataset_pages.crumbs(row, circle, (file["name"], base), (_("Describe"), "")),
        description=request.form.get("description", file["description"] or ""),
        measurement=_is_measurement(file),
        form=supplements.form(settings().policy.supplements, values, problem.fields if problem else None),
        errors=messages(problem) if problem else {},
        others=sum(_is_measurement(one) for one in resources.of_dataset(conn(), row["id"])) > 1,
    )
