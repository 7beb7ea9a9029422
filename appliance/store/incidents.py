"""Unexpected errors: the traceback is stored here, the client gets only its id."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
import traceback
import uuid
from typing import Any

from appliance.model import times
from appliance.model.problem import Problem
from appliance.store import write_guard
from appliance.store.database import Database

log = logging.getLogger(__name__)

#: The same failure is stored once in this time [s]: each write invalidates caches, and many copies would displace the
#: others.
_FOLD_SECONDS = 3600.0
#: Number of causes remembered.
_CAUSES = 512
#: Innermost frames of a traceback that identify a cause.
_FRAMES = 16


class Incidents:
    """Stores incidents, deduplicated by cause: the same exception from the same lines of code keeps its id for an hour.

    Clients cause failures but cannot choose the cause: their input is not part of it.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[tuple[str, ...], tuple[str, float]] = {}
        self._lock = threading.Lock()

    def record(self, place: str, error: BaseException) -> str:
        """Store the trace of `error`; → the id for the client. Never raises: the disk may be full."""
        cause, now = _cause(error), time.monotonic()
        with self._lock:
            known = self._known.get(cause)
            if known is not None and now - known[1] < _FOLD_SECONDS:
                log.error("incident id=%s place=%s again=1", known[0], place)
                return known[0]
            incident = uuid.uuid4().hex[:12]
            self._known.pop(cause, None)
            if len(self._known) >= _CAUSES:
                self._known.pop(next(iter(self._known)))
            self._known[cause] = incident, now
        log.error("incident id=%s place=%s", incident, place)
        try:
            with write_guard.suspended(), self._db.write() as tx:
                add(tx, incident, place, "".join(traceback.format_exception(error)))
        except (Problem, sqlite3.Error):
            log.error("incident.unsaved id=%s", incident, exc_info=error)
        return incident


def _cause(error: BaseException) -> tuple[str, ...]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return (type(error).__qualname__, *(f"{frame.filename}:{frame.lineno}" for frame in frames))


def add(tx: sqlite3.Connection, incident_id: str, place: str, trace: str) -> None:
    """Store a trace under the id that the client was given."""
    tx.execute("INSERT INTO incident VALUES (?, ?, ?, ?)", (incident_id, times.now(), place, trace[-20_000:]))
    tx.execute("DELETE FROM incident WHERE id IN (SELECT id FROM incident ORDER BY at DESC LIMIT -1 OFFSET 1000)")


def get(conn: sqlite3.Connection, incident_id: str) -> dict[str, Any] | None:
    """The incident, or None."""
    row = conn.execute("SELECT * FROM incident WHERE id = ?", (incident_id,)).fetchone()
    return dict(row) if row else None


def latest(conn: sqlite3.Connection, limit: int = 20) -> list[dict[str, Any]]:
    """The newest incidents without their traces."""
    return [dict(row) for row in conn.execute("SELECT id, at, place FROM incident ORDER BY at DESC LIMIT ?", (limit,))]
