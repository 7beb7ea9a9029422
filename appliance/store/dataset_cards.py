"""Data for lists of datasets, read by one statement for any number of rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from appliance.model.viewer import Viewer
from appliance.store import visibility

_CARD = """SELECT d.pk, d.id, d.name, d.title, d.authors, d.notes, d.private, d.state, d.license_id, d.creator_id, d.created, d.modified,
 c.id AS circle_id, c.name AS circle_name, c.title AS circle_title,
 count(r.id) AS resources, sum(r.size) AS size, sum(r.event_count) AS events, group_concat(DISTINCT r.format) AS formats,
 (SELECT t.id FROM resource t JOIN artefact a ON a.resource_id = t.id AND a.kind = 'thumbnail' WHERE t.dataset_id = d.id ORDER BY t.position LIMIT 1) AS thumbnail
 FROM dataset d JOIN community c ON c.id = d.circle_id LEFT JOIN resource r ON r.dataset_id = d.id"""


def by_pks(conn: sqlite3.Connection, pks: Iterable[int]) -> list[sqlite3.Row]:
    """Cards of datasets by row number, in the given order.

    A card has the dataset's columns, its circle, the number (`resources`), bytes (`size`) and events of its files, their
    formats, and the id of the first resource that has a thumbnail.
    """
    order = list(pks)
    rows = conn.execute(f"{_CARD} WHERE d.pk IN (SELECT value FROM json_each(?)) GROUP BY d.pk", (json.dumps(order),))
    found = {row["pk"]: row for row in rows}
    return [found[pk] for pk in order if pk in found]


def grades(conn: sqlite3.Connection, pks: Iterable[int]) -> dict[int, dict[str, int]]:
    """Number of files by verdict for each dataset: row number → grade → files."""
    found: dict[int, dict[str, int]] = {}
    rows = conn.execute(
        """SELECT d.pk, v.grade, count(*) FROM dataset d CROSS JOIN resource r ON r.dataset_id = d.id
           CROSS JOIN verdict v ON v.resource_id = r.id
           WHERE d.pk IN (SELECT value FROM json_each(?)) GROUP BY d.pk, v.grade""",
        (json.dumps(list(pks)),),
    )
    for pk, grade, count in rows:
        found.setdefault(pk, {})[grade] = count
    return found


def newest_pks(conn: sqlite3.Connection, viewer: Viewer, limit: int) -> list[int]:
    """Row numbers of the newest active datasets that `viewer` may see."""
    seen, parameters = visibility.condition(viewer)
    rows = conn.execute(
        f"SELECT d.pk FROM dataset d WHERE d.state = 'active' AND {seen} ORDER BY d.created DESC LIMIT :limit",
        parameters | {"limit": limit},
    )
    return [row[0] for row in rows]


def own_pks(
    conn: sqlite3.Connection, user_id: str, viewer: Viewer, which: str, *, limit: int, offset: int = 0
) -> list[int]:
    """Row numbers of the datasets of a user: `which` is "own" (active), "drafts", or "shared" (individually, by others)."""
    seen, parameters = visibility.condition(viewer, many=True)
    where = {
        "own": "d.creator_id = :user AND d.state = 'active'",
        "drafts": "d.creator_id = :user AND d.state = 'draft'",
        "shared": "d.state != 'deleted' AND d.id IN (SELECT k.dataset_id FROM collaborator k WHERE k.user_id = :user)",
        "circles": "d.state = 'active' AND d.creator_id != :user AND d.circle_id IN (SELECT m.community_id FROM member m WHERE m.user_id = :user)",
        "deleted": "d.creator_id = :user AND d.state = 'deleted'",
    }[which]
    rows = conn.execute(  # + keeps SQLite from scanning all datasets in order of time
        f"SELECT d.pk FROM dataset d WHERE {where} AND {seen} ORDER BY +d.modified DESC LIMIT :limit OFFSET :offset",
        parameters | {"user": user_id, "limit": limit, "offset": offset},
    )
    return [row[0] for row in rows]


def totals(conn: sqlite3.Connection, viewer: Viewer) -> sqlite3.Row:
    """Totals over what `viewer` may see: active datasets, their resources, events, bytes. About 10 ms for 10^4 datasets."""
    seen, parameters = visibility.condition(viewer, many=True)
    row: sqlite3.Row = conn.execute(
        f"""SELECT count(*) AS datasets, coalesce(sum(d.num_resources), 0) AS resources, coalesce(sum(s.num_events), 0) AS events,
                   coalesce(sum(s.size), 0) AS bytes
            FROM dataset d JOIN search_dataset s ON s.pk = d.pk WHERE d.state = 'active' AND {seen}""",
        parameters,
    ).fetchone()
    return row


def resources_with_thumbnail(conn: sqlite3.Connection, dataset_id: str) -> set[str]:
    """Ids of a dataset's resources that have a thumbnail."""
    rows = conn.execute(
        "SELECT r.id FROM resource r JOIN artefact a ON a.resource_id = r.id AND a.kind = 'thumbnail' WHERE r.dataset_id = ?",
        (dataset_id,),
    )
    return {row[0] for row in rows}
