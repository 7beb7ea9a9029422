"""Queue jobs for missing generated files of measurements, and remove old jobs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import timedelta

from appliance.actions import rollback_copies
from appliance.jobs.registry import CARE, Done, JobContext, job
from appliance.model import times
from appliance.settings import Settings
from appliance.store import artefacts, inspection, jobs, resources
from appliance.store.database import Database

_KEEP_JOBS = timedelta(days=90)


@job("run_missing", lane=CARE)
def run(context: JobContext) -> Done:
    """Queue missing jobs that have neither failed nor are queued, and condensed files with another address. Argument: `force`."""
    made = run_missing(context.db, context.settings, force=bool(context.arguments.get("force")), addresses=True)
    return Done({"queued": len(made)})


@job("forget_jobs", lane=CARE)
def forget(context: JobContext) -> Done:
    """Remove old successful jobs from the table, and rollback copies that are no longer needed."""
    rollback_copies.sweep(context.settings)
    removed = 0
    while True:
        with context.db.write() as tx:
            count = jobs.forget(tx, times.ahead(-_KEEP_JOBS))
        removed += count
        if not count or context.cancelled():
            return Done({"removed": removed})


def run_missing(
    db: Database,
    settings: Settings,
    *,
    force: bool = False,
    addresses: bool = False,
    only: Iterable[str] | None = None,
) -> list[str]:
    """Queue jobs for missing checksums, metadata, condensed files and previews, behind everything that people wait for. → ids of the jobs.

    :param force: make everything again, also what is there or has failed;
    :param addresses: also put the server's address into condensed files with another one; :param only: ids of resources to look at.
    """
    chosen = None if only is None else set(only)
    with db.read() as conn:
        wanted = _everything(conn) if force else _lacking(conn)
        if addresses and settings.jobs.condense:
            for resource_id, _address in artefacts.of_other_addresses(conn, settings.site_url):
                wanted[resource_id] = sorted({*wanted.get(resource_id, ()), "condense"})
    made: list[str] = []
    for resource_id, kinds in wanted.items():
        if chosen is not None and resource_id not in chosen:
            continue
        with db.write() as tx:
            row = resources.get(tx, resource_id)
            if row is not None:
                made += jobs.enqueue_pipeline(
                    tx, row, kinds=kinds, bulk=True, condense=settings.jobs.condense, force=force
                )
    return made


def _lacking(conn: sqlite3.Connection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for resource_id, kind in inspection.without_derived(conn):
        found.setdefault(resource_id, []).append(kind)
    return found


def _everything(conn: sqlite3.Connection) -> dict[str, list[str]]:
    return {resource_id: list(jobs.PIPELINE) for resource_id in resources.all_ids(conn)}
