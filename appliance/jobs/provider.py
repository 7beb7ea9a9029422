"""Periodic check of signed-in users with the OpenID provider."""

from __future__ import annotations

from dataclasses import asdict

from appliance.actions import provider_sync
from appliance.jobs.registry import Done, JobContext, job


@job("provider", lane="provider")
def run(context: JobContext) -> Done:
    """End sessions that the provider no longer confirms, update roles from groups. An unreachable provider raises an alarm; the job
    succeeds.
    """
    return Done(asdict(provider_sync.compare(context.db, context.settings)))
