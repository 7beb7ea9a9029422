"""Unfinished uploads, and exported events whose day is over: what nobody will use any more is cleared away."""

from __future__ import annotations

from appliance.jobs.registry import CARE, Done, JobContext, job
from appliance.store import gate_exports, uploads


@job("sweep_uploads", lane=CARE)
def run(context: JobContext) -> Done:
    """Remove stale parts and expired exports, put complete but unused files aside. Argument: `dry_run`."""
    lifetime = context.settings.depot.part_lifetime
    dry_run = bool(context.arguments.get("dry_run"))
    found = uploads.sweep(context.db, context.depot, lifetime, dry_run=dry_run)
    result = {name: len(ids) for name, ids in found.items()}
    if not dry_run:
        with context.db.write() as tx:
            result["exports"] = gate_exports.sweep(tx, context.settings.tmp)
    return Done(result)
