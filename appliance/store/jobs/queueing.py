"""Adding jobs to the table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from appliance.model import names, times
from appliance.store.jobs.conditions import OPEN

#: Kinds that follow an upload, in their order.
PIPELINE = ("checksum", "metadata", "condense", "preview")
#: Higher runs first: later steps before earlier ones, so that files are finished one after the other; maintenance last.
PRIORITY = {"preview": 60, "metadata": 50, "checksum": 40, "condense": 30}
MAINTENANCE_PRIORITY = 10
#: Jobs with at least this priority are interactive.
INTERACTIVE = 30
#: Added to the priority in bulk imports, so that interactive uploads come first.
BULK = -50


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
    user_id: str = "",
) -> str:
    """Add a job that runs when all jobs of `needs` are done. → its id, or that of the unfinished job with the same `dedupe`
    (default: kind and resource).

    :param user_id: who caused it and whose share of the workers it takes; "" for the appliance itself.
    """
    dedupe = dedupe or (f"{kind}:{resource_id}" if resource_id else kind)
    found = tx.execute(f"SELECT id FROM job WHERE dedupe = ? AND state IN {OPEN}", (dedupe,)).fetchone()
    if found:
        return str(found[0])
    job_id, now = names.new_id(), times.now()
    rank = PRIORITY.get(kind, MAINTENANCE_PRIORITY) if priority is None else priority
    tx.execute(
        "INSERT INTO job (id, kind, resource_id, dataset_id, priority, max_attempts, created, available, arguments, dedupe, user_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            user_id,
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
    taken: str = "",
    user_id: str = "",
) -> list[str]:
    """Queue the jobs of a new resource: checksum (unless known from the upload), and for measurements metadata → condense →
    preview (which also runs if condensing failed).

    :param kinds: only these (others are taken as done); :param bulk: behind what people wait for; :param condense: off by configuration;
    :param force: also make what is there already; :param taken: part with a condensed file of another server, which is tried first;
    :param user_id: as for `enqueue`.
    """
    wanted = set(PIPELINE if kinds is None else kinds)
    if kinds is None and resource["sha256"] and resource["etag"] and resource["crc32"] is not None:
        wanted.discard("checksum")
    if not names.is_measurement(resource["name"]):
        wanted &= {"checksum"}
    if not condense:
        wanted.discard("condense")
    made: dict[str, str] = {}
    for kind in PIPELINE:
        if kind in wanted:
            needs = list(made.values())[-2:] if kind == "preview" else list(made.values())[-1:]
            made[kind] = enqueue(
                tx,
                kind,
                resource_id=resource["id"],
                dataset_id=resource["dataset_id"],
                needs=needs,
                priority=PRIORITY[kind] + (BULK if bulk else 0),
                arguments=({"force": True} if force else {})
                | ({"taken": taken} if taken and kind == "condense" else {}),
                user_id=user_id,
            )
    return list(made.values())
