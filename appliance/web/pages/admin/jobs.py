"""Background work: what runs, waits and failed; run again, cancel."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.store import audit, resources
from appliance.store import jobs as job_store
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import job_texts
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, context, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import back_to, render, url_with

bp = Blueprint("admin_jobs", __name__)
_PER_PAGE = 50


@bp.get("/admin/jobs")
@allow("site:administer")
def page() -> str:
    """Jobs by state; the list refreshes itself."""
    template = "admin/job-rows.html" if request.headers.get("X-Fragment") else "admin/jobs.html"
    return render(template, **_model(), **frame("jobs", _("Jobs")))


def _model() -> dict[str, Any]:
    counts = job_store.counts(conn())
    state = request.args.get("state", "")
    state = state if state in counts else ""
    page = page_number(request.args)
    found = job_store.list_(conn(), state=state or None, limit=_PER_PAGE, offset=(page - 1) * _PER_PAGE)
    total = counts[state] if state else sum(counts.values())
    tabs = [
        ("", _("All"), sum(counts.values())),
        *((name, job_texts.state(name).capitalize(), count) for name, count in counts.items()),
    ]
    return {
        "tabs": [
            {
                "url": url_with("/admin/jobs", state=name),
                "text": text,
                "on": name == state,
                "count": show.integer(count),
            }
            for name, text, count in tabs
        ],
        "jobs": [_row(job) for job in found],
        "pages": pages(total, _PER_PAGE, page, lambda one: url_with("/admin/jobs", state=state, page=one)),
        "refresh": url_with("/admin/jobs", state=state, page=page),
        "failed": counts["failed"],
    }


def _row(job: dict[str, Any]) -> dict[str, Any]:
    file = resources.get(conn(), job["resource_id"]) if job["resource_id"] else None
    shown = job_texts.job(job)
    return {
        "id": job["id"],
        "name": shown["name"],
        "kind": shown["kind"],
        "state": shown["text"],
        "stage": "" if job_texts.waits_for_room(job) else translate(job["stage"] or ""),
        "error": shown["error"],
        "log": job["log"],
        "file": {"text": file["name"], "url": f"/dataset/{file['dataset_id']}/resource/{file['id']}"}
        if file is not None
        else None,
        "created": show.ago(job["created"]),
        "created_title": show.moment(job["created"]),
        "attempts": show.integer(job["attempts"]),
        "retry": job["state"] in ("failed", "cancelled"),
        "cancel": job["state"] in ("queued", "running"),
    }


@bp.post("/admin/jobs/<job_id>/retry")
@allow("site:administer")
def retry(job_id: str) -> Response:
    """Queue a failed job again, with what depends on it."""
    with context().db.write() as tx:
        job_store.retry(tx, job_id)
        audit.add(tx, viewer(), "job.retry", "job", job_id)
    context().wake_jobs()
    return back_to("/admin/jobs", done="retried")


@bp.post("/admin/jobs/retry-failed")
@allow("site:administer")
def retry_failed() -> Response:
    """Queue every failed job again."""
    with context().db.write() as tx:
        for job in job_store.list_(tx, state="failed", limit=1000):
            job_store.retry(tx, job["id"])
        audit.add(tx, viewer(), "job.retry", "job", "failed")
    context().wake_jobs()
    return back_to("/admin/jobs", done="retried")


@bp.post("/admin/jobs/<job_id>/cancel")
@allow("site:administer")
def cancel(job_id: str) -> Response:
    """Cancel a job that is not over."""
    with context().db.write() as tx:
        job_store.cancel(tx, job_id)
        audit.add(tx, viewer(), "job.cancel", "job", job_id)
    return back_to("/admin/jobs", done="cancelled")
