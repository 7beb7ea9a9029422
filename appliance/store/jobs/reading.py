"""Reading jobs, and removing old ones."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from appliance.model import messages
from appliance.store.jobs.conditions import OPEN
from appliance.store.jobs.queueing import PIPELINE


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
        f"SELECT id FROM job WHERE resource_id = ? AND kind = ? AND state IN {OPEN}",
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
              SELECT 1 FROM job_dependency d JOIN job o ON o.id = d.job_id WHERE d.needs_id = j.id AND o.state IN {OPEN}) LIMIT ?)""",
        (before, limit),
    )
    return gone.rowcount


def as_dict(conn: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    """A job's row for JSON output: decoded columns, ids of what it needs."""
    needs = [need[0] for need in conn.execute("SELECT needs_id FROM job_dependency WHERE job_id = ?", (row["id"],))]
    found = dict(row) | {"arguments": json.loads(row["arguments"]), "result": json.loads(row["result"]), "needs": needs}
    for column in ("error", "stage"):
        found[column] = messages.whole(found[column], found.pop(f"{column}_parts"))
    return found


def _latest(conn: sqlite3.Connection, column: str, value: str) -> list[dict[str, Any]]:
    rows = conn.execute(  # an export concerns its user only, not the state of the file
        f"SELECT * FROM job WHERE {column} = ? AND kind != 'gate_export' ORDER BY created, id", (value,)
    ).fetchall()
    newest = {(row["resource_id"], row["kind"]): row for row in rows}
    order = {kind: place for place, kind in enumerate(PIPELINE)}
    chosen = sorted(
        newest.values(), key=lambda row: (row["resource_id"] or "", order.get(row["kind"], len(order)), row["kind"])
    )
    return [as_dict(conn, row) for row in chosen]
