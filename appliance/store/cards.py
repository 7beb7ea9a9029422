"""What lists of datasets show: one statement for any number of rows."""

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


def newest_pks(conn: sqlite3.Connection, viewer: Viewer, limit: int) -> list[int]:
    """Row numbers of the active datasets made last that `viewer` may see."""
    seen, parameters = visibility.condition(viewer)
    rows = conn.execute(
        f"SELECT d.pk FROM dataset d WHERE d.state = 'active' AND {seen} ORDER BY d.created DESC LIMIT :limit",  # noqa: S608
        parameters | {"limit": limit},
    )
    return [row[0] for row in rows]


def own_pks(conn: sqlite3.Connection, user_id: str, viewer: Viewer, which: str, *, limit: int, offset: int = 0) -> list[int]:
    """Row numbers of the datasets of a user: `which` is "own" (active), "drafts", or "shared" (by others, singly)."""
    seen, parameters = visibility.condition(viewer)
    where = {
        "own": "d.creator_id = :user AND d.state = 'active'",
        "drafts": "d.creator_id = :user AND d.state = 'draft'",
        "shared": "d.state != 'deleted' AND EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = d.id AND k.user_id = :user)",
        "circles": "d.state = 'active' AND d.creator_id != :user AND EXISTS (SELECT 1 FROM member m WHERE m.community_id = d.circle_id AND m.user_id = :user)",
        "deleted": "d.creator_id = :user AND d.state = 'deleted'",
    }[which]
    rows = conn.execute(
        f"SELECT d.pk FROM dataset d WHERE {where} AND {seen} ORDER BY d.modified DESC LIMIT :limit OFFSET :offset",  # noqa: S608
        parameters | {"user": user_id, "limit": limit, "offset": offset},
    )
    return [row[0] for row in rows]


def totals(conn: sqlite3.Connection, viewer: Viewer) -> sqlite3.Row:
    """What `viewer` may see in all: datasets, resources, events, bytes (active ones)."""
    seen, parameters = visibility.condition(viewer)
    row: sqlite3.Row = conn.execute(
        f"""SELECT count(DISTINCT d.id) AS datasets, count(r.id) AS resources, coalesce(sum(r.event_count), 0) AS events, coalesce(sum(r.size), 0) AS bytes
            FROM dataset d LEFT JOIN resource r ON r.dataset_id = d.id WHERE d.state = 'active' AND {seen}""",  # noqa: S608
        parameters,
    ).fetchone()
    return row


def resources_with_thumbnail(conn: sqlite3.Connection, dataset_id: str) -> set[str]:
    """Ids of a dataset's resources that have a thumbnail."""
    rows = conn.execute("SELECT r.id FROM resource r JOIN artefact a ON a.resource_id = r.id AND a.kind = 'thumbnail' WHERE r.dataset_id = ?", (dataset_id,))
    return {row[0] for row in rows}
