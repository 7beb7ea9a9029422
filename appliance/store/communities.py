"""Circles (which own datasets) and collections (which group them): one table, because they share a namespace."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from appliance.model import names, times
from appliance.model.problem import invalid
from appliance.model.viewer import CommunityFacts, Viewer
from appliance.store import visibility

_EDITABLE = ("name", "title", "description", "image_url", "extras")
_SORT = {
    "name": "c.name", "title": "c.title", "package_count": "datasets", "packages": "datasets", "created": "c.created",
}  # fmt: skip


def find(conn: sqlite3.Connection, ref: str | None, kind: str, *, deleted: bool = False) -> sqlite3.Row | None:
    """The circle or collection (`kind`) with this id or name, or None."""
    states = "('active', 'deleted')" if deleted else "('active')"
    row: sqlite3.Row | None = conn.execute(
        f"SELECT * FROM community WHERE (id = ?1 OR name = ?1) AND kind = ?2 AND state IN {states}",
        (ref, kind),
    ).fetchone()
    return row


def facts(row: sqlite3.Row) -> CommunityFacts:
    """The properties of a row that the policy needs."""
    return CommunityFacts(row["id"], row["kind"], row["state"])


def create(
    tx: sqlite3.Connection,
    kind: str,
    name: str,
    *,
    title: str = "",
    description: str = "",
    image_url: str = "",
    extras: str = "[]",
    id_: str | None = None,
) -> str:
    """Add a circle or collection and return its id. Raises Problem 409 for a name in use."""
    _require_free_name(tx, name, None)
    community_id = id_ or names.new_id()
    tx.execute(
        "INSERT INTO community (id, kind, name, title, description, image_url, extras, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (community_id, kind, name, title, description, image_url, extras, times.now()),
    )
    return community_id


def update(tx: sqlite3.Connection, community_id: str, **values: str) -> None:
    """Change name, title, description, image_url, extras. Raises Problem 409 for a name in use."""
    if "name" in values:
        _require_free_name(tx, values["name"], community_id)
    for key in _EDITABLE:
        if key in values:
            tx.execute(f"UPDATE community SET {key} = ? WHERE id = ?", (values[key], community_id))


def set_state(tx: sqlite3.Connection, community_id: str, state: str) -> None:
    """Mark as active or deleted. A deleted one keeps its name; its memberships end, and with them the rights they gave."""
    tx.execute("UPDATE community SET state = ? WHERE id = ?", (state, community_id))
    if state == "deleted":
        tx.execute("DELETE FROM member WHERE community_id = ?", (community_id,))
        tx.execute("DELETE FROM collection_dataset WHERE collection_id = ?", (community_id,))


def purge(tx: sqlite3.Connection, community_id: str) -> None:
    """Delete permanently; its name can be used again."""
    tx.execute("DELETE FROM community WHERE id = ?", (community_id,))


def dataset_ids(conn: sqlite3.Connection, community_id: str) -> list[str]:
    """Ids of all datasets of a circle or in a collection, whatever their state."""
    rows = conn.execute(
        "SELECT id FROM dataset WHERE circle_id = ?1 UNION SELECT dataset_id FROM collection_dataset WHERE collection_id = ?1",
        (community_id,),
    )
    return [row[0] for row in rows]


def listed(
    conn: sqlite3.Connection,
    kind: str,
    viewer: Viewer,
    *,
    refs: Iterable[str] | None = None,
    text: str = "",
    sort: str = "title asc",
    limit: int = -1,
    offset: int = 0,
    counted: bool = True,
) -> list[sqlite3.Row]:
    """Active circles or collections with the numbers of datasets that are active and visible and of followers (columns `datasets`, `followers`).

    :param refs: only these ids or names.
    :param text: only those whose name, title or description contains it.
    :param sort: ``"title|name|package_count|created asc|desc"``.
    :param counted: False leaves the numbers out where the order does not need them (both columns are 0 then).
    """
    seen, parameters = visibility.condition(viewer, many=True)
    order = f"{_order(sort)}, c.name"
    counts = (
        f"SELECT d.circle_id AS owner, count(*) AS n FROM dataset d WHERE d.state = 'active' AND {seen} GROUP BY 1"
        if kind == "circle"
        else f"SELECT o.collection_id AS owner, count(*) AS n FROM collection_dataset o JOIN dataset d ON d.id = o.dataset_id WHERE d.state = 'active' AND {seen} GROUP BY 1"
    )
    followers = "(SELECT count(*) FROM community_follower f JOIN user u ON u.id = f.user_id WHERE f.community_id = c.id AND u.state = 'active')"
    if not counted and "datasets" not in order:
        counts, followers = "SELECT '' AS owner, 0 AS n WHERE 0", "0"
    return conn.execute(
        f"""WITH counts AS ({counts})
        SELECT c.*, coalesce(counts.n, 0) AS datasets, {followers} AS followers
        FROM community c LEFT JOIN counts ON counts.owner = c.id
        WHERE c.kind = :kind AND c.state = 'active'
          AND (:refs IS NULL OR c.id IN (SELECT value FROM json_each(:refs)) OR c.name IN (SELECT value FROM json_each(:refs)))
          AND (:text = '' OR instr(lower(c.name || ' ' || c.title || ' ' || c.description), lower(:text)))
        ORDER BY {order} LIMIT :limit OFFSET :offset""",
        parameters
        | {
            "kind": kind,
            "refs": None if refs is None else json.dumps(list(refs)),
            "text": text,
            "limit": limit,
            "offset": offset,
        },
    ).fetchall()


def _order(sort: str) -> str:
    """The SQL of a sort order. Raises Problem 409 for an invalid one."""
    column, *direction = sort.split()[:3] or ["title"]
    if column not in _SORT:
        raise invalid({"sort": [f"Cannot sort by field '{column}', only by one of {', '.join(_SORT)}"]})
    if [word.lower() for word in direction] not in ([], ["asc"], ["desc"]):
        raise invalid({"sort": ["One field, with asc or desc behind it, is needed"]})
    return f"{_SORT[column]} {''.join(direction).upper()}"


def by_ids(conn: sqlite3.Connection, ids: Iterable[str], kind: str) -> list[sqlite3.Row]:
    """Active circles or collections among `ids`, by title."""
    return conn.execute(
        "SELECT * FROM community WHERE kind = ? AND state = 'active' AND id IN (SELECT value FROM json_each(?)) ORDER BY title, name",
        (kind, json.dumps(list(ids))),
    ).fetchall()


def count_datasets(conn: sqlite3.Connection, community_id: str, viewer: Viewer) -> int:
    """Number of active datasets of one circle or collection that `viewer` may see."""
    seen, parameters = visibility.condition(viewer)
    row = conn.execute(
        f"""SELECT count(*) FROM dataset d WHERE d.state = 'active' AND {seen} AND (d.circle_id = :community
            OR EXISTS (SELECT 1 FROM collection_dataset o WHERE o.dataset_id = d.id AND o.collection_id = :community))""",
        parameters | {"community": community_id},
    ).fetchone()
    return int(row[0])


# --- members ----------------------------------------------------------------------------------------------------------


def set_member(tx: sqlite3.Connection, community_id: str, user_id: str, role: str) -> str:
    """Set a user's role; returns the membership's id."""
    row = tx.execute("SELECT id FROM member WHERE community_id = ? AND user_id = ?", (community_id, user_id)).fetchone()
    member_id: str = row[0] if row else names.new_id()
    tx.execute(
        "INSERT OR REPLACE INTO member (id, community_id, user_id, role) VALUES (?, ?, ?, ?)",
        (member_id, community_id, user_id, role),
    )
    return member_id


def remove_member(tx: sqlite3.Connection, community_id: str, user_id: str) -> bool:
    """End a membership; returns whether there was one."""
    return tx.execute("DELETE FROM member WHERE community_id = ? AND user_id = ?", (community_id, user_id)).rowcount > 0


def members(conn: sqlite3.Connection, community_id: str, role: str = "") -> list[sqlite3.Row]:
    """The users of a circle or collection with their `role`, by name."""
    return conn.execute(
        "SELECT u.*, m.role, m.id AS member_id, m.source FROM member m JOIN user u ON u.id = m.user_id WHERE m.community_id = ?1 AND (?2 = '' OR m.role = ?2) ORDER BY u.name",
        (community_id, role),
    ).fetchall()


def count_admins(conn: sqlite3.Connection, community_id: str) -> int:
    """Number of admins of a circle or collection."""
    return int(
        conn.execute(
            "SELECT count(*) FROM member WHERE community_id = ? AND role = 'admin'", (community_id,)
        ).fetchone()[0]
    )


def roles_of(conn: sqlite3.Connection, user_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """The user's roles: (by circle id, by collection id), active ones only."""
    found: dict[str, dict[str, str]] = {"circle": {}, "collection": {}}
    rows = conn.execute(
        "SELECT c.kind, c.id, m.role FROM member m JOIN community c ON c.id = m.community_id WHERE m.user_id = ? AND c.state = 'active'",
        (user_id,),
    )
    for kind, community_id, role in rows:
        found[kind][community_id] = role
    return found["circle"], found["collection"]


# --- contents ---------------------------------------------------------------------------------------------------------


def unused(conn: sqlite3.Connection, kind: str, before: str) -> list[sqlite3.Row]:
    """Circles or collections created before the moment `before` that contain no active dataset."""
    return conn.execute(
        """SELECT * FROM community c WHERE kind = ? AND state = 'active' AND created < ?
           AND NOT EXISTS (SELECT 1 FROM dataset d WHERE d.circle_id = c.id AND d.state != 'deleted')
           AND NOT EXISTS (SELECT 1 FROM collection_dataset o JOIN dataset d ON d.id = o.dataset_id AND d.state = 'active' WHERE o.collection_id = c.id) ORDER BY name""",
        (kind, before),
    ).fetchall()


def storage(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Per circle: name, title, number of datasets and resources, bytes (including generated files); the largest first."""
    rows = conn.execute(
        """SELECT c.id, c.name, c.title, count(DISTINCT d.id) AS datasets, count(r.id) AS resources,
             coalesce(sum(r.size + (SELECT coalesce(sum(a.size), 0) FROM artefact a WHERE a.resource_id = r.id)), 0) AS bytes, c.quota
           FROM community c LEFT JOIN dataset d ON d.circle_id = c.id LEFT JOIN resource r ON r.dataset_id = d.id
           WHERE c.kind = 'circle' AND c.state = 'active' GROUP BY c.id ORDER BY bytes DESC, c.name"""
    )
    return [dict(row) for row in rows]


def bytes_of_circle(conn: sqlite3.Connection, circle_id: str) -> int:
    """Bytes of all resources of a circle, including generated files."""
    return _bytes(conn, "circle_id", circle_id)


def bytes_of_dataset(conn: sqlite3.Connection, dataset_id: str) -> int:
    """Bytes of all resources of a dataset, including generated files."""
    return _bytes(conn, "id", dataset_id)


def _bytes(conn: sqlite3.Connection, column: str, value: str) -> int:
    """Bytes shared by several resources count once."""
    row = conn.execute(
        f"""SELECT coalesce(sum(size + made), 0) FROM (
              SELECT max(r.size) AS size, sum((SELECT coalesce(sum(a.size), 0) FROM artefact a WHERE a.resource_id = r.id)) AS made
              FROM resource r JOIN dataset d ON d.id = r.dataset_id WHERE d.{column} = ? GROUP BY coalesce(r.shared_id, r.id))""",
        (value,),
    ).fetchone()
    return int(row[0])


def quota(conn: sqlite3.Connection, circle_id: str) -> int | None:
    """The circle's own quota [bytes], 0 = no limit, None = the setting applies."""
    row = conn.execute("SELECT quota FROM community WHERE id = ?", (circle_id,)).fetchone()
    return None if row is None else row[0]


def set_quota(tx: sqlite3.Connection, circle_id: str, size: int | None) -> None:
    """Set a circle's own quota [bytes], 0 = no limit, None = the setting applies."""
    tx.execute("UPDATE community SET quota = ? WHERE id = ?", (size, circle_id))


def _require_free_name(conn: sqlite3.Connection, name: str, community_id: str | None) -> None:
    row = conn.execute("SELECT id FROM community WHERE name = ?", (name,)).fetchone()
    if row is not None and row[0] != community_id:
        raise invalid({"name": ["Group name already exists in database"]})
