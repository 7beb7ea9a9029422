"""The OpenID provider is asked about whoever is signed in, every few minutes."""

from __future__ import annotations

from dataclasses import asdict

from appliance.actions import provider_sync
from appliance.jobs.registry import Done, JobContext, job


@job("provider", lane="provider")
def run(context: JobContext) -> Done:
    """End sessions that the provider no longer confirms, roles as the groups say. A provider that is away is an alarm, no failed job."""
    return Done(asdict(provider_sync.compare(context.db, context.settings)))
