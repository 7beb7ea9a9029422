"""The audit log: who did what; filters, export, and whether the chain of entries is unbroken."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import audit_log
from appliance.model.csv_cells import inert
from appliance.model.names import is_id
from appliance.store import audit, object_names
from appliance.store.audit_chain import Verdict
from appliance.web.pages.admin import audit_words
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, context, settings
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import render, url_with

bp = Blueprint("admin_audit", __name__)
_PER_PAGE = 100
_EXPORTED = 100_000
_FIELDS = ("actor", "action", "object_id", "since", "until")


def _filters() -> dict[str, str]:
    return {key: request.args.get(key, "").strip()[:200] for key in _FIELDS}


def _which(filters: dict[str, str]) -> audit.Filter:
    until = filters["until"]
    wanted = filters["object_id"]
    return audit.Filter(
        filters["actor"],
        filters["action"],
        wanted if not wanted or is_id(wanted) else object_names.find(conn(), wanted),
        filters["since"],
        f"{until}T99" if len(until) == 10 else until,
    )


@bp.get("/admin/audit")
@allow("site:administer")
def page() -> str:
    """Entries, newest first."""
    filters = _filters()
    page = page_number(request.args)
    total = audit.count(conn(), _which(filters))
    rows = audit.entries(conn(), _which(filters), limit=_PER_PAGE, offset=(page - 1) * _PER_PAGE)
    verdict = audit_log.verify(context().db, settings()) if "verify" in request.args else None
    return render(
        "admin/audit.html",
        filters=filters,
        count=ngettext("%(count)s entry", "%(count)s entries", total, count=show.integer(total)),
        entries=_entries(rows),
        pages=pages(total, _PER_PAGE, page, lambda one: url_with("/admin/audit", **filters, page=one)),
        csv_url=url_with("/admin/audit/export.csv", **filters),
        json_url=url_with("/admin/audit/export.json", **filters),
        verify_url=url_with("/admin/audit", **filters, verify=1),
        verified=None if verdict is None else _verified(verdict),
        **frame("audit", _("Audit log")),
    )


def _verified(verdict: Verdict) -> dict[str, Any]:
    return {
        "problems": [translate(text) for text in verdict.problems],
        "explained": len(verdict.explained),
        "anchors": ngettext(
            "%(num)s record in backups and the journal agrees.", "%(num)s records in backups and the journal agree.",
            verdict.anchors - len(verdict.explained),
        ),
    }  # fmt: skip


def _entries(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Entries with names and titles in place of the ids of what is still there."""
    mentioned = [row["object_id"] for row in rows]
    mentioned += [value for row in rows for value in row["detail"].values() if isinstance(value, str) and is_id(value)]
    known = object_names.of(conn(), mentioned)
    return [_entry(row, known) for row in rows]


_PAGES = {
    "dataset": "/dataset/",
    "resource": "/dataset/",
    "circle": "/organization/",
    "collection": "/group/",
    "user": "/admin/users/",
}


def _entry(row: dict[str, Any], known: Mapping[str, object_names.Named]) -> dict[str, str]:
    found = known.get(row["object_id"])
    detail = ", ".join(
        audit_words.detail(key, known[value].name if isinstance(value, str) and value in known else value)
        for key, value in row["detail"].items()
    )
    return {
        "object_name": found.name if found else "",
        "object_url": _PAGES[found.kind] + found.ref if found else "",
        "seq": str(row["seq"]),
        "at": show.local(row["at"]),
        "actor": row["actor"],
        "action": row["action"],
        "object_type": audit_words.object_type(row["object_type"]),
        "object_id": row["object_id"],
        "detail": detail,
        "address": row["address"],
    }


@bp.get("/admin/audit/export.<any(csv, json):form>")
@allow("site:administer")
def export(form: str) -> Response:
    """What the filters choose, as a file."""
    rows = audit.entries(conn(), _which(_filters()), limit=_EXPORTED)
    text = json.dumps(rows, ensure_ascii=False, indent=1) if form == "json" else _csv(rows)
    kind = "application/json" if form == "json" else "text/csv; charset=utf-8"
    return Response(text, content_type=kind, headers={"Content-Disposition": f'attachment; filename="audit.{form}"'})


def _csv(rows: list[dict[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["seq", "at", "actor", "action", "object_type", "object_id", "detail", "address"])
    writer.writerows(_lines(rows))
    return buffer.getvalue()


def _lines(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    for row in rows:
        values = [
            row["seq"],
            row["at"],
            row["actor"],
            row["action"],
            row["object_type"],
            row["object_id"],
            json.dumps(row["detail"], ensure_ascii=False),
            row["address"],
        ]
        yield [inert(str(value)) for value in values]
