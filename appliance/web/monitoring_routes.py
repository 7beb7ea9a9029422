"""Monitoring: a public health check, and metrics for the machine itself and for administrators."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from appliance import __version__
from appliance.actions import backups, check_results, directory_sync, managed_accounts
from appliance.health.directory import age_of
from appliance.health.work import newest_backup
from appliance.model import times
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR, Viewer
from appliance.settings import Settings
from appliance.store import alarms, identities, inspection, jobs
from appliance.tls import certificate
from appliance.web import authentication, metrics
from appliance.web.context import Context
from appliance.web.http import Request, Response, json_response
from appliance.web.routes import Route, route

_LOOPBACK = frozenset({"127.0.0.1", "::1"})
#: Headers by which a proxy tells that it speaks for somebody else.
_OF_PROXIES = (
    "Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto",
    "X-Forwarded-Server", "X-Forwarded-Prefix", "True-Client-IP", "CF-Connecting-IP",
)  # fmt: skip


def health(context: Context, request: Request, match: re.Match[str]) -> Response:
    """200 while the service works, 503 with the reason when it does not."""
    failing = []
    try:
        with context.db.read() as conn:
            conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError:
        failing.append("database damaged")
    if context.db.replaced():
        failing.append("database")
    if _read_only(context.settings.data):
        failing.append("read-only")
    if context.depot.free() < min(context.settings.depot.reserve, 1 << 30):
        failing.append("disk")
    failing += context.stalled()
    return json_response(
        503 if failing else 200, {"status": "failing" if failing else "ok", "failing": failing, "version": __version__}
    )


def _read_only(root: Path) -> bool:
    """Whether the volume is read-only, as Linux makes it after disk errors, or the service has lost write access."""
    return bool(os.statvfs(root).f_flag & os.ST_RDONLY) or not os.access(root / "tmp", os.W_OK | os.X_OK)


def exposition(context: Context, request: Request, match: re.Match[str]) -> Response:
    """Prometheus metrics."""
    registry = CollectorRegistry()
    registry.register(_State(context))
    body = generate_latest(metrics.REGISTRY) + generate_latest(registry)
    return Response(200, [("Content-Type", CONTENT_TYPE_LATEST), ("Cache-Control", "no-store")], body)


def scraper(context: Context, request: Request, changes: bool = False) -> Viewer:
    """The sender of a request for metrics: this machine itself (but not a client of a proxy on it), else by credential."""
    here = request.client in _LOOPBACK and not any(name in request.headers for name in _OF_PROXIES)
    return OPERATOR if here else authentication.viewer(context, request, changes)


class _State:
    """Gauges of the catalogue, the jobs and the disk."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        """The current gauges."""
        live = self._context.status()
        with self._context.db.read() as conn:
            totals = inspection.totals(conn)
            by_state = jobs.counts(conn)
            open_alarms = len(alarms.open_(conn))
            waiting = inspection.waiting_since(conn)
        yield _info()
        yield GaugeMetricFamily("dcor_uptime_seconds", "Time since the start", value=live.get("uptime", 0))
        yield GaugeMetricFamily("dcor_connections", "Open connections", value=live.get("connections", 0))
        yield GaugeMetricFamily("dcor_alarms", "Alarms that nobody has resolved", value=open_alarms)
        yield GaugeMetricFamily("dcor_time_seconds", "The server's clock", value=time.time())
        for name, value in totals.items():
            yield GaugeMetricFamily(f"dcor_{name}", f"Number of {name}", value=value)
        family = GaugeMetricFamily("dcor_jobs", "Jobs by state", labels=["state"])
        for state, value in by_state.items():
            family.add_metric([state], value)
        yield family
        age = 0.0 if waiting is None else (datetime.now(UTC) - times.parse(waiting)).total_seconds()
        yield GaugeMetricFamily("dcor_job_queue_age_seconds", "How long the oldest job waits that could run", value=age)
        yield from _deadlines(self._context)
        yield from _checks(self._context.settings)
        yield from _directory(self._context)
        usage = shutil.disk_usage(self._context.settings.data)
        yield GaugeMetricFamily("dcor_disk_total_bytes", "Size of the data volume", value=usage.total)
        yield GaugeMetricFamily("dcor_disk_free_bytes", "Free space on the data volume", value=usage.free)


def _deadlines(context: Context) -> Iterator[Metric]:
    """Ages and expiry times; unknown values are omitted, which the alert rules check with `absent`."""
    newest = newest_backup(backups.folder(context.settings))
    if newest is not None:
        text = "Age of the newest complete backup"
        yield GaugeMetricFamily("dcor_backup_age_seconds", text, value=time.time() - newest)
    try:
        about = certificate.describe(certificate.load_chain(context.settings.certificate))
    except Problem:
        return
    yield GaugeMetricFamily("dcor_certificate_days", "Days until the certificate ends", value=about.days_left)


def _checks(settings: Settings) -> Iterator[Metric]:
    """Results of the latest scheduled `dcor inspect`."""
    found = check_results.kept(settings)
    if found is None:
        return
    at, checks = found
    yield GaugeMetricFamily("dcor_checks_age_seconds", "Time since the checks ran", value=time.time() - at)
    text = "Findings of each check by level (problem, warning)"
    family = GaugeMetricFamily("dcor_check_findings", text, labels=["check", "level"])
    for check, counts in sorted(checks.items()):
        for level in ("problem", "warning"):
            family.add_metric([check, level], counts.get(level, 0))
    yield family


def _directory(context: Context) -> Iterator[Metric]:
    """Time for which the directory has been unreachable; 0 when none is configured."""
    age, away = None, False
    if context.settings.ldap.servers:
        with context.db.read() as conn:
            age = age_of(identities.answered(conn, managed_accounts.LDAP))
            away = alarms.is_open(conn, directory_sync.ALARM)
    yield GaugeMetricFamily(
        "dcor_directory_up", "Did the directory answer when it was last asked?", value=int(not away)
    )
    text = "Time since all accounts were compared with the directory"
    yield GaugeMetricFamily("dcor_directory_age_seconds", text, value=age or 0.0)


def _info() -> Metric:
    family = GaugeMetricFamily("dcor_info", "Version as a label", labels=["version"])
    family.add_metric([__version__], 1)
    return family


ROUTES: tuple[Route, ...] = (
    route("GET", r"/healthz", "open", health),
    route("GET", r"/metrics", "site:administer", exposition, identify=scraper, hidden=True),
)
