"""Verdicts on measurements: the measures from the metadata job, and the grade by the current limits."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from appliance.model import messages, verdict
from appliance.store import datasets, measurements

_SHOWN = 3
_LIMITS = "verdict_limits"


def integrity(found: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of an integrity report that a verdict needs: sound or why not, and dclab's violations."""
    violations = [cue["message"] for cue in found.get("cues", []) if cue["level"] == "violation"]
    return {
        "sane": bool(found.get("sane", True)),
        "reasons": list(found.get("sanity_errors", []))[:_SHOWN],
        "violations": violations[:_SHOWN],
    }


def put(tx: sqlite3.Connection, resource_id: str, measures: Mapping[str, Any], limits: Mapping[str, int]) -> None:
    """Judge and store; no-op when the resource is gone."""
    row = tx.execute("SELECT * FROM resource WHERE id = ?", (resource_id,)).fetchone()
    if row is None:
        return
    text = messages.dumps(measures)
    grade = verdict.judge(measures, limits).grade
    old = tx.execute("SELECT grade FROM verdict WHERE resource_id = ?", (resource_id,)).fetchone()
    tx.execute("INSERT OR REPLACE INTO verdict VALUES (?, ?, ?)", (resource_id, grade, text))
    measurements.refresh(tx, resource_id)
    if old is None or old[0] == grade:
        datasets.refresh_file(tx, row["dataset_id"], resource_id, row)
    else:
        datasets.refresh(tx, row["dataset_id"])


def get(conn: sqlite3.Connection, resource_id: str) -> dict[str, Any] | None:
    """The measures of a measurement, None when it was not judged yet."""
    row = conn.execute("SELECT measures FROM verdict WHERE resource_id = ?", (resource_id,)).fetchone()
    return None if row is None else messages.loads(row[0])


def of_dataset(conn: sqlite3.Connection, dataset_id: str) -> dict[str, str]:
    """Resource id → grade, of the judged files of a dataset."""
    rows = conn.execute(
        "SELECT v.resource_id, v.grade FROM resource r CROSS JOIN verdict v ON v.resource_id = r.id WHERE r.dataset_id = ?",
        (dataset_id,),
    )
    return {row[0]: row[1] for row in rows}


def set_limits(tx: sqlite3.Connection, limits: Mapping[str, int]) -> int:
    """Store the limits; if they changed, judge all measurements again. → how many grades changed."""
    text = json.dumps(limits, sort_keys=True)
    row = tx.execute("SELECT value FROM meta WHERE key = ?", (_LIMITS,)).fetchone()
    if row is not None and row[0] == text:
        return 0
    tx.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_LIMITS, text))
    for resource_id, report in tx.execute(
        """SELECT t.resource_id, t.integrity FROM rtdc t
           WHERE t.sane = 0 AND t.extracted IS NULL
             AND NOT EXISTS (SELECT 1 FROM verdict v WHERE v.resource_id = t.resource_id)"""
    ).fetchall():  # refused by a release without verdicts
        reasons = messages.loads(report).get("sanity_errors") or [""]
        put(tx, resource_id, {"refused": reasons[0]}, limits)
    changed = 0
    for resource_id, dataset_id, old, measures in tx.execute(
        "SELECT v.resource_id, r.dataset_id, v.grade, v.measures FROM verdict v JOIN resource r ON r.id = v.resource_id"
    ).fetchall():
        grade = verdict.judge(messages.loads(measures), limits).grade
        if grade != old:
            tx.execute("UPDATE verdict SET grade = ? WHERE resource_id = ?", (grade, resource_id))
            measurements.refresh(tx, resource_id)
            datasets.refresh(tx, dataset_id)
            changed += 1
    return changed
