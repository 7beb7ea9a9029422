"""State changes of jobs: claimed under a lease, prolonged, finished, failed or requeued.

A worker that has lost the lease can no longer record the outcome, so that every effect is recorded once, however often a
process dies.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from appliance.model import messages, times
from appliance.model.messages import Message
from appliance.store.jobs.conditions import BLOCKED, OPEN, SOFT
from appliance.store.jobs.queueing import INTERACTIVE

#: Number of times that a job is retried after its process was killed.
INTERRUPTIONS = 10

#: The stage of a job that waits for space on the data volume.
NO_ROOM = "no room"
_WAITS_FOR_ROOM = "state = 'queued' AND stage = ?"
#: It is retried after this time in any case.
_NO_ROOM_PAUSE = timedelta(hours=6)

_BACKOFF_SECONDS = (2, 15, 60, 300)
_LOG_BYTES = 8192
_ERROR_CHARS = 600
_INTERRUPTED = Message("interrupted; starts again")
#: Error of a job that needs a failed one; `kind` is that of the other one.
NEEDED_FAILED = "%(kind)s failed: %(error)s"


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that may run now.

    :ivar user_id: who caused it, "" for the appliance itself; :ivar size: of the resource's file [bytes], 0 without one.
    """

    id: str
    kind: str
    priority: int
    user_id: str
    created: str
    size: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A job as claimed by a worker; `id`, `worker` and `attempts` identify the attempt.

    :ivar arguments: JSON text; :ivar attempts: number of this attempt; :ivar interruptions: number of earlier ones whose process was killed;
    :ivar log: of the previous attempt.
    """

    id: str
    kind: str
    resource_id: str | None
    dataset_id: str | None
    user_id: str
    arguments: str
    worker: str
    attempts: int
    max_attempts: int
    interruptions: int
    log: str

    @property
    def ticket(self) -> tuple[str, str, int]:
        """What identifies the attempt."""
        return self.id, self.worker, self.attempts


_ATTEMPT = ", ".join(one.name for one in fields(Attempt))


def ready(
    conn: sqlite3.Connection,
    limit: int,
    *,
    only: Iterable[str] = (),
    without: Iterable[str] = (),
    without_heavy: Iterable[str] = (),
    heavy_bytes: int = 0,
    held: Mapping[str, int] | None = None,
) -> list[QueuedJob]:
    """Jobs that may run now, at most `limit` of each user, in order.

    Interactive jobs come before bulk work and maintenance; among these, users alternate, starting with the one with the fewest
    running jobs; of one user, the most urgent and oldest job comes first.

    :param only: kinds to look for, all if empty; :param without: kinds to leave out; :param without_heavy: kinds to leave out
        for files larger than `heavy_bytes`.
    :param held: number of running jobs of each user.
    """
    bounds = {
        "now": times.now(),
        "only": json.dumps(list(only)),
        "without": json.dumps(list(without)),
        "heavy": json.dumps(list(without_heavy)),
        "bytes": heavy_bytes,
        "limit": limit,
    }
    found: list[tuple[tuple[bool, int, int, str], QueuedJob]] = []
    for user_id in _users(conn):
        rows = conn.execute(
            f"""SELECT job.id, kind, priority, user_id, job.created, coalesce(r.size, 0)
                FROM job LEFT JOIN resource r ON r.id = job.resource_id
                WHERE job.state = 'queued' AND user_id = :user AND available <= :now AND NOT {BLOCKED}
                  AND (:only = '[]' OR kind IN (SELECT value FROM json_each(:only)))
                  AND kind NOT IN (SELECT value FROM json_each(:without))
                  AND NOT (kind IN (SELECT value FROM json_each(:heavy)) AND coalesce(r.size, 0) > :bytes)
                ORDER BY priority DESC, job.created LIMIT :limit""",
            {**bounds, "user": user_id},
        )
        before = (held or {}).get(user_id, 0)
        for number, job in enumerate((QueuedJob(*row) for row in rows), before):
            found.append(((job.priority < INTERACTIVE, number, -job.priority, job.created), job))
    return [job for _order, job in sorted(found, key=lambda one: one[0])]


def _users(conn: sqlite3.Connection) -> list[str]:
    """Users with queued jobs, read from the index without scanning all jobs."""
    rows = conn.execute(
        """WITH RECURSIVE one(id) AS (
             SELECT min(user_id) FROM job WHERE state = 'queued'
             UNION ALL SELECT (SELECT min(user_id) FROM job WHERE state = 'queued' AND user_id > one.id) FROM one WHERE id IS NOT NULL)
           SELECT id FROM one WHERE id IS NOT NULL"""
    )
    return [row[0] for row in rows]


def claim(tx: sqlite3.Connection, job_id: str, worker: str, lease_seconds: float) -> Attempt | None:
    """Claim a queued job that is due and whose needs are done. → the attempt, None when another worker has it or it may not run."""
    now = times.now()
    row = tx.execute(
        f"""UPDATE job SET state = 'running', attempts = attempts + 1, started = :now, finished = NULL, heartbeat = :now, lease_until = :until,
              worker = :worker, progress = 0, stage = ''
            WHERE id = :id AND state = 'queued' AND available <= :now AND NOT {BLOCKED} RETURNING {_ATTEMPT}""",
        {"now": now, "until": times.ahead(timedelta(seconds=lease_seconds)), "worker": worker, "id": job_id},
    ).fetchone()
    return None if row is None else Attempt(*row)


def holds(tx: sqlite3.Connection, job: Attempt) -> bool:
    """Whether the attempt that `claim` returned still owns the job. Check it before writing results, in the same transaction."""
    return (
        tx.execute(
            "SELECT 1 FROM job WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ?", job.ticket
        ).fetchone()
        is not None
    )


def heartbeat(
    tx: sqlite3.Connection, attempts: Mapping[tuple[str, str, int], tuple[float, str]], lease_seconds: float
) -> None:
    """Prolong leases: {(job id, worker, attempt): (progress, stage)}."""
    now, until = times.now(), times.ahead(timedelta(seconds=lease_seconds))
    tx.executemany(
        "UPDATE job SET heartbeat = ?, lease_until = ?, progress = ?, stage = ?, stage_parts = ? WHERE id = ? AND worker = ? AND attempts = ? AND state = 'running'",
        [
            (now, until, progress, stage, messages.parts(stage), *ticket)
            for ticket, (progress, stage) in attempts.items()
        ],
    )


def finish(tx: sqlite3.Connection, job: Attempt, result: Mapping[str, Any] | None = None, log: str = "") -> bool:
    """Record success. → False when the attempt no longer owns the job (then nothing is written)."""
    done = tx.execute(
        """UPDATE job SET state = 'done', progress = 1, stage = '', error = '', finished = ?, lease_until = NULL, result = ?, log = ?
           WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ?""",
        (times.now(), json.dumps(result or {}, ensure_ascii=False), log[-_LOG_BYTES:], *job.ticket),
    )
    return done.rowcount == 1


def fail(tx: sqlite3.Connection, job: Attempt, error: str, *, permanent: bool, log: str = "") -> str:
    """Record a failed attempt: retried after a pause, or failed permanently, as are its dependants. → the job's state, '' when no longer
    owned.
    """
    if not holds(tx, job):
        return ""
    failures = job.attempts - job.interruptions
    if permanent or failures >= job.max_attempts:
        _fail_for_good(tx, job.id, error, log)
        return "failed"
    _requeue(tx, job.id, error, log, _after_pause(failures))
    return "queued"


def interrupt(tx: sqlite3.Connection, job: Attempt, error: str = _INTERRUPTED, *, pause: bool = True) -> str:
    """Record that a job's process was killed: it is retried, up to `INTERRUPTIONS` times. → the job's state, '' when no longer owned."""
    if not holds(tx, job):
        return ""
    count = job.interruptions + 1
    tx.execute("UPDATE job SET interruptions = ? WHERE id = ?", (count, job.id))
    if count > INTERRUPTIONS:
        _fail_for_good(
            tx,
            job.id,
            Message("given up: its process ended %(count)s times without a result", count=count),
            job.log,
        )
        return "failed"
    _requeue(tx, job.id, error, job.log, _after_pause(1) if pause else times.now())
    return "queued"


def release(tx: sqlite3.Connection, job: Attempt) -> None:
    """Requeue a job because the service stops; the attempt does not count."""
    tx.execute(
        "UPDATE job SET state = 'queued', attempts = attempts - 1, lease_until = NULL, worker = NULL, progress = 0, stage = '' "
        "WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ?",
        job.ticket,
    )


def postpone(tx: sqlite3.Connection, job: Attempt, needs: Iterable[str]) -> None:
    """Requeue a job until the jobs of `needs` are done too; the attempt does not count."""
    tx.executemany(
        "INSERT OR IGNORE INTO job_dependency (job_id, needs_id) VALUES (?, ?)", [(job.id, need) for need in needs]
    )
    release(tx, job)


def postpone_for_room(tx: sqlite3.Connection, job: Attempt, need: int, error: str) -> bool:
    """Requeue a job until `resume_with_room` finds `need` bytes for it; the attempt does not count. → False when no longer owned."""
    if not holds(tx, job):
        return False
    release(tx, job)
    tx.execute(
        "UPDATE job SET stage = ?, error = ?, error_parts = ?, result = ?, available = ? WHERE id = ?",
        (NO_ROOM, *_error(error), json.dumps({"room": need}), times.ahead(_NO_ROOM_PAUSE), job.id),
    )
    return True


def waiting_for_room(conn: sqlite3.Connection) -> int:
    """Number of jobs that were postponed for lack of space."""
    return int(conn.execute(f"SELECT count(*) FROM job WHERE {_WAITS_FOR_ROOM}", (NO_ROOM,)).fetchone()[0])


def resume_with_room(tx: sqlite3.Connection, room: int) -> int:
    """Let jobs run again that need no more than `room` bytes. → their number."""
    return tx.execute(
        f"UPDATE job SET stage = '', error = '', available = ? WHERE {_WAITS_FOR_ROOM} AND result ->> 'room' <= ?",
        (times.now(), NO_ROOM, room),
    ).rowcount


def sweep(tx: sqlite3.Connection, *, dead_worker_except: str | None = None) -> int:
    """Requeue jobs whose lease has expired (or, with `dead_worker_except`, all of other workers), and fail those that need a
    failed one.

    → number of jobs changed.
    """
    if dead_worker_except is None:
        lost = tx.execute(
            f"SELECT {_ATTEMPT} FROM job WHERE state = 'running' AND lease_until < ?", (times.now(),)
        ).fetchall()
    else:
        lost = tx.execute(
            f"SELECT {_ATTEMPT} FROM job WHERE state = 'running' AND worker IS NOT ?", (dead_worker_except,)
        ).fetchall()
    for row in lost:
        interrupt(tx, Attempt(*row), pause=False)
    hopeless = tx.execute(
        """SELECT job.id, n.kind, n.state, n.error, n.error_parts FROM job JOIN job_dependency d ON d.job_id = job.id JOIN job n ON n.id = d.needs_id
           WHERE job.state = 'queued' AND n.state IN ('failed', 'cancelled') AND n.resource_id IS job.resource_id"""
    ).fetchall()
    for job_id, kind, state, error, parts in hopeless:
        _fail_for_good(tx, job_id, _because(kind, state, messages.whole(error, parts)), "")
    return len(lost) + len(hopeless)


def cancel(tx: sqlite3.Connection, job_id: str) -> bool:
    """Cancel a job that is not over; what depends on it fails. → False when there was nothing to cancel."""
    row = tx.execute(
        f"UPDATE job SET state = 'cancelled', finished = ?, lease_until = NULL WHERE id = ? AND state IN {OPEN} RETURNING kind",
        (times.now(), job_id),
    ).fetchone()
    if row is None:
        return False
    _fail_dependants(tx, job_id, _because(row["kind"], "cancelled", ""))
    return True


def retry(tx: sqlite3.Connection, job_id: str) -> list[str]:
    """Requeue a failed or cancelled job, with its failed needs and dependants. → ids queued, in no order."""
    related = tx.execute(
        """WITH RECURSIVE
             below(id) AS (VALUES (?1) UNION SELECT d.needs_id FROM job_dependency d JOIN below b ON d.job_id = b.id),
             above(id) AS (VALUES (?1) UNION SELECT d.job_id FROM job_dependency d JOIN above a ON d.needs_id = a.id)
           SELECT job.id, dedupe FROM job WHERE state IN ('failed', 'cancelled') AND id IN (SELECT id FROM below UNION SELECT id FROM above)
             AND resource_id IS (SELECT resource_id FROM job WHERE id = ?1)""",
        (job_id,),
    ).fetchall()
    queued = []
    for row in related:
        if tx.execute(f"SELECT 1 FROM job WHERE dedupe = ? AND state IN {OPEN}", (row["dedupe"],)).fetchone():
            continue
        _requeue(tx, row["id"], "", "", times.now())
        tx.execute(
            "UPDATE job SET attempts = 0, interruptions = 0, started = NULL, result = '{}' WHERE id = ?", (row["id"],)
        )
        queued.append(row["id"])
    return queued


def _requeue(tx: sqlite3.Connection, job_id: str, error: str, log: str, available: str) -> None:
    tx.execute(
        """UPDATE job SET state = 'queued', available = ?, error = ?, error_parts = ?, log = ?, lease_until = NULL, worker = NULL, finished = NULL, progress = 0, stage = ''
           WHERE id = ?""",
        (available, *_error(error), log[-_LOG_BYTES:], job_id),
    )


def _fail_for_good(tx: sqlite3.Connection, job_id: str, error: str, log: str) -> None:
    row = tx.execute(
        "UPDATE job SET state = 'failed', error = ?, error_parts = ?, log = ?, finished = ?, lease_until = NULL WHERE id = ? RETURNING kind",
        (*_error(error), log[-_LOG_BYTES:], times.now(), job_id),
    ).fetchone()
    _fail_dependants(tx, job_id, _because(row["kind"], "failed", error))


def _fail_dependants(tx: sqlite3.Connection, job_id: str, reason: str) -> None:
    """Fail all jobs of the same resource that directly or indirectly need `job_id`, with the first reason."""
    tx.execute(
        f"""WITH RECURSIVE
             hard(job_id, needs_id) AS (SELECT d.job_id, d.needs_id FROM job_dependency d JOIN job j ON j.id = d.job_id
               JOIN job n ON n.id = d.needs_id WHERE NOT {SOFT.format(above="j", below="n")}),
             above(id) AS (SELECT job_id FROM hard WHERE needs_id = ?1 UNION SELECT d.job_id FROM hard d JOIN above a ON d.needs_id = a.id)
           UPDATE job SET state = 'failed', error = ?2, error_parts = ?3, finished = ?4 WHERE state = 'queued' AND id IN (SELECT id FROM above)
             AND resource_id IS (SELECT resource_id FROM job WHERE id = ?1)""",
        (job_id, *_error(reason), times.now()),
    )


def _because(kind: str, state: str, error: str) -> str:
    if state == "cancelled":
        return Message("%(kind)s was cancelled", kind=kind)
    return Message(NEEDED_FAILED, kind=kind, error=error)


def _error(text: str) -> tuple[str, str]:
    """A reason for the columns `error` and `error_parts`."""
    reason = messages.cut(text, _ERROR_CHARS)
    return reason, messages.parts(reason)


def _after_pause(failures: int) -> str:
    pause = _BACKOFF_SECONDS[min(max(failures, 1), len(_BACKOFF_SECONDS)) - 1]
    return times.ahead(timedelta(seconds=pause))
