"""Pruning: drafts not modified for weeks are purged (their files go to quarantine), and everything old on a playground."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from appliance.actions import deletion, trash
from appliance.actions.site import Site
from appliance.jobs.registry import CARE, Done, JobContext, JobFailed, job
from appliance.model import times
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.store import datasets
from appliance.store.database import Database


@job("prune_drafts", lane=CARE)
def prune_drafts(context: JobContext) -> Done:
    """Purge stale drafts. Arguments: `days`, `dry_run`."""
    days = int(context.arguments.get("days") or context.settings.jobs.prune_drafts_days)
    if days <= 0:
        return Done({"skipped": "switched off"})
    found = stale_drafts(context.db, days)
    return _purge(context, found)


@job("purge_playground", lane=CARE)
def purge_playground(context: JobContext) -> Done:
    """On a playground: purge every dataset older than `jobs.playground_purge_days`. Argument: `dry_run`."""
    days = context.settings.jobs.playground_purge_days
    if days <= 0:
        return Done({"skipped": "this is no playground"})
    with context.db.read() as conn:
        found = [dict(row) for row in datasets.older_than(conn, times.ahead(-timedelta(days=days)))]
    return _purge(context, found)


@job("empty_trash", lane=CARE)
def empty_trash(context: JobContext) -> Done:
    """Purge datasets that have been in the trash for longer than `jobs.trash_days`. Argument: `dry_run`."""
    days = context.settings.jobs.trash_days
    if days <= 0:
        return Done({"skipped": "switched off"})
    site = Site(context.settings, context.db, context.depot)
    return Done({"purged": trash.sweep(site, days, dry_run=bool(context.arguments.get("dry_run")))[:1000]})


def stale_drafts(db: Database, days: int = 21) -> list[dict[str, Any]]:
    """Drafts not modified for this many days and without an upload in progress: rows as dicts, oldest first."""
    with db.read() as conn:
        return [dict(row) for row in datasets.stale_drafts(conn, times.ahead(-timedelta(days=days)))]


def purge(site: Site, found: list[dict[str, Any]], cancelled: Callable[[], bool] = lambda: False) -> list[str]:
    """Purge these datasets as the operator. → ids purged."""
    gone = []
    for row in found:
        if cancelled():
            raise JobFailed(Message("cancelled"))
        try:
            deletion.purge(site, OPERATOR, row["id"])
        except Problem as problem:
            if problem.status != 404:  # another process has purged it
                raise
        gone.append(row["id"])
    return gone


def _purge(context: JobContext, found: list[dict[str, Any]]) -> Done:
    summary = [{"id": row["id"], "name": row["name"], "modified": row["modified"]} for row in found[:1000]]
    if context.arguments.get("dry_run"):
        return Done({"dry_run": True, "would_purge": summary})
    gone = purge(Site(context.settings, context.db, context.depot), found, context.cancelled)
    return Done({"purged": len(gone), "datasets": summary})
