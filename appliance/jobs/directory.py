"""Synchronization of accounts with the directory, every few minutes."""

from __future__ import annotations

from dataclasses import asdict

from appliance.actions import directory_sync
from appliance.jobs.registry import Done, JobContext, job


@job("directory", lane="directory")
def run(context: JobContext) -> Done:
    """Lock accounts disabled there, unlock enabled ones, update roles from groups. An unreachable directory raises an alarm; the job
    succeeds.
    """
    return Done(asdict(directory_sync.compare(context.db, context.settings)))
