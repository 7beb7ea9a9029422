"""Forwarding of the audit log to a syslog server, every minute."""

from __future__ import annotations

from appliance.actions import audit_forwarding
from appliance.jobs.registry import TIMELY, Done, JobContext, job


@job("forward_audit", lane=TIMELY)
def run(context: JobContext) -> Done:
    """Forward new entries; while the server is unreachable, entries wait."""
    return Done({"entries": audit_forwarding.forward(context.db, context.settings)})
