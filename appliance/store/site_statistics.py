"""Statistics of the site, computed by a job and stored for pages and `dcor status`."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from appliance.model import times

_KEY = "statistics"
#: Size of each file on disk: files that share their bytes (versions of a dataset) count once.
_ON_DISK = "SELECT max(size) AS size FROM resource GROUP BY coalesce(shared_id, id)"


def compute(conn: sqlite3.Connection) -> dict[str, Any]:
    """Datasets, files, bytes and events: in total, by circle, by month of upload, by format. Seconds for 10^6 resources."""
    total = conn.execute(
        f"""SELECT (SELECT count(*) FROM resource) AS resources, (SELECT coalesce(sum(event_count), 0) FROM resource) AS events,
                   coalesce(sum(size), 0) AS bytes FROM ({_ON_DISK})"""
    ).fetchone()
    circles = conn.execute(
        """SELECT c.id, c.name, c.title, count(DISTINCT d.id) AS datasets, count(r.id) AS resources, coalesce(sum(r.size), 0) AS bytes
           FROM community c LEFT JOIN dataset d ON d.circle_id = c.id AND d.state != 'deleted' LEFT JOIN resource r ON r.dataset_id = d.id
           WHERE c.kind = 'circle' AND c.state = 'active' GROUP BY c.id ORDER BY bytes DESC"""
    )
    months = conn.execute(
        "SELECT substr(created, 1, 7) AS month, count(*) AS resources, coalesce(sum(size), 0) AS bytes FROM resource GROUP BY month ORDER BY month"
    )
    formats = conn.execute("SELECT format, count(*) AS resources FROM resource GROUP BY format ORDER BY resources DESC")
    artefacts = conn.execute(
        "SELECT kind, count(*) AS files, coalesce(sum(size), 0) AS bytes FROM artefact GROUP BY kind ORDER BY kind"
    )
    states = conn.execute("SELECT state, count(*) FROM dataset GROUP BY state")
    return {
        "at": times.now(),
        "total": dict(total),
        "datasets": {row[0]: row[1] for row in states},
        "circles": [dict(row) for row in circles],
        "months": [dict(row) for row in months],
        "formats": [dict(row) for row in formats],
        "artefacts": [dict(row) for row in artefacts],
    }


def keep(tx: sqlite3.Connection, figures: dict[str, Any]) -> None:
    """Store the figures, replacing earlier ones."""
    tx.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_KEY, json.dumps(figures, ensure_ascii=False))
    )


def latest(conn: sqlite3.Connection) -> dict[str, Any] | None:
    """The stored figures, None before the first run."""
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    found: dict[str, Any] | None = json.loads(row[0]) if row else None
    return found
