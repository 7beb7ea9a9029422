"""Accounts are compared with the directory, every few minutes."""

from __future__ import annotations

from dataclasses import asdict

from appliance.actions import directory_sync
from appliance.jobs.registry import Done, JobContext, job


@job("directory", lane="directory")
def run(context: JobContext) -> Done:
    """Lock who was disabled there, open who is back, roles as the groups say. A directory that is away is an alarm, no failed job."""
    return Done(asdict(directory_sync.compare(context.db, context.settings)))
