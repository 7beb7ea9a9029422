"""Unfinished uploads: what nobody will complete any more is cleared away."""

from __future__ import annotations

from appliance.jobs.registry import Done, JobContext, job
from appliance.store import uploads


@job("sweep_uploads", background=True)
def run(context: JobContext) -> Done:
    """Remove stale parts, put complete but unused files aside. Argument: `dry_run`."""
    lifetime = context.settings.depot.part_lifetime
    found = uploads.sweep(context.db, context.depot, lifetime, dry_run=bool(context.arguments.get("dry_run")))
    return Done({name: len(ids) for name, ids in found.items()})
