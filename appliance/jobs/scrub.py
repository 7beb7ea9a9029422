"""Scrub: every stored file is read and compared with its checksum within `jobs.scrub_days`, a share each day, with idle priority for the disk."""

from __future__ import annotations

import ctypes
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from appliance.archive import checking
from appliance.archive.object_store import ArchiveAway
from appliance.jobs.artefact_publishing import hash_file
from appliance.jobs.registry import CARE, Done, JobContext, JobFailed, job
from appliance.model import times
from appliance.model.messages import Message
from appliance.model.viewer import OPERATOR
from appliance.settings import Settings
from appliance.store import alarms, artefacts, audit, file_checks, jobs, resources
from appliance.store.database import Database
from appliance.store.depot import Depot

ALARM = Message("scrub")
_BATCH = 200
_TODAY = timedelta(hours=20)
_MARGIN_DAYS = 3  # days that a machine may be off without a file getting overdue
#: What a job makes → the job that makes it.
REMAKE = {
    "condensed": "condense",
    "preview": "preview",
    "preview_jpeg": "preview",
    "thumbnail": "preview",
    "columns": "preview",
    "density": "preview",
    "logs": "metadata",
    "tables": "metadata",
}
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
_IOPRIO_IDLE = 3 << 13


@dataclass
class Report:
    """What a scrub did: numbers, and the files that do not hold."""

    files: int = 0
    bytes: int = 0
    bad: list[dict[str, str]] = field(default_factory=list)
    archived: int = 0
    archive_away: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        found = {"files": self.files, "bytes": self.bytes, "bad": self.bad, "archived": self.archived}
        return found | ({"archive_away": self.archive_away} if self.archive_away else {})


@job("scrub", lane=CARE)
def run(context: JobContext) -> Done:
    """Today's share; with the argument `all`, every file."""
    report = scrub(
        context.db,
        context.depot,
        settings=context.settings,
        days=context.settings.jobs.scrub_days,
        everything=bool(context.arguments.get("all")),
        cancelled=context.cancelled,
        progress=context.progress,
    )
    return Done(report.to_json(), file_checks.tidy)


def scrub(
    db: Database,
    depot: Depot,
    *,
    settings: Settings | None = None,
    days: int = 30,
    everything: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[float, str], None] = lambda _done, _stage: None,
) -> Report:
    """Read the files whose last check is longest ago: a day's share of all bytes, unless read today, and all that get overdue.

    Writes alarms for bad ones. Of archived originals, size and ETag of all objects are compared (with `settings`).

    Raises JobFailed when cancelled; what was read by then is noted.
    """
    report = Report()
    _read_files(db, depot, report, days, everything, cancelled, progress)
    if settings is not None:
        _ask_archive(db, settings, report, everything, cancelled)
    return report


def _ask_archive(
    db: Database, settings: Settings, report: Report, everything: bool, cancelled: Callable[[], bool]
) -> None:
    try:
        for file, reason in checking.checked(db, settings, everything=everything, cancelled=cancelled):
            report.archived += 1
            with db.write() as tx:
                _tell(tx, file.resource_id, "original", reason, report)
    except ArchiveAway as away:  # the archive's own job raises the alarm
        report.archive_away = away.reason


def _read_files(
    db: Database,
    depot: Depot,
    report: Report,
    days: int,
    everything: bool,
    cancelled: Callable[[], bool],
    progress: Callable[[float, str], None],
) -> None:
    with db.read() as conn:
        total = file_checks.total_bytes(conn)
        today = file_checks.bytes_since(conn, times.ahead(-_TODAY))  # by a timer of the system, or by hand
    share = total if everything else max(-(-total // max(days - _MARGIN_DAYS, 1)) - today, 0)
    overdue = times.ahead(-timedelta(days=max(days - _MARGIN_DAYS, 1)))
    started = times.now()
    with _idle_disk():
        while files := _next_files(db, started):
            for row in files:
                if not everything and report.bytes >= share and row["checked"] >= overdue:
                    return
                if cancelled():
                    raise JobFailed(Message("cancelled"))
                reason = _check(db, depot, row, cancelled)
                _note(db, depot, row, reason, report)
                report.files += 1
                report.bytes += row["size"] or 0
                progress(min(report.bytes / max(share, 1), 1.0), Message("reading"))


def _next_files(db: Database, started: str) -> list[sqlite3.Row]:
    with db.read() as conn:
        return [row for row in file_checks.oldest(conn, _BATCH) if row["checked"] < started]


def _check(db: Database, depot: Depot, row: sqlite3.Row, cancelled: Callable[[], bool]) -> str | None:
    """Why a file does not hold, None when it does (or was replaced or removed while it was read)."""
    path = depot.path(row["resource_id"], row["kind"])

    def tick(_read: int) -> None:
        """Stop when asked to."""
        if cancelled():
            raise JobFailed(Message("cancelled"))

    try:
        found = hash_file(path, tick=tick, keep_cached=False).sha256
    except FileNotFoundError:
        found = None
    except OSError as error:
        return f"cannot be read: {os.strerror(error.errno or 0)}"
    with db.read() as conn:
        wanted = file_checks.checksum(conn, row["resource_id"], row["kind"])
    if wanted is None or wanted == found or wanted != row["sha256"]:
        return None
    return "is missing" if found is None else "does not have its checksum any more"


def _note(db: Database, depot: Depot, row: sqlite3.Row, reason: str | None, report: Report) -> None:
    resource_id, kind = row["resource_id"], row["kind"]
    with db.write() as tx:
        file_checks.note(tx, [(resource_id, kind)])
        _tell(tx, resource_id, kind, reason, report)
        if reason is not None and kind in REMAKE:
            remake(tx, depot, resource_id, kind)


def _tell(tx: sqlite3.Connection, resource_id: str, kind: str, reason: str | None, report: Report) -> None:
    name = f"{resource_id}/{kind}"
    if reason is None:
        alarms.resolve_for(tx, ALARM, name)
        return
    report.bad.append({"resource_id": resource_id, "kind": kind, "reason": reason})
    if (
        alarms.raise_(
            tx,
            ALARM,
            name,
            Message(
                "The %(kind)s file of resource %(resource_id)s %(reason)s.",
                kind=kind,
                resource_id=resource_id,
                reason=reason,
            ),
        )
        is not None
    ):
        audit.add(tx, OPERATOR, "scrub.bad", "resource", resource_id, kind=kind, reason=reason)


def remake(tx: sqlite3.Connection, depot: Depot, resource_id: str, kind: str) -> None:
    """What a job made, it can make again; the bad file is kept in quarantine."""
    resource = resources.get(tx, resource_id)
    if resource is None:
        return
    artefacts.remove(tx, resource_id, kind)
    path = depot.path(resource_id, kind)
    with suppress(FileNotFoundError):
        depot.put_aside(path)
    jobs.enqueue(
        tx, REMAKE[kind], resource_id=resource_id, dataset_id=resource["dataset_id"], arguments={"force": True}
    )


@contextmanager
def _idle_disk() -> Iterator[None]:
    """Let this thread's reads wait for everybody else's."""
    number = _IOPRIO_SET.get(os.uname().machine)
    call = ctypes.CDLL(None).syscall
    if number is not None:
        call(number, 1, 0, _IOPRIO_IDLE)
    try:
        yield
    finally:
        if number is not None:
            call(number, 1, 0, 0)
