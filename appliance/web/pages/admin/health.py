"""How the appliance is: figures, alarms, and every check of `dcor inspect`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.health import report
from appliance.health.base import Finding, Level, Premises
from appliance.model.problem import not_found
from appliance.store import alarms, archived_files, audit, inspection, object_names, resources
from appliance.store import jobs as job_store
from appliance.web.pages.admin import first_steps
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import job_texts
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, context, settings, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("admin_health", __name__)
_SHOWN = 20
_BADGES = {
    Level.OK: ("good", "check"),
    Level.NOTE: ("info", "info"),
    Level.WARNING: ("warn", "warning"),
    Level.PROBLEM: ("bad", "error"),
}


@bp.get("/admin")
@bp.get("/admin/")
@allow("site:administer")
def page() -> str:
    """Figures at once; the checks come with the fragment below, because they take a moment."""
    totals, counts = inspection.totals(conn()), job_store.counts(conn())
    live = context().status()
    figures = [
        {"name": _("Users"), "text": show.integer(totals["users"])},
        {"name": _("Datasets"), "text": show.integer(totals["datasets"])},
        {"name": _("Files"), "text": show.integer(totals["resources"])},
        {"name": _("Data"), "text": show.size(totals["bytes"])},
        {"name": _("Free space"), "text": show.size(context().depot.free())},
        {"name": _("Jobs waiting or running"), "text": show.integer(counts["queued"] + counts["running"])},
        {"name": _("Failed jobs"), "text": show.integer(counts["failed"])},
    ]
    if "uptime" in live:
        figures.append({"name": _("Uptime"), "text": show.duration(live["uptime"])})
        figures.append({"name": _("Connections"), "text": show.integer(live["connections"])})
    return render(
        "admin/health.html",
        figures=figures,
        steps=first_steps.remaining(),
        failed_files=[_failed_file(row) for row in object_names.failed_files(conn(), _SHOWN + 1)[:_SHOWN]],
        more_failed=len(object_names.failed_files(conn(), _SHOWN + 1)) > _SHOWN,
        alarms=[
            {
                "id": one["id"],
                "kind": _capital(translate(one["kind"])),
                "text": translate(one["message"]),
                "when": show.ago(one["at"]),
            }
            for one in alarms.open_(conn())
        ],
        **frame("health", _("Health")),
    )


def _failed_file(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "url": f"/dataset/{row['dataset_id']}/resource/{row['id']}",
        "dataset": row["title"],
        "uploader": row["fullname"] or row["uploader"] or "–",
        "email": row["email"] or "",
        "error": job_texts.error(row["error"]),
        "when": show.ago(row["at"]),
    }


@bp.post("/admin/files/<resource_id>/retry")
@allow("site:administer")
def retry_file(resource_id: str) -> Response:
    """Queue the failed jobs of a file again."""
    with context().db.write() as tx:
        for job in job_store.list_(tx, state="failed", resource_id=resource_id):
            job_store.retry(tx, job["id"])
        audit.add(tx, viewer(), "job.retry", "resource", resource_id)
    context().wake_jobs()
    return back_to("/admin", done="retried")


@bp.post("/admin/files/<resource_id>/recall")
@allow("site:administer")
def recall_file(resource_id: str) -> Response:
    """Queue the job that brings an archived original back."""
    with context().db.write() as tx:
        file = resources.get(tx, resource_id)
        if file is None:
            raise not_found()
        if archived_files.stored(tx, resource_id) is not None:
            job_store.enqueue(tx, "recall", resource_id=resource_id, dataset_id=file["dataset_id"])
            audit.add(tx, viewer(), "archive.recall", "resource", resource_id)
    context().wake_jobs()
    return back_to(f"/dataset/{file['dataset_id']}/resource/{resource_id}")


@bp.get("/admin/checks")
@allow("site:administer")
def checks() -> str:
    """The result of all quick checks; scripts ask for it as a part of the page."""
    template = "admin/checks.html" if request.headers.get("X-Fragment") else "admin/repaired.html"
    return render(template, **_checked(repair=False), **frame("health", _("Health")))


@bp.post("/admin/checks/repair")
@allow("site:administer")
def repair() -> str:
    """Mend what can be mended without losing anything, and look again."""
    model = _checked(repair=True)
    with context().db.write() as tx:
        audit.add(tx, viewer(), "site.repair", "site", repaired=model["repaired"])
    return render("admin/repaired.html", after=True, **model, **frame("health", _("Health")))


def _checked(*, repair: bool) -> dict[str, Any]:
    premises = Premises(settings().data, settings())
    try:
        found = report.examine(premises, repair=repair)
    finally:
        premises.db.close()
    order = [Level.PROBLEM, Level.WARNING, Level.NOTE, Level.OK]
    findings = sorted(found.findings, key=lambda one: order.index(one.level))
    bad = sum(one.level in (Level.PROBLEM, Level.WARNING) for one in findings)
    return {
        "summary": ngettext("%(num)s thing needs attention", "%(num)s things need attention", bad)
        if bad
        else _("Everything is in order"),
        "summary_kind": "bad" if not found.healthy else "warn" if bad else "good",
        "findings": [_finding(one) for one in findings],
        "repairable": any(one.repair is not None for one in findings),
        "repaired": [translate(line) for line in found.repaired],
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _finding(one: Finding) -> dict[str, Any]:
    kind, icon = _BADGES[one.level]
    words = {Level.OK: _("ok"), Level.NOTE: _("note"), Level.WARNING: _("warning"), Level.PROBLEM: _("problem")}
    return {
        "name": _capital(translate(one.check)),
        "badge": {"kind": kind, "icon": icon, "text": words[one.level], "hint": ""},
        "detail": translate(one.detail),
        "why": translate(one.why),
        "fix": translate(one.fix),
    }


@bp.post("/admin/alarms/<alarm_id>/resolve")
@allow("site:administer")
def resolve(alarm_id: str) -> Response:
    """Mark an alarm as settled."""
    with context().db.write() as tx:
        alarms.resolve(tx, alarm_id)
        audit.add(tx, viewer(), "alarm.resolve", "alarm", alarm_id)
    return back_to("/admin", done="saved")
