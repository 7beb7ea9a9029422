"""A resource's page: download, key numbers, explorer, preview, metadata, reports, logs, tables, checksums."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from flask import Blueprint

from appliance.actions import virus_gate
from appliance.model.problem import not_found
from appliance.model.viewer import DatasetFacts
from appliance.store import archived_files, artefacts, communities, documents, resources, rtdc, verdicts
from appliance.store import jobs as job_store
from appliance.web.pages.dataset import contents, explorer, measurement, snippets, supplements, verdict
from appliance.web.pages.dataset import view as dataset_pages
from appliance.web.pages.dataset.dataset_card import state_badges
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import job_texts
from appliance.web.pages.frame.allow import allow, may
from appliance.web.pages.frame.base import conn, settings, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.page_cache import cacheable
from appliance.web.pages.frame.render import render

bp = Blueprint("resource", __name__)
Artefacts = dict[str, sqlite3.Row]


def load(ref: str, resource_id: str) -> tuple[sqlite3.Row, sqlite3.Row, DatasetFacts]:
    """Dataset and resource, if the viewer may see them and may do what the route declares. Raises Problem 404 or 403."""
    row, facts = dataset_pages.load(ref)
    file = resources.get(conn(), resource_id)
    if file is None or file["dataset_id"] != row["id"]:
        raise not_found()
    return row, file, facts


@bp.get("/dataset/<ref>/resource/<resource_id>")
@allow("dataset:read")
@cacheable
def page(ref: str, resource_id: str) -> str:
    """Everything about one file."""
    row, file, facts = load(ref, resource_id)
    waits = virus_gate.waits(conn(), settings(), viewer().user_id, resource_id)
    made = {} if waits else artefacts.of_resource(conn(), resource_id)
    facts_of_file = None if waits else rtdc.get(conn(), resource_id)
    jobs = job_store.for_resource(conn(), resource_id)
    circle = communities.find(conn(), row["circle_id"], "circle", deleted=True)
    is_measurement = file["mimetype"] in ("RT-DC", "DC")
    measures = None if waits else verdicts.get(conn(), resource_id)
    dc = {} if waits else json.loads(file["dc"])
    model: dict[str, Any] = {
        "title": file["name"],
        "id": resource_id,
        "description": file["description"] or "",
        "badges": [{"kind": "info", "icon": "", "text": file["format"], "hint": ""}] * bool(file["format"])
        + state_badges(row["state"], private=facts.private),
        "crumbs": dataset_pages.crumbs(row, circle, (file["name"], "")),
        "measurement": is_measurement,
        "figures": measurement.figures(file, dc) if is_measurement and not waits else [],
        "tables": measurement.tables(dc),
        "supplements": supplements.tables(json.loads(file["supplements"]), settings().policy.supplements),
        "archived": _archived(resource_id),
        "verdict": verdict.of_file(measures, jobs) if is_measurement and not waits else None,
        "warnings": _scan_notes(resource_id, waits) + ([] if measures else measurement.warnings(row, facts_of_file)),
        "reports": measurement.reports(facts_of_file, insider=may("dataset:update", facts)) if facts_of_file else [],
        "logs": measurement.logs(facts_of_file) if facts_of_file else [],
        "data_tables": measurement.data_tables(facts_of_file) if facts_of_file else [],
        "explorer": explorer.model(row, file, facts_of_file, facts)
        if "columns" in made and facts_of_file and file["event_count"]
        else None,
        "preview_wait": "" if waits else _preview_wait(jobs),
        "snippets": snippets.of_resource(
            file,
            settings().site_url,
            token=facts.private or row["state"] == "draft" or not settings().policy.anonymous_access,
            measurement=is_measurement,
        ),
        "sha256": file["sha256"],
        "etag": file["etag"],
        "edit_url": f"/dataset/{row['id']}/resource/{resource_id}/edit"
        if row["state"] == "draft" and may("dataset:update", facts)
        else "",
        **_downloads(row, file, made),
        **_preview(row, file, made, facts_of_file),
        **_information(row, file, dc),
        **_jobs(row, file, jobs),
    }
    model["contents"] = None if is_measurement or waits else contents.of_file(file, model["download"]["url"])
    return render("resource/page.html", sections=_sections(model), **model)


@bp.get("/dataset/<ref>/resource/<resource_id>/jobs")
@allow("dataset:read")
def jobs_fragment(ref: str, resource_id: str) -> str:
    """The job state alone, for the page's script to refresh; empty when all is done."""
    row, file, _facts = load(ref, resource_id)
    model = _jobs(row, file, job_store.for_resource(conn(), resource_id))
    return render("resource/jobs.html", **model) if model["jobs_open"] else ""


def _archived(resource_id: str) -> dict[str, Any] | None:
    """What is told of an original in the object storage, and where an administrator asks for it."""
    if archived_files.stored(conn(), resource_id) is None:
        return None
    text = _(
        "The original of this file is in the archive. Downloads and programs reach it as before; images and traces can be shown here "
        "after it has been recalled."
    )
    return {"text": text, "url": f"/admin/files/{resource_id}/recall" if may("site:administer") else ""}


def _scan_notes(resource_id: str, waits: bool) -> list[dict[str, Any]]:
    """What is told of a file that the virus scanner has not looked at."""
    if virus_gate.is_too_large(conn(), settings(), resource_id):
        text = _("This file was not scanned for viruses: it is larger than the scanner accepts.")
        if virus_gate.is_waiting(conn(), settings(), resource_id):
            text += " " + _("Only the person who uploaded it can open it. Ask your administrator.")
        return [{"kind": "warn", "text": text}]
    if not waits:
        return []
    text = _(
        "This file has not been scanned for viruses yet. Until it has, only the person who uploaded it can open it."
    )
    return [{"kind": "warn", "text": text}]


def _downloads(row: sqlite3.Row, file: sqlite3.Row, made: Artefacts) -> dict[str, Any]:
    base = f"/dataset/{row['id']}/resource/{file['id']}"
    stem = file["name"].rpartition(".")[0]
    url = f"{base}/download/{file['name'].lower()}"
    condensed = made.get("condensed")
    exports = []
    if "columns" in made:
        exports = [
            {"url": f"{base}/export.{kind}", "name": f"{stem}.{kind}", "text": text}
            for kind, text in (
                ("csv", _("Scalar features as CSV")),
                ("tsv", _("Scalar features as TSV")),
                ("fcs", _("Scalar features as FCS")),
            )
        ]
    return {
        "download": {"url": url, "size": show.size(file["size"]), "address": settings().site_url + url},
        "condensed": {
            "url": f"{base}/condensed.rtdc",
            "name": f"{stem}_condensed.rtdc",
            "size": show.size(condensed["size"]),
            "hint": _("A smaller file with all scalar features, without images")
            if condensed["size"] < (file["size"] or 0)
            else _("All scalar features, without images; not smaller for this file"),
        }
        if condensed
        else None,
        "exports": exports,
    }


def _preview(row: sqlite3.Row, file: sqlite3.Row, made: Artefacts, found: dict[str, Any] | None) -> dict[str, Any]:
    if "preview" not in made:
        return {"preview": None}
    alt = translate((found or {}).get("preview_alt") or "") or _(
        "Scatter plot, density plot and an event of %(name)s", name=file["name"]
    )
    return {"preview": {"url": f"/dataset/{row['id']}/resource/{file['id']}/preview.webp", "alt": alt}}


def _preview_wait(jobs: list[dict[str, Any]]) -> str:
    failed = next((job for job in jobs if job["state"] == "failed"), None)
    if failed:
        return _("A job failed: %(reason)s", reason=job_texts.error(failed["error"]))
    return _("It is being created in the background; this takes seconds to minutes.")


def _jobs(row: sqlite3.Row, file: sqlite3.Row, jobs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "jobs": [job_texts.job(job) for job in jobs],
        "jobs_open": job_texts.is_open(jobs) or any(job["state"] == "failed" for job in jobs),
        "jobs_url": f"/dataset/{row['id']}/resource/{file['id']}/jobs",
    }


def _information(row: sqlite3.Row, file: sqlite3.Row, dc: dict[str, Any]) -> dict[str, Any]:
    """The table at the end: plain keys first, then every ``dc:`` and ``sp:`` key behind "show more"."""
    plain = {
        _("Created"): show.local(file["created"]),
        "ETag": file["etag"],
        _("Format"): file["format"],
        "ID": file["id"],
        _("Metadata changed"): show.local(file["metadata_modified"]),
        _("Media type"): file["mimetype"],
        _("Dataset ID"): row["id"],
        _("Position"): show.integer(documents.position(conn(), file["id"])),
        "SHA-256": file["sha256"],
        _("Size"): f"{show.size(file['size'])} ({show.integer(file['size'])} B)",
    }
    licence = dataset_pages.licence_title(row)
    more = sorted((dc | json.loads(file["supplements"])).items())
    return {
        "info": [{"name": _("Licence"), "value": licence}]
        + [{"name": key, "value": value} for key, value in plain.items() if value],
        "info_more": [{"name": key, "value": show.value(value)} for key, value in more],
    }


def _sections(model: dict[str, Any]) -> list[dict[str, str]]:
    wanted = [
        ("explorer", "explorer", _("Explorer"), "chart"),
        ("preview", "measurement", _("Preview and metadata"), "image"),
        ("contents", "contents", _("Contents"), "file"),
        ("supplements", "supplements", _("Supplements"), "tag"),
        ("quality", "verdict", _("Quality"), "shield"),
        ("logs", "logs", _("Logs"), "log"),
        ("tables", "data_tables", _("Tables"), "table"),
        ("file", "id", _("Checksums and programs"), "hash"),
        ("information", "id", _("All fields"), "info"),
    ]
    return [{"id": anchor, "text": text, "icon": picture} for anchor, key, text, picture in wanted if model[key]]
