"""Daily verification of the audit log."""

from __future__ import annotations

from appliance.actions import audit_log
from appliance.jobs.registry import CARE, Done, JobContext, job


@job("audit", lane=CARE)
def run(context: JobContext) -> Done:
    """Verify the audit log and write its state to the service's log."""
    verdict = audit_log.note_state(context.db, context.settings)
    return Done({"entries": verdict.entries, "anchors": verdict.anchors, "problems": verdict.problems})
