"""The events of a gate as a file of their own: a job makes it, whoever asked for it has it for a day."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.actions import lookup, virus_gate
from appliance.actions.site import Site
from appliance.model import gates as rules
from appliance.model import names
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, missing, not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import gate_exports, jobs

FORMATS = ("rtdc", "csv", "tsv")
#: Exports that one user may have at once; an expired one frees its place.
MOST_EXPORTS = 10
_NOT_THERE = "There is no such export, or it has expired"


def begin(site: Site, viewer: Viewer, resource_id: str | None, gates: Any, gate: str, form: str) -> dict[str, Any]:
    """Have the events of one of `gates` written to a file; returns how it stands. Raises Problem 403, 404 or 409."""
    policy.require(viewer, "write")
    if form not in FORMATS:
        raise invalid({"format": [Message("Choose 'rtdc', 'csv' or 'tsv'")]})
    try:
        found = rules.checked(gates)
    except ValueError as error:
        raise invalid({"gates": [str(error)]}) from error
    if all(one["name"] != gate for one in found):
        raise invalid({"gate": [Message("There is no gate '%(gate)s'", gate=gate[:60])]})
    user_id, export_id = viewer.user_id or "", names.new_id()
    with site.db.write() as tx:
        row, _facts = lookup.resource(tx, viewer, resource_id)
        virus_gate.require_scanned(tx, site.settings, viewer.user_id, row["id"])
        if not names.is_measurement(row["name"]):
            raise invalid(message=f"Resource ID {row['id']} must be an .rtdc dataset!")
        if gate_exports.count(tx, user_id) >= MOST_EXPORTS:
            raise Problem(
                429,
                "Too Many Requests",
                message=Message(
                    "You already have %(most)s exports. Delete one, or wait until one expires.", most=MOST_EXPORTS
                ),
            )
        job_id = jobs.enqueue(
            tx,
            "gate_export",
            resource_id=row["id"],
            dataset_id=row["dataset_id"],
            priority=jobs.PRIORITY["condense"],
            arguments={"export": export_id, "gates": found, "gate": gate},
            dedupe=f"gate_export:{export_id}",
            user_id=user_id,
        )
        stem = row["name"].rpartition(".")[0] or row["name"]
        name = f"{stem}_{gate}.{form}".replace("/", "-")
        gate_exports.add(tx, export_id, row["id"], user_id, job_id, name, form)
    site.wake_jobs()
    with site.db.read() as conn:
        return show(conn, viewer, export_id)


def find(conn: sqlite3.Connection, viewer: Viewer, export_id: str | None) -> sqlite3.Row:
    """An export of the caller's, of a file that they may still read. Raises Problem 404."""
    if not export_id:
        raise missing("id")
    row = gate_exports.get(conn, export_id)
    if row is None or row["user_id"] != viewer.user_id:
        raise not_found(_NOT_THERE)
    lookup.resource(conn, viewer, row["resource_id"])
    return row


def show(conn: sqlite3.Connection, viewer: Viewer, export_id: str | None) -> dict[str, Any]:
    """How an export of the caller's stands: `state` (queued, running, done or failed), `progress`, `error`, `url` when it is done.

    Raises Problem 404.
    """
    row = find(conn, viewer, export_id)
    done = row["size"] is not None
    return {
        "id": row["id"],
        "resource_id": row["resource_id"],
        "name": row["name"],
        "format": row["format"],
        "state": "done" if done else "failed" if row["error"] else row["state"] or "failed",
        "progress": 1.0 if done else row["progress"] or 0.0,
        "error": "" if done else row["error"] or row["job_error"] or "",
        "events": row["events"],
        "size": row["size"],
        "sha256": row["sha256"],
        "expires": row["expires"],
        "url": f"/gate-export/{row['id']}" if done else None,
    }


def delete(site: Site, viewer: Viewer, export_id: str | None) -> None:
    """Delete an export of the caller's, also one that is being made. Raises Problem 404."""
    with site.db.write() as tx:
        row = find(tx, viewer, export_id)
        jobs.cancel(tx, row["job_id"])
        gate_exports.remove(tx, row["id"])
    gate_exports.path(site.settings.tmp, row["id"]).unlink(missing_ok=True)
