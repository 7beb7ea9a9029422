"""Where the space goes: the disk, circles and their quota, growth, and what waits to be purged."""

from __future__ import annotations

import shutil
from typing import Any

from flask import Blueprint

from appliance.store import communities, inspection
from appliance.store import site_statistics as figures
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import render

bp = Blueprint("admin_storage", __name__)
_ARTEFACTS = {
    "condensed": N_("condensed"),
    "preview": N_("preview"),
    "preview_jpeg": N_("preview (JPEG)"),
    "thumbnail": N_("thumbnail"),
    "columns": N_("explorer columns"),
    "density": N_("density maps"),
    "logs": N_("long logs"),
    "tables": N_("long tables"),
}


@bp.get("/admin/storage")
@allow("site:administer")
def page() -> str:
    """The disk, then who uses it."""
    disk = shutil.disk_usage(settings().data)
    circles = communities.storage(conn())
    kept = figures.latest(conn()) or {}
    return render(
        "admin/storage.html",
        figures=[
            {"name": _("Free"), "text": show.size(disk.free)},
            {"name": _("Used on the volume"), "text": show.percent(_used(disk.used, disk.free), 100)},
            {"name": _("Size of the volume"), "text": show.size(disk.total)},
            {"name": _("Reserved space"), "text": show.size(settings().depot.reserve)},
            {"name": _("Largest file accepted"), "text": show.size(settings().depot.max_upload)},
        ],
        used=disk.used,
        total=disk.total,
        circles=[_circle(row, max((one["bytes"] for one in circles), default=1) or 1) for row in circles],
        quota=show.size(settings().depot.quota_circle) if settings().depot.quota_circle else "",
        months=_months(kept.get("months", [])),
        artefacts=[
            {
                "name": _artefact(one["kind"]),
                "files": show.integer(one["files"]),
                "size": show.size(one["bytes"]),
            }
            for one in kept.get("artefacts", [])
        ],
        counted=show.ago(kept["at"]) if kept else "",
        deleted=[
            {
                "title": row["title"] or row["name"],
                "url": f"/dataset/{row['id']}",
                "size": show.size(row["bytes"]),
                "when": show.ago(row["modified"]),
            }
            for row in inspection.datasets(conn(), state="deleted")
        ],
        **frame("storage", _("Storage")),
    )


def _artefact(kind: str) -> str:
    return _(_ARTEFACTS[kind]) if kind in _ARTEFACTS else kind


def _circle(row: dict[str, Any], largest: int) -> dict[str, Any]:
    quota = settings().depot.quota_circle if row["quota"] is None else row["quota"]
    return {
        "title": row["title"] or row["name"],
        "url": f"/organization/{row['name']}",
        "datasets": show.integer(row["datasets"]),
        "files": show.integer(row["resources"]),
        "size": show.size(row["bytes"]),
        "share": f"{row['bytes'] / largest:.3f}",
        "over": bool(quota and row["bytes"] > 0.9 * quota),
    }


def _months(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The last twelve months with uploads."""
    shown = rows[-12:]
    largest = max((row["bytes"] for row in shown), default=0) or 1
    return [
        {
            "month": row["month"],
            "files": show.integer(row["resources"]),
            "size": show.size(row["bytes"]),
            "share": f"{row['bytes'] / largest:.3f}",
        }
        for row in shown
    ]


def _used(used: int, available: int) -> int:
    """Per cent of a volume as `df` counts them: of what ordinary users could use, rounded up."""
    return -(-100 * used // (used + available)) if used + available else 0
