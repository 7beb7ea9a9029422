"""Notifications about uploads, and mails to users who want them."""

from __future__ import annotations

from appliance.actions import notifying
from appliance.jobs.registry import TIMELY, Done, JobContext, job


@job("notify", lane=TIMELY)
def run(context: JobContext) -> Done:
    """Look for uploads whose jobs have ended, then send due mails."""
    told = notifying.tell_of_uploads(context.db)
    return Done({"uploads": told, "mails": notifying.send_mails(context.db, context.settings)})
