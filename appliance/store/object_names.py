"""Names of the objects that the audit log and jobs refer to by id."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from appliance.model import messages


@dataclass(frozen=True, slots=True)
class Named:
    """An object with its display name.

    :ivar kind: "dataset", "resource", "circle", "collection" or "user". :ivar ref: what its page's address needs.
    """

    kind: str
    name: str
    ref: str


def of(conn: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Named]:
    """The objects with these ids that still exist."""
    rows = conn.execute(
        """WITH wanted(id) AS (SELECT DISTINCT value FROM json_each(?))
           SELECT w.id, 'dataset' AS kind, iif(d.title = '', d.name, d.title) AS name, d.id AS ref FROM wanted w JOIN dataset d ON d.id = w.id
           UNION ALL SELECT w.id, 'resource', r.name, r.dataset_id || '/resource/' || r.id FROM wanted w JOIN resource r ON r.id = w.id
           UNION ALL SELECT w.id, c.kind, iif(c.title = '', c.name, c.title), c.name FROM wanted w JOIN community c ON c.id = w.id
           UNION ALL SELECT w.id, 'user', iif(coalesce(u.fullname, '') = '', u.name, u.fullname), u.name FROM wanted w JOIN user u ON u.id = w.id""",
        (json.dumps(list(ids)),),
    )
    return {row["id"]: Named(row["kind"], row["name"], row["ref"]) for row in rows}


def find(conn: sqlite3.Connection, text: str) -> str:
    """The id of the dataset, circle, collection or user with this name; `text` itself when there is none."""
    row = conn.execute(
        """SELECT id FROM dataset WHERE name = ?1 UNION ALL SELECT id FROM community WHERE name = ?1
           UNION ALL SELECT id FROM user WHERE name = ?1 LIMIT 1""",
        (text,),
    ).fetchone()
    return str(row[0]) if row else text


def failed_files(conn: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """Files with permanently failed jobs, newest first, one row for each: with dataset, uploader and the first reason."""
    rows = conn.execute(
        """SELECT r.id, r.name, r.dataset_id, iif(d.title = '', d.name, d.title) AS title, u.name AS uploader, u.fullname, u.email,
                  count(*) AS jobs, min(j.created) AS at,
                  f.error, f.error_parts
           FROM job j JOIN resource r ON r.id = j.resource_id JOIN dataset d ON d.id = r.dataset_id AND d.state != 'deleted'
           LEFT JOIN user u ON u.id = coalesce(nullif(j.user_id, ''), d.creator_id)
           JOIN job f ON f.id = (SELECT o.id FROM job o WHERE o.resource_id = r.id AND o.state = 'failed' ORDER BY o.created, o.id LIMIT 1)
           WHERE j.state = 'failed' AND NOT EXISTS (
             SELECT 1 FROM job l WHERE l.resource_id = j.resource_id AND l.kind = j.kind AND l.state = 'done' AND l.created > j.created)
           GROUP BY r.id ORDER BY at DESC LIMIT ?""",
        (limit,),
    ).fetchall()
    return [dict(row) | {"error": messages.whole(row["error"], row["error_parts"])} for row in rows]
