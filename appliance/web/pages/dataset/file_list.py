"""The files on a dataset's page: filtered by name, sorted, some fifty at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from flask import request

from appliance.actions import virus_gate
from appliance.model import names
from appliance.model.viewer import DatasetFacts
from appliance.store import dataset_cards, resources, verdicts
from appliance.store import jobs as job_store
from appliance.web.pages.dataset import verdict
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import may
from appliance.web.pages.frame.base import conn, settings, viewer
from appliance.web.pages.frame.i18n import N_, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.job_texts import by_file, summary
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import url_with

_PER_PAGE = 50
#: With more files than this the list has a filter and an order to choose.
_FEW = 10
_ORDERS: dict[str, tuple[str, Callable[[sqlite3.Row], Any]]] = {
    "": (N_("Dataset order"), lambda file: file["position"]),
    "name": (N_("By name"), lambda file: names.natural_key(file["name"])),
    "largest": (N_("Largest first"), lambda file: -(file["size"] or 0)),
    "events": (N_("Most events first"), lambda file: -(file["event_count"] or 0)),
    "newest": (N_("Newest first"), lambda file: [-ord(character) for character in file["created"]]),
}


def listed(row: sqlite3.Row, facts: DatasetFacts) -> dict[str, Any]:
    """The part of the page's model about files, as the address asks for it."""
    files = resources.of_dataset(conn(), row["id"])
    words = request.args.get("file", "").strip()[:200]
    order = request.args.get("sort", "")
    order = order if order in _ORDERS else ""
    chosen = [file for file in files if words.casefold() in file["name"].casefold()]
    chosen.sort(key=_ORDERS[order][1])
    page = min(page_number(request.args), max(1, -(-len(chosen) // _PER_PAGE)))
    with_thumbnail = dataset_cards.resources_with_thumbnail(conn(), row["id"])
    grades = verdicts.of_dataset(conn(), row["id"])
    hidden = virus_gate.withheld(conn(), settings(), viewer().user_id, [file["id"] for file in files])
    with_thumbnail -= hidden
    grades = {key: grade for key, grade in grades.items() if key not in hidden}
    by_resource = by_file(job_store.for_dataset(conn(), row["id"]))
    total = sum(file["size"] or 0 for file in files)
    events = sum(file["event_count"] or 0 for file in files)
    editable = row["state"] == "draft" and may("dataset:update", facts) and settings().web.browser_upload
    path = f"/dataset/{row['id']}"
    return {
        "resources": [
            _file(row, file, file["id"] in with_thumbnail, by_resource.get(file["id"], []), grades.get(file["id"], ""))
            for file in chosen[(page - 1) * _PER_PAGE : page * _PER_PAGE]
        ],
        "resources_count": show.integer(len(files)),
        "resources_note": " · ".join(
            text for text in (show.events(events) if events else "", show.size(total) if total else "") if text
        ),
        "resource_pages": pages(
            len(chosen), _PER_PAGE, page, lambda one: url_with(path, file=words, sort=order, page=one) + "#files"
        ),
        "file_filter": {
            "words": words,
            "orders": [{"value": key, "text": _(text), "on": key == order} for key, (text, _key) in _ORDERS.items()],
            "found": ngettext("%(num)s file", "%(num)s files", len(chosen)) if words else "",
        }
        if len(files) > _FEW
        else None,
        "comparable": any(file["mimetype"] in ("RT-DC", "DC") for file in files),
        "upload_url": f"/dataset/{row['name']}/upload" if editable else "",
    }


def _file(
    row: sqlite3.Row, file: sqlite3.Row, thumbnail: bool, jobs: list[dict[str, Any]], grade: str
) -> dict[str, Any]:
    url = f"/dataset/{row['id']}/resource/{file['id']}"
    meta = [text for text in (file["format"], show.events(file["event_count"]), show.size(file["size"])) if text]
    return {
        "id": file["id"],
        "name": file["name"],
        "comparable": file["mimetype"] in ("RT-DC", "DC"),
        "url": url,
        "description": file["description"] or "",
        "icon": "measurement" if file["mimetype"] in ("RT-DC", "DC") else "file",
        "thumb": f"{url}/thumbnail.webp" if thumbnail else "",
        "meta": meta,
        "download": f"{url}/download/{file['name'].lower()}",
        "state": summary(jobs),
        "verdict": verdict.badge(grade) if grade else None,
    }
