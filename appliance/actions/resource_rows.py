"""Resources whose file is in the depot already: brought back, or shared with another dataset."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from appliance.actions.site import Site
from appliance.model import media
from appliance.model.viewer import Viewer
from appliance.store import audit, jobs, versions
from appliance.store import resources as rows


def share(
    site: Site,
    tx: sqlite3.Connection,
    viewer: Viewer,
    source: sqlite3.Row,
    dataset_id: str,
    resource_id: str,
) -> None:
    """Make a file of another dataset a resource of this one, too, under an id of its own that has its bytes in the depot already."""
    insert(site, tx, viewer, dataset_id, resource_id, source)
    versions.share(tx, resource_id, source["shared_id"] or source["id"])
    audit.add(tx, viewer, "resource.share", "resource", resource_id, dataset=dataset_id, source=source["id"])


def insert(
    site: Site,
    tx: sqlite3.Connection,
    viewer: Viewer,
    dataset_id: str,
    resource_id: str,
    entry: Mapping[str, Any] | sqlite3.Row,
) -> None:
    """Append a resource whose file is in the depot, with the texts of `entry` (a row as it was or is), and queue its jobs."""
    mimetype, format_ = media.kind(entry["name"])
    rows.create(
        tx,
        resource_id,
        dataset_id,
        entry["name"],
        size=entry["size"],
        sha256=entry["sha256"],
        etag=entry["etag"],
        mimetype=mimetype,
        format_=format_,
        url_type=entry["url_type"],
        description=entry["description"],
        supplements=json.loads(entry["supplements"]),
        crc32=dict(entry).get("crc32"),  # none in the note of an earlier release
        extras=json.loads(dict(entry).get("extras") or "{}"),
    )
    row = rows.get(tx, resource_id)
    assert row is not None  # noqa: S101 - just written
    jobs.enqueue_pipeline(tx, row, condense=site.settings.jobs.condense, user_id=viewer.user_id or "")
