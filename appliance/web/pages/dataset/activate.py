"""The page that asks before a draft is activated: what it holds, what is wrong with it, who will see it."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, request

from appliance.actions import datasets as verbs
from appliance.model import names
from appliance.model.problem import Problem, not_found
from appliance.model.viewer import DatasetFacts
from appliance.store import communities, resources, rtdc
from appliance.web.pages.dataset import view as dataset_pages
from appliance.web.pages.dataset.manage import frame
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame.allow import allow, may
from appliance.web.pages.frame.base import conn, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("activate", __name__)
#: Findings of personal data that are shown; more are counted.
_FINDINGS = 50


@bp.get("/dataset/<ref>/activate")
@allow("dataset:update")
def page(ref: str) -> str:
    """What activation means, and whether the draft is ready for it."""
    row, facts = load(ref)
    return _page(row, facts, {})


@bp.post("/dataset/<ref>/activate")
@allow("dataset:update")
def activate(ref: str) -> Any:
    """Activate a draft permanently, unless something is broken or looks personal and was not confirmed."""
    row, facts = load(ref)
    if row["state"] != "draft":
        raise not_found()
    try:
        verbs.activate(
            site(),
            viewer(),
            row["id"],
            confirmed=set(request.form.getlist("broken")),
            personal_confirmed="personal" in request.form,
        )
    except Problem as problem:
        if problem.status not in (403, 409, 503):
            raise
        return _page(row, facts, _errors(problem)), problem.status
    return back_to(f"/dataset/{row['name']}", done="activated")


def _errors(problem: Problem) -> dict[str, str]:
    if "broken" in problem.fields:
        return {"form": _("Remove the broken files below, or confirm each of them.")}
    if "personal" in problem.fields:
        return {"form": _("Check the personal data found below and confirm.")}
    return messages(problem)


def _page(row: sqlite3.Row, facts: DatasetFacts, errors: dict[str, str]) -> str:
    if row["state"] != "draft":
        raise not_found()
    files = resources.of_dataset(conn(), row["id"])
    verdicts = rtdc.verdicts(conn(), row["id"])
    measurements = [file for file in files if names.is_measurement(file["name"])]
    findings = _personal_findings(files)
    return render(
        "dataset/activate.html",
        **frame(row, _("Activate")),
        errors=errors,
        checks=_checks(row, files, sum(bool(verdicts.get(file["id"])) for file in measurements)),
        broken=[_broken(row, file) for file in measurements if verdicts.get(file["id"]) is False],
        unread=[file["name"] for file in measurements if verdicts.get(file["id"]) is None],
        findings=findings[:_FINDINGS],
        more_findings=max(0, len(findings) - _FINDINGS),
        personal_confirmed="personal" in request.form,
        facts=_facts(row),
        has_files=bool(files),
        for_editors=not facts.private and not may("dataset:publish", facts),
    )


def _broken(row: sqlite3.Row, file: sqlite3.Row) -> dict[str, Any]:
    """A measurement that did not pass the check, and why."""
    facts = rtdc.get(conn(), file["id"])
    reasons = facts["integrity"].get("sanity_errors", []) if facts else []
    return {
        "id": file["id"],
        "name": file["name"],
        "url": f"/dataset/{row['id']}/resource/{file['id']}",
        "reasons": " ".join(translate(str(reason)) for reason in reasons[:3]),
        "on": file["id"] in request.form.getlist("broken"),
    }


def _facts(row: sqlite3.Row) -> list[dict[str, str]]:
    """Who will see the dataset, where it belongs, and under which licence."""
    circle = communities.find(conn(), row["circle_id"], "circle", deleted=True)
    name = (circle["title"] or circle["name"]) if circle else row["circle_id"]
    seen = (
        _(
            "Private: visible to members of its circle and collections and to people it is shared with. It can be made public later."
        )
        if row["private"]
        else _("Public: visible to everyone with access to this server. This cannot be undone.")
    )
    return [
        {"name": _("Visibility"), "text": seen},
        {"name": _("Circle"), "text": name},
        {"name": _("Licence"), "text": dataset_pages.licence_title(row)},
    ]


def _checks(row: sqlite3.Row, files: list[sqlite3.Row], valid: int) -> list[dict[str, str]]:
    checks = [
        _check(bool(files), ngettext("%(num)s file", "%(num)s files", len(files)), _("There are no files yet.")),
        _check(
            bool(valid),
            ngettext("%(num)s valid measurement", "%(num)s valid measurements", valid),
            _("Add at least one valid measurement (.rtdc)."),
        ),
        _check(bool(row["authors"]), row["authors"], _("Authors are missing.")),
        _check(bool(row["license_id"]), dataset_pages.licence_title(row), _("The licence is missing.")),
    ]
    if not valid and any(verdict is None for verdict in rtdc.verdicts(conn(), row["id"]).values()) and files:
        text = _("No measurement has been checked yet; they are checked when you activate.")
        checks[1] = {"kind": "so-so", "icon": "clock", "text": text}
    if not row["notes"]:
        checks.append(
            {"kind": "so-so", "icon": "info", "text": _("There is no description, and it cannot be added later.")}
        )
    return checks


def _check(good: bool, yes: str, no: str) -> dict[str, str]:
    return (
        {"kind": "ok", "icon": "check-circle", "text": yes} if good else {"kind": "not-ok", "icon": "error", "text": no}
    )


def _personal_findings(files: list[sqlite3.Row]) -> list[dict[str, str]]:
    found = []
    for file in files:
        facts = rtdc.get(conn(), file["id"])
        for item in facts["personal"] if facts else []:
            found.append({"file": file["name"], "text": f"{translate(item['where'])}: {item['excerpt']}"})
    return found
