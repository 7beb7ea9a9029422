"""The job table: the truth about background work.

A job is claimed under a lease and a count of attempts; whoever lost the lease can no longer write its outcome, so that every effect
is recorded once however often a process dies. All functions take a connection; those that write, a transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from appliance.model import names, times

#: Kinds that follow an upload, in their order.
PIPELINE = ("checksum", "metadata", "condense", "preview")
#: Higher runs first: a file that is nearly done before the next one's long condense; care of the data root last.
PRIORITY = {"preview": 60, "metadata": 50, "checksum": 40, "condense": 30}
MAINTENANCE_PRIORITY = 10
#: What bulk imports take off, so that a person's upload overtakes them.
BULK = -50
#: A job whose process was ended from outside starts again this often.
INTERRUPTIONS = 10

_BACKOFF_SECONDS = (2, 15, 60, 300)
_LOG_BYTES = 8192
_ERROR_CHARS = 600
_OPEN = "('queued', 'running')"
# A job fails with what it needs of its own resource; what it needs of another one only has to be over, in whichever way.
_BLOCKED = """EXISTS (SELECT 1 FROM job_dependency d JOIN job n ON n.id = d.needs_id WHERE d.job_id = job.id
  AND (n.state IN ('queued', 'running') OR n.state != 'done' AND n.resource_id IS job.resource_id))"""


def enqueue(
    tx: sqlite3.Connection,
    kind: str,
    *,
    resource_id: str | None = None,
    dataset_id: str | None = None,
    needs: Iterable[str] = (),
    priority: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    dedupe: str | None = None,
    max_attempts: int = 3,
) -> str:
    """Add a job, to run when all jobs of `needs` are done. → its id, or that of the open job with the same `dedupe` (default: kind and resource)."""
    dedupe = dedupe or (f"{kind}:{resource_id}" if resource_id else kind)
    found = tx.execute(f"SELECT id FROM job WHERE dedupe = ? AND state IN {_OPEN}", (dedupe,)).fetchone()
    if found:
        return str(found[0])
    job_id, now = names.new_id(), times.now()
    rank = PRIORITY.get(kind, MAINTENANCE_PRIORITY) if priority is None else priority
    tx.execute(
        "INSERT INTO job (id, kind, resource_id, dataset_id, priority, max_attempts, created, available, arguments, dedupe) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job_id,
            kind,
            resource_id,
            dataset_id,
            rank,
            max_attempts,
            now,
            now,
            json.dumps(arguments or {}, ensure_ascii=False),
            dedupe,
        ),
    )
    tx.executemany("INSERT INTO job_dependency (job_id, needs_id) VALUES (?, ?)", [(job_id, need) for need in needs])
    return job_id


def enqueue_pipeline(
    tx: sqlite3.Connection,
    resource: sqlite3.Row,
    *,
    kinds: Iterable[str] | None = None,
    bulk: bool = False,
    condense: bool = True,
    force: bool = False,
) -> list[str]:
    """Queue what a new resource needs: checksum (when not known from the upload), and for measurements metadata → condense → preview.

    :param kinds: only these (others are taken as done); :param bulk: behind what people wait for; :param condense: off by configuration;
    :param force: also make what is there already.
    """
    wanted = set(PIPELINE if kinds is None else kinds)
    if kinds is None and resource["sha256"] and resource["etag"]:
        wanted.discard("checksum")
    if not names.is_measurement(resource["name"]):
        wanted &= {"checksum"}
    if not condense:
        wanted.discard("condense")
    made: list[str] = []
    for kind in PIPELINE:
        if kind in wanted:
            made.append(
                enqueue(
                    tx,
                    kind,
                    resource_id=resource["id"],
                    dataset_id=resource["dataset_id"],
                    needs=made[-1:],
                    priority=PRIORITY[kind] + (BULK if bulk else 0),
                    arguments={"force": True} if force else None,
                )
            )
    return made


def ready(
    conn: sqlite3.Connection,
    limit: int,
    *,
    without: Iterable[str] = (),
    without_heavy: Iterable[str] = (),
    heavy_bytes: int = 0,
) -> list[sqlite3.Row]:
    """Jobs that may run now, most urgent first: id, kind, priority, size (bytes of the resource's file, 0 without one).

    :param without: kinds to leave out; :param without_heavy: kinds to leave out for files larger than `heavy_bytes`.
    """
    return conn.execute(
        f"""SELECT job.id, kind, priority, coalesce(r.size, 0) AS size FROM job LEFT JOIN resource r ON r.id = job.resource_id
            WHERE job.state = 'queued' AND available <= :now AND NOT {_BLOCKED}
              AND kind NOT IN (SELECT value FROM json_each(:without))
              AND NOT (kind IN (SELECT value FROM json_each(:heavy)) AND coalesce(r.size, 0) > :bytes)
            ORDER BY priority DESC, job.created LIMIT :limit""",
        {
            "now": times.now(),
            "without": json.dumps(list(without)),
            "heavy": json.dumps(list(without_heavy)),
            "bytes": heavy_bytes,
            "limit": limit,
        },
    ).fetchall()


def claim(tx: sqlite3.Connection, job_id: str, worker: str, lease_seconds: float) -> sqlite3.Row | None:
    """Take a queued job that is due and whose needs are done. → its row, None when somebody else has it or it may not run."""
    now = times.now()
    row: sqlite3.Row | None = tx.execute(
        f"""UPDATE job SET state = 'running', attempts = attempts + 1, started = :now, finished = NULL, heartbeat = :now, lease_until = :until,
              worker = :worker, progress = 0, stage = ''
            WHERE id = :id AND state = 'queued' AND available <= :now AND NOT {_BLOCKED} RETURNING *""",
        {"now": now, "until": times.ahead(timedelta(seconds=lease_seconds)), "worker": worker, "id": job_id},
    ).fetchone()
    return row


def holds(tx: sqlite3.Connection, job: sqlite3.Row) -> bool:
    """Does the attempt that `claim` returned still own the job? Ask before writing results, in their transaction."""
    return (
        tx.execute(
            "SELECT 1 FROM job WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ?", _ticket(job)
        ).fetchone()
        is not None
    )


def heartbeat(
    tx: sqlite3.Connection, attempts: Mapping[tuple[str, str, int], tuple[float, str]], lease_seconds: float
) -> None:
    """Prolong leases: {(job id, worker, attempt): (progress, stage)}."""
    now, until = times.now(), times.ahead(timedelta(seconds=lease_seconds))
    tx.executemany(
        "UPDATE job SET heartbeat = ?, lease_until = ?, progress = ?, stage = ? WHERE id = ? AND worker = ? AND attempts = ? AND state = 'running'",
        [(now, until, progress, stage, *ticket) for ticket, (progress, stage) in attempts.items()],
    )


def finish(tx: sqlite3.Connection, job: sqlite3.Row, result: Mapping[str, Any] | None = None, log: str = "") -> bool:
    """Note success. → False when the attempt no longer owns the job (then nothing is written)."""
    done = tx.execute(
        """UPDATE job SET state = 'done', progress = 1, stage = '', error = '', finished = ?, lease_until = NULL, result = ?, log = ?
           WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ?""",
        (times.now(), json.dumps(result or {}, ensure_ascii=False), log[-_LOG_BYTES:], *_ticket(job)),
    )
    return done.rowcount == 1


def fail(tx: sqlite3.Connection, job: sqlite3.Row, error: str, *, permanent: bool, log: str = "") -> str:
    """Note a failed attempt: again after a pause, or for good (then dependants fail too). → the job's state, '' when no longer owned."""
    if not holds(tx, job):
        return ""
    failures = job["attempts"] - job["interruptions"]
    if permanent or failures >= job["max_attempts"]:
        _fail_for_good(tx, job["id"], error, log)
        return "failed"
    _requeue(tx, job["id"], error, log, _after_pause(failures))
    return "queued"


def interrupt(
    tx: sqlite3.Connection, job: sqlite3.Row, error: str = "interrupted; starts again", *, pause: bool = True
) -> str:
    """Note that a job's process was ended from outside: it starts again, but not for ever. → the job's state, '' when no longer owned."""
    if not holds(tx, job):
        return ""
    count = job["interruptions"] + 1
    tx.execute("UPDATE job SET interruptions = ? WHERE id = ?", (count, job["id"]))
    if count > INTERRUPTIONS:
        _fail_for_good(tx, job["id"], f"given up: its process ended {count} times without a result", job["log"])
        return "failed"
    _requeue(tx, job["id"], error, job["log"], _after_pause(1) if pause else times.now())
    return "queued"


def release(tx: sqlite3.Connection, job: sqlite3.Row) -> None:
    """Give a job back untouched (the service stops): the attempt does not count."""
    tx.execute(
        "UPDATE job SET state = 'queued', attempts = attempts - 1, lease_until = NULL, worker = NULL, progress = 0, stage = '' "
        "WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ?",
        _ticket(job),
    )


def postpone(tx: sqlite3.Connection, job: sqlite3.Row, needs: Iterable[str]) -> None:
    """Give a job back until the jobs of `needs` are done as well; the attempt does not count."""
    tx.executemany(
        "INSERT OR IGNORE INTO job_dependency (job_id, needs_id) VALUES (?, ?)", [(job["id"], need) for need in needs]
    )
    release(tx, job)


def sweep(tx: sqlite3.Connection, *, dead_worker_except: str | None = None) -> int:
    """Put back jobs whose lease has ended (or, with `dead_worker_except`, all that other workers held), and fail those that wait for a failed one.

    → number of jobs touched.
    """
    if dead_worker_except is None:
        lost = tx.execute("SELECT * FROM job WHERE state = 'running' AND lease_until < ?", (times.now(),)).fetchall()
    else:
        lost = tx.execute(
            "SELECT * FROM job WHERE state = 'running' AND worker IS NOT ?", (dead_worker_except,)
        ).fetchall()
    for job in lost:
        interrupt(tx, job, pause=False)
    hopeless = tx.execute(
        """SELECT job.id, n.kind, n.state, n.error FROM job JOIN job_dependency d ON d.job_id = job.id JOIN job n ON n.id = d.needs_id
           WHERE job.state = 'queued' AND n.state IN ('failed', 'cancelled') AND n.resource_id IS job.resource_id"""
    ).fetchall()
    for job_id, kind, state, error in hopeless:
        _fail_for_good(tx, job_id, _because(kind, state, error), "")
    return len(lost) + len(hopeless)


def cancel(tx: sqlite3.Connection, job_id: str) -> bool:
    """Cancel a job that is not over; what depends on it fails. → False when there was nothing to cancel."""
    row = tx.execute(
        f"UPDATE job SET state = 'cancelled', finished = ?, lease_until = NULL WHERE id = ? AND state IN {_OPEN} RETURNING kind",
        (times.now(), job_id),
    ).fetchone()
    if row is None:
        return False
    _fail_dependants(tx, job_id, _because(row["kind"], "cancelled", ""))
    return True


def retry(tx: sqlite3.Connection, job_id: str) -> list[str]:
    """Queue a failed or cancelled job afresh, with what it needs and what failed because of it. → ids queued, in no order."""
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
        if tx.execute(f"SELECT 1 FROM job WHERE dedupe = ? AND state IN {_OPEN}", (row["dedupe"],)).fetchone():
            continue
        _requeue(tx, row["id"], "", "", times.now())
        tx.execute(
            "UPDATE job SET attempts = 0, interruptions = 0, started = NULL, result = '{}' WHERE id = ?", (row["id"],)
        )
        queued.append(row["id"])
    return queued


def get(conn: sqlite3.Connection, job_id: str) -> sqlite3.Row | None:
    """One job, or None."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
    return row


def list_(
    conn: sqlite3.Connection,
    *,
    state: str | None = None,
    kind: str | None = None,
    resource_id: str | None = None,
    dataset_id: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Jobs as plain dicts (`arguments` and `result` decoded, `needs` = ids), newest first; each filter is optional."""
    chosen = {
        key: value
        for key, value in (("state", state), ("kind", kind), ("resource_id", resource_id), ("dataset_id", dataset_id))
        if value is not None
    }
    where = " AND ".join(f"{key} = :{key}" for key in chosen) or "1"
    rows = conn.execute(
        f"SELECT * FROM job WHERE {where} ORDER BY created DESC, id LIMIT :limit OFFSET :offset",
        {**chosen, "limit": limit, "offset": offset},
    )
    return [as_dict(conn, row) for row in rows.fetchall()]


def for_dataset(conn: sqlite3.Connection, dataset_id: str) -> list[dict[str, Any]]:
    """The latest job of each kind for each resource of a dataset."""
    return _latest(conn, "dataset_id", dataset_id)


def for_resource(conn: sqlite3.Connection, resource_id: str) -> list[dict[str, Any]]:
    """The latest job of each kind for a resource, in pipeline order."""
    return _latest(conn, "resource_id", resource_id)


def open_job(conn: sqlite3.Connection, kind: str, resource_id: str) -> str | None:
    """Id of the queued or running job of this kind for a resource."""
    row = conn.execute(
        f"SELECT id FROM job WHERE resource_id = ? AND kind = ? AND state IN {_OPEN}",
        (resource_id, kind),
    ).fetchone()
    return row[0] if row else None


def counts(conn: sqlite3.Connection) -> dict[str, int]:
    """Number of jobs by state, all states present."""
    found = dict.fromkeys(("queued", "running", "done", "failed", "cancelled"), 0)
    found.update((row[0], row[1]) for row in conn.execute("SELECT state, count(*) FROM job GROUP BY state"))
    return found


def last_done(conn: sqlite3.Connection, kind: str) -> str | None:
    """When a job of this kind last succeeded, None if never."""
    row = conn.execute("SELECT max(finished) FROM job WHERE kind = ? AND state = 'done'", (kind,)).fetchone()
    return row[0] if row else None


def last_created(conn: sqlite3.Connection, kind: str) -> str | None:
    """When a job of this kind was last queued, None if never."""
    row = conn.execute("SELECT max(created) FROM job WHERE kind = ?", (kind,)).fetchone()
    return row[0] if row else None


def forget(tx: sqlite3.Connection, before: str, limit: int = 1000) -> int:
    """Remove finished jobs that ended before the moment `before` and that nothing open needs. → number removed."""
    gone = tx.execute(
        f"""DELETE FROM job WHERE id IN (SELECT id FROM job j WHERE state IN ('done', 'cancelled') AND finished < ? AND NOT EXISTS (
              SELECT 1 FROM job_dependency d JOIN job o ON o.id = d.job_id WHERE d.needs_id = j.id AND o.state IN {_OPEN}) LIMIT ?)""",
        (before, limit),
    )
    return gone.rowcount


def as_dict(conn: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    """A job's row for JSON output: decoded columns, ids of what it needs."""
    needs = [need[0] for need in conn.execute("SELECT needs_id FROM job_dependency WHERE job_id = ?", (row["id"],))]
    return dict(row) | {"arguments": json.loads(row["arguments"]), "result": json.loads(row["result"]), "needs": needs}


def _latest(conn: sqlite3.Connection, column: str, value: str) -> list[dict[str, Any]]:
    rows = conn.execute(f"SELECT * FROM job WHERE {column} = ? ORDER BY created, id", (value,)).fetchall()
    newest = {(row["resource_id"], row["kind"]): row for row in rows}
    order = {kind: place for place, kind in enumerate(PIPELINE)}
    chosen = sorted(
        newest.values(), key=lambda row: (row["resource_id"] or "", order.get(row["kind"], len(order)), row["kind"])
    )
    return [as_dict(conn, row) for row in chosen]


def _requeue(tx: sqlite3.Connection, job_id: str, error: str, log: str, available: str) -> None:
    tx.execute(
        """UPDATE job SET state = 'queued', available = ?, error = ?, log = ?, lease_until = NULL, worker = NULL, finished = NULL, progress = 0, stage = ''
           WHERE id = ?""",
        (available, error[:_ERROR_CHARS], log[-_LOG_BYTES:], job_id),
    )


def _fail_for_good(tx: sqlite3.Connection, job_id: str, error: str, log: str) -> None:
    row = tx.execute(
        "UPDATE job SET state = 'failed', error = ?, log = ?, finished = ?, lease_until = NULL WHERE id = ? RETURNING kind",
        (error[:_ERROR_CHARS], log[-_LOG_BYTES:], times.now(), job_id),
    ).fetchone()
    _fail_dependants(tx, job_id, _because(row["kind"], "failed", error))


def _fail_dependants(tx: sqlite3.Connection, job_id: str, reason: str) -> None:
    """All of the same resource that directly or indirectly waits for `job_id` fails with the first reason."""
    tx.execute(
        """WITH RECURSIVE above(id) AS (SELECT job_id FROM job_dependency WHERE needs_id = ?1 UNION
             SELECT d.job_id FROM job_dependency d JOIN above a ON d.needs_id = a.id)
           UPDATE job SET state = 'failed', error = ?2, finished = ?3 WHERE state = 'queued' AND id IN (SELECT id FROM above)
             AND resource_id IS (SELECT resource_id FROM job WHERE id = ?1)""",
        (job_id, reason[:_ERROR_CHARS], times.now()),
    )


def _because(kind: str, state: str, error: str) -> str:
    return f"{kind} was cancelled" if state == "cancelled" else f"{kind} failed: {error}"


def _after_pause(failures: int) -> str:
    pause = _BACKOFF_SECONDS[min(max(failures, 1), len(_BACKOFF_SECONDS)) - 1]
    return times.ahead(timedelta(seconds=pause))


def _ticket(job: sqlite3.Row) -> tuple[str, str, int]:
    return job["id"], job["worker"], job["attempts"]
