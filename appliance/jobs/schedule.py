"""What is queued by the clock: looked at every minute, decided by when the last job of the kind was queued, so that a machine that was off catches up."""

from __future__ import annotations

import time
from collections.abc import Container
from dataclasses import dataclass
from datetime import timedelta

from appliance.model import times
from appliance.settings import Settings
from appliance.store import jobs
from appliance.store.database import Database

EVERY = 60.0
_BEGAN = time.monotonic()


@dataclass(frozen=True)
class Entry:
    """One kind and the time between two runs."""

    kind: str
    every: timedelta
    #: not in the first minutes of a service, which has other things to do
    after: float = 0.0


def entries(settings: Settings) -> list[Entry]:
    """The time table under these settings."""
    found = [
        Entry("sweep_uploads", timedelta(hours=1)),
        Entry("notify", timedelta(minutes=10)),
        Entry("watch", timedelta(hours=1)),
        Entry("statistics", timedelta(hours=6)),
        Entry("scrub", timedelta(days=1)),
        Entry("orphans", timedelta(days=1)),
        Entry("user_tree", timedelta(days=1)),
        Entry("run_missing", timedelta(days=1)),
        Entry("forget_jobs", timedelta(days=1)),
        Entry("audit", timedelta(days=1)),
        Entry("checks", timedelta(hours=1), after=600.0),
    ]
    if settings.jobs.prune_drafts_days:
        found.append(Entry("prune_drafts", timedelta(days=1)))
    if settings.jobs.trash_days:
        found.append(Entry("empty_trash", timedelta(days=1)))
    if settings.jobs.playground_purge_days:
        found.append(Entry("purge_playground", timedelta(days=1)))
    if settings.clamav.socket:
        found.append(Entry("virus_scan", timedelta(seconds=50)))
    if settings.syslog.server:
        found.append(Entry("forward_audit", timedelta(seconds=50)))
    if settings.ldap.servers:
        found.append(Entry("directory", timedelta(seconds=settings.ldap.refresh - 10)))
    if settings.oidc.issuer:
        found.append(Entry("provider", timedelta(seconds=settings.oidc.refresh - 10)))
    if settings.depot.archive:
        found.append(Entry("archive", timedelta(days=1)))
    if settings.backup.recipient:
        found.append(Entry("backup", timedelta(days=1)))
    return found


def enqueue_due(db: Database, settings: Settings, known: Container[str]) -> list[str]:
    """Queue every kind whose time has come. → their names."""
    with db.read() as conn:
        due = [
            entry.kind
            for entry in entries(settings)
            if entry.kind in known
            and time.monotonic() - _BEGAN >= entry.after
            and (jobs.last_created(conn, entry.kind) or "") < times.ahead(-entry.every)
        ]
    if due:
        with db.write() as tx:
            for kind in due:
                jobs.enqueue(tx, kind)
    return due
