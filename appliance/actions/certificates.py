"""Alarms about the expiry of the certificate."""

from __future__ import annotations

from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.settings import Settings
from appliance.store import alarms
from appliance.store.database import Database
from appliance.tls import certificate

ALARM = Message("certificate")


def findings(settings: Settings) -> list[str]:
    """Problems with the certificate in the data root; empty = none."""
    return certificate.findings(settings.certificate, settings.certificate_key, settings.server.hostname)


def watch(db: Database, settings: Settings) -> tuple[list[str], bool]:
    """Raise an alarm once for each of the last 30, 14, 7 and 1 days and for an invalid certificate; resolve outdated ones.

    → the problems, and whether an alarm is new.
    """
    found = findings(settings)
    try:
        threshold = certificate.warning(certificate.describe(certificate.load_chain(settings.certificate)).days_left)
    except Problem:
        threshold = None
    kind = "" if not found else "broken" if threshold is None else f"{threshold} days"
    with db.write() as tx:
        for other in ("broken", *(f"{days} days" for days in certificate.WARN_AT)):
            if other != kind:
                alarms.resolve_for(tx, ALARM, other)
        new = alarms.raise_(tx, ALARM, kind, " ".join(found)) if found else None
    return found, new is not None
