"""Alerts: checks the certificate's expiry and mails new alarms."""

from __future__ import annotations

from appliance.actions import certificates, mailing
from appliance.jobs.registry import TIMELY, Done, JobContext, job


@job("watch", lane=TIMELY)
def run(context: JobContext) -> Done:
    """Raise or resolve the certificate's alarm, then mail new alarms if a mail server is configured."""
    found, new = certificates.watch(context.db, context.settings)
    settings = context.settings
    password = mailing.login_password(settings.secrets, settings.mail)
    told = mailing.digest(context.db, settings.mail, settings.server.hostname, password=password)
    return Done({"certificate": len(found), "new_alarm": new, "mailed": told})
