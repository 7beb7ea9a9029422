"""The watch: does the certificate end soon, and has the administrator heard of every alarm?"""

from __future__ import annotations

from appliance.actions import certificates, mailing
from appliance.jobs.registry import TIMELY, Done, JobContext, job


@job("watch", lane=TIMELY)
def run(context: JobContext) -> Done:
    """Raise or settle the certificate's alarm, then mail what is new, if a mail server is configured."""
    found, new = certificates.watch(context.db, context.settings)
    settings = context.settings
    password = mailing.login_password(settings.secrets, settings.mail)
    told = mailing.digest(context.db, settings.mail, settings.server.hostname, password=password)
    return Done({"certificate": len(found), "new_alarm": new, "mailed": told})
