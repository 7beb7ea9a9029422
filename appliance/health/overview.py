"""The most important numbers: for `dcor status`, the tray and the admin page."""

from __future__ import annotations

import json
import shutil
import ssl
import time
import urllib.error
import urllib.request
from typing import Any

from appliance import __version__
from appliance.health.base import Premises
from appliance.health.work import backup_folder, newest_backup
from appliance.jobs import confinement
from appliance.model.problem import Problem
from appliance.settings import Settings
from appliance.store import alarms, inspection, jobs
from appliance.tls import certificate

_TIMEOUT = 5.0  # seconds


def overview(premises: Premises) -> dict[str, Any]:
    """Version, address, whether the service answers, catalogue, jobs, disk, backup, certificate, open alarms.

    Takes some milliseconds, and up to five seconds when the service hangs.
    """
    settings = premises.settings
    with premises.db.read() as conn:
        totals, counts, warnings = inspection.totals(conn), jobs.counts(conn), alarms.open_(conn)
    disk = shutil.disk_usage(premises.data_root)
    newest = newest_backup(backup_folder(premises))
    return {
        "version": __version__,
        "url": settings.site_url,
        "data": str(premises.data_root),
        "running": answers(settings),
        "totals": totals,
        "jobs": {name: counts[name] for name in ("queued", "running", "failed")},
        "disk_free": disk.free,
        "disk_total": disk.total,
        "backup_age": None if newest is None else round(time.time() - newest),
        "certificate_days": _certificate_days(settings),
        "sandbox": _sandbox(settings),
        "alarms": warnings,
    }


def state_of(data: dict[str, Any]) -> str:
    """The overall state: "ok", "warning" or "problem"."""
    if (
        not data["running"]
        or data["alarms"]
        or not data["sandbox"]["used"]
        or data["disk_free"] < data["disk_total"] / 50
        or (data["certificate_days"] or 0) <= 1
    ):
        return "problem"
    old_backup = data["backup_age"] is None or data["backup_age"] > 2 * 86400
    if (
        old_backup
        or data["jobs"]["failed"]
        or data["disk_free"] < data["disk_total"] / 10
        or data["certificate_days"] <= 30
    ):
        return "warning"
    return "ok"


def answers(settings: Settings, timeout: float = _TIMEOUT) -> bool:
    """Does the service of this data root answer `status_show` over TLS, with the certificate of this data root?"""
    host = "127.0.0.1" if settings.server.bind in ("0.0.0.0", "::", "") else settings.server.bind  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    try:
        context = ssl.create_default_context(cafile=str(settings.certificate))
    except (OSError, ssl.SSLError):
        return False
    # Pinned by the chain itself; the name in it is the public one, while this call goes to the loopback address.
    context.check_hostname = False
    request = urllib.request.Request(
        f"https://{host}:{settings.server.port}/api/3/action/status_show",
        headers={"Host": settings.site_url.removeprefix("https://")},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return bool(json.load(answer).get("success"))
    except (OSError, ValueError, urllib.error.URLError):
        return False


def _sandbox(settings: Settings) -> dict[str, Any]:
    """What locks in the processes that open uploaded files, in words, and whether they run at all."""
    found = confinement.capabilities(namespaces=confinement.namespaces_work())
    return {
        "summary": confinement.summary(found),
        "complete": found["complete"],
        "used": found["complete"] or settings.jobs.allow_weak_sandbox,
    }


def _certificate_days(settings: Settings) -> int | None:
    try:
        return certificate.describe(certificate.load_chain(settings.certificate)).days_left
    except Problem:
        return None
