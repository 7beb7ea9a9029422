"""Logs and tables are served whole, and files that were refused without need are looked at again."""

from __future__ import annotations

import json
import sqlite3
import uuid

#: What the metadata job of before said about a file of which it kept only a part.
_CUT = "Logs and tables are longer than 5 MB"
_TEXT = 10_000


def upgrade(conn: sqlite3.Connection) -> None:
    """Add what is known about whole logs and tables, and the condensed file's own logs; queue what was cut or has failed."""
    conn.execute("ALTER TABLE rtdc ADD COLUMN contents TEXT NOT NULL DEFAULT '{}'")
    conn.execute("ALTER TABLE rtdc ADD COLUMN condensed_logs TEXT NOT NULL DEFAULT '{}'")
    cut: list[str] = []
    for resource_id, logs, config, integrity in conn.execute(
        "SELECT resource_id, logs, config, integrity FROM rtdc WHERE extracted IS NOT NULL"
    ).fetchall():
        found = json.loads(logs)
        if "dclab-condense" in found:
            ours = json.dumps({"dclab-condense": found["dclab-condense"]}, ensure_ascii=False)
            conn.execute("UPDATE rtdc SET condensed_logs = ? WHERE resource_id = ?", (ours, resource_id))
        if _CUT in integrity or _has_cut_text(json.loads(config)):
            cut.append(resource_id)
    for resource_id in cut:
        _queue(conn, resource_id)
    conn.execute("UPDATE rtdc SET sane = NULL WHERE sane = 0 AND extracted IS NULL")
    conn.execute(
        """UPDATE job SET state = 'queued', attempts = 0, interruptions = 0, started = NULL, finished = NULL, lease_until = NULL,
             worker = NULL, progress = 0, stage = '', error = '', result = '{}', available = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
           WHERE state = 'failed' AND kind IN ('metadata', 'condense', 'preview')
             AND resource_id IN (SELECT id FROM resource)
             AND id = (SELECT max(o.id) FROM job o WHERE o.dedupe = job.dedupe AND o.state = 'failed')
             AND NOT EXISTS (SELECT 1 FROM job o WHERE o.dedupe = job.dedupe AND o.state IN ('queued', 'running'))"""
    )


def _has_cut_text(config: dict[str, dict[str, object]]) -> bool:
    return any(
        isinstance(value, str) and len(value) == _TEXT for section in config.values() for value in section.values()
    )


def _queue(conn: sqlite3.Connection, resource_id: str) -> None:
    dedupe = f"metadata:{resource_id}"
    if conn.execute("SELECT 1 FROM job WHERE dedupe = ? AND state IN ('queued', 'running')", (dedupe,)).fetchone():
        return
    conn.execute(
        """INSERT INTO job (id, kind, resource_id, dataset_id, priority, created, available, arguments, dedupe)
           SELECT ?, 'metadata', id, dataset_id, 0, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), '{"force": true}', ?
           FROM resource WHERE id = ?""",
        (str(uuid.uuid4()), dedupe, resource_id),
    )
