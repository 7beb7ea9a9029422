"""Datasets: rows, lists, and the only place where a change is propagated (document, search index, time of modification)."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from appliance.model import names, times
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.store import collections, documents, visibility
from appliance.store.connections import Writer, put_off
from appliance.store.search import extension, index

_EDITABLE = (
    "name",
    "title",
    "notes",
    "authors",
    "doi",
    "reference_list",
    "license_id",
    "private",
    "state",
    "circle_id",
    "extras",
)


def find(conn: sqlite3.Connection, ref: str | None) -> sqlite3.Row | None:
    """The dataset with this id or name (preferring one that is not deleted) without a check of permissions, or None."""
    row: sqlite3.Row | None = conn.execute(
        "SELECT * FROM dataset WHERE id = ?1 OR name = ?1 ORDER BY state = 'deleted' LIMIT 1", (ref,)
    ).fetchone()
    return row


def facts(conn: sqlite3.Connection, ref: str | None) -> DatasetFacts | None:
    """The properties that the policy needs of the dataset with this id or name; None when there is none."""
    row = find(conn, ref)
    return None if row is None else facts_of(conn, row)


def facts_of(conn: sqlite3.Connection, row: sqlite3.Row) -> DatasetFacts:
    """The properties of a row that the policy needs."""
    entries = conn.execute(
        "SELECT collection_id, granted FROM collection_dataset WHERE dataset_id = ?", (row["id"],)
    ).fetchall()
    return DatasetFacts(
        row["id"],
        row["circle_id"],
        row["creator_id"],
        bool(row["private"]),
        row["state"],
        frozenset(entry["collection_id"] for entry in entries),
        frozenset(entry["collection_id"] for entry in entries if entry["granted"]),
    )


def visible(conn: sqlite3.Connection, ref: str, viewer: Viewer) -> sqlite3.Row | None:
    """The dataset with this id or name if `viewer` may see it, else None."""
    seen, parameters = visibility.condition(viewer)
    row: sqlite3.Row | None = conn.execute(
        f"SELECT d.* FROM dataset d WHERE (d.id = :ref OR d.name = :ref) AND {seen} ORDER BY d.state = 'deleted' LIMIT 1",
        parameters | {"ref": ref},
    ).fetchone()
    return row


def create(tx: sqlite3.Connection, values: dict[str, Any], *, id_: str | None = None) -> str:
    """Add a dataset and return its id. `values`: all columns but id and times; call `touch` when it is complete."""
    dataset_id, now = id_ or names.new_id(), times.now()
    columns = {"id": dataset_id, "created": now, "modified": now} | values
    marks = ", ".join("?" * len(columns))
    tx.execute(f"INSERT INTO dataset ({', '.join(columns)}) VALUES ({marks})", tuple(columns.values()))
    return dataset_id


def update(tx: sqlite3.Connection, dataset_id: str, **values: Any) -> None:
    """Change columns; call `touch` when the change is complete."""
    for key in _EDITABLE:
        if key in values:
            tx.execute(f"UPDATE dataset SET {key} = ? WHERE id = ?", (values[key], dataset_id))


class _Reindex:
    """Updates a dataset's search entry at the end of a transaction.

    :ivar files: the only ones that have changed, with their rows from before (None: they are new); None when other things have, too.
    """

    def __init__(self, tx: sqlite3.Connection, dataset_id: str) -> None:
        self._tx, self._dataset_id = tx, dataset_id
        self.files: dict[str, sqlite3.Row | None] | None = {}

    def __call__(self) -> None:
        if not self.files or not extension.extend(self._tx, self._dataset_id, self.files):
            index.refresh(self._tx, [self._dataset_id])


def touch(tx: sqlite3.Connection, dataset_id: str) -> None:
    """Propagate a change of the dataset or its contents: new time of modification, document and search entry."""
    tx.execute("UPDATE dataset SET modified = ? WHERE id = ?", (times.now(), dataset_id))
    refresh(tx, dataset_id)


def touch_file(tx: sqlite3.Connection, dataset_id: str, resource_id: str, before: sqlite3.Row | None) -> None:
    """`touch` for a change of one file only, which avoids reading the others. :param before: its former row, None for a new one."""
    tx.execute("UPDATE dataset SET modified = ? WHERE id = ?", (times.now(), dataset_id))
    refresh_file(tx, dataset_id, resource_id, before)


def refresh_file(tx: sqlite3.Connection, dataset_id: str, resource_id: str, before: sqlite3.Row | None) -> None:
    """`touch_file` without a new time of modification."""
    documents.refresh_dataset(tx, dataset_id)
    reindex = _reindex(tx, dataset_id)
    if reindex.files is not None:
        reindex.files.setdefault(resource_id, before)
    if not isinstance(tx, Writer):
        reindex()


def refresh(tx: sqlite3.Connection, dataset_id: str) -> None:
    """Update document and search entry from the rows, without a new time of modification."""
    documents.refresh_dataset(tx, dataset_id)
    reindex = _reindex(tx, dataset_id)
    reindex.files = None
    if not isinstance(tx, Writer):
        reindex()


def _reindex(tx: sqlite3.Connection, dataset_id: str) -> _Reindex:
    return put_off(tx, ("search", dataset_id), _Reindex(tx, dataset_id))


#: Relations of a dataset: table → (column and table of the other side, all columns).
_RELATIONS = {
    "collection_dataset": (
        "collection_id",
        "community",
        ("id", "collection_id", "dataset_id", "added", "added_by", "basis", "granted"),
    ),
    "collaborator": ("user_id", "user", ("user_id", "dataset_id", "capacity", "modified")),
    "follower": ("user_id", "user", ("user_id", "dataset_id", "since")),
}


def mark_deleted(tx: sqlite3.Connection, dataset_id: str) -> None:
    """Mark as deleted: collections, collaborators and followers are removed, but recorded for `restore`; rows and files stay."""
    for table, (other, _table, columns) in _RELATIONS.items():
        entry = ", ".join(f"'{column}', {column}" for column in columns)
        tx.execute(
            f"""INSERT OR REPLACE INTO deleted_relation (dataset_id, relation, other_id, entry)
                SELECT dataset_id, '{table}', {other}, json_object({entry}) FROM {table} WHERE dataset_id = ?""",
            (dataset_id,),
        )
        tx.execute(f"DELETE FROM {table} WHERE dataset_id = ?", (dataset_id,))
    tx.execute("UPDATE dataset SET deleted_from = state WHERE id = ? AND state != 'deleted'", (dataset_id,))
    update(tx, dataset_id, state="deleted")
    touch(tx, dataset_id)


def restore(tx: sqlite3.Connection, dataset_id: str, name: str, *, state: str = "draft") -> None:
    """Undo `mark_deleted`, with the collections, collaborators and followers that still exist. :param state: the new one."""
    for table, (_other, other_table, columns) in _RELATIONS.items():
        values = ", ".join(f"json_extract(n.entry, '$.{column}')" for column in columns)
        tx.execute(
            f"""INSERT OR IGNORE INTO {table} ({", ".join(columns)})
                SELECT {values} FROM deleted_relation n JOIN {other_table} o ON o.id = n.other_id
                WHERE n.dataset_id = ? AND n.relation = '{table}' AND o.state != 'deleted'""",
            (dataset_id,),
        )
    for entry in collections.of_dataset(tx, dataset_id):  # a right that ended meanwhile is not restored
        if (
            entry["granted"]
            and entry["basis"] == "update"
            and not collections.may_change(tx, entry["added_by"], dataset_id)
        ):
            collections.end_grant(tx, entry["id"], dataset_id)
    tx.execute("DELETE FROM deleted_relation WHERE dataset_id = ?", (dataset_id,))
    tx.execute("UPDATE dataset SET deleted_from = NULL WHERE id = ?", (dataset_id,))
    update(tx, dataset_id, state=state, name=name)
    touch(tx, dataset_id)


def purge(tx: sqlite3.Connection, dataset_id: str) -> list[str]:
    """Remove all rows of a dataset; returns the ids of its resources, whose files the caller moves away."""
    ids = [row[0] for row in tx.execute("SELECT id FROM resource WHERE dataset_id = ?", (dataset_id,))]
    tx.execute(
        "UPDATE job SET state = 'cancelled', finished = ? WHERE dataset_id = ? AND state IN ('queued', 'running')",
        (times.now(), dataset_id),
    )
    tx.execute("DELETE FROM search_text WHERE rowid = (SELECT pk FROM dataset WHERE id = ?)", (dataset_id,))
    tx.execute("DELETE FROM dataset WHERE id = ?", (dataset_id,))
    index.refresh(tx, [dataset_id])
    return ids


def name_taken(conn: sqlite3.Connection, name: str) -> bool:
    """Whether a dataset that is not deleted has this name."""
    return conn.execute("SELECT 1 FROM dataset WHERE name = ? AND state != 'deleted'", (name,)).fetchone() is not None


def living_ids(conn: sqlite3.Connection) -> list[str]:
    """Ids of all drafts and active datasets, oldest first."""
    return [row[0] for row in conn.execute("SELECT id FROM dataset WHERE state IN ('draft', 'active') ORDER BY pk")]


def listed_names(conn: sqlite3.Connection, *, limit: int = -1, offset: int = 0) -> list[str]:
    """Names of the active public datasets, sorted."""
    return [
        row[0]
        for row in conn.execute(
            "SELECT name FROM dataset WHERE state = 'active' AND private = 0 ORDER BY name LIMIT ? OFFSET ?",
            (limit, offset),
        )
    ]


def ids(conn: sqlite3.Connection, pks: list[int]) -> list[str]:
    """Ids of the datasets with these row numbers, in their order."""
    rows = conn.execute(
        "SELECT d.id FROM json_each(?) j JOIN dataset d ON d.pk = j.value ORDER BY j.key", (json.dumps(pks),)
    )
    return [row[0] for row in rows]


def listed_pks(
    conn: sqlite3.Connection,
    viewer: Viewer,
    where: str = "d.state = 'active'",
    *,
    order: str = "d.modified DESC",
    limit: int = -1,
    offset: int = 0,
    **parameters: Any,
) -> list[int]:
    """Row numbers of the datasets that `viewer` may see and that satisfy `where` (trusted SQL over d)."""
    seen, own = visibility.condition(viewer)
    rows = conn.execute(
        f"SELECT d.pk FROM dataset d WHERE {where} AND {seen} ORDER BY {order} LIMIT :limit OFFSET :offset",
        own | parameters | {"limit": limit, "offset": offset},
    )
    return [row[0] for row in rows]


def of_community(
    conn: sqlite3.Connection, community_id: str, kind: str, viewer: Viewer, *, limit: int = -1
) -> list[int]:
    """Row numbers of the active datasets of a circle or collection (`kind`) that `viewer` may see, last modified first."""
    inside = "d.circle_id = :community"
    if kind == "collection":
        inside = "d.id IN (SELECT dataset_id FROM collection_dataset WHERE collection_id = :community)"
    return listed_pks(conn, viewer, f"d.state = 'active' AND {inside}", limit=limit, community=community_id)


def of_creator(conn: sqlite3.Connection, user_id: str, viewer: Viewer, *, limit: int = -1) -> list[int]:
    """Row numbers of the datasets created by a user that `viewer` may see, including drafts, last modified first."""
    return listed_pks(conn, viewer, "d.creator_id = :creator AND d.state != 'deleted'", limit=limit, creator=user_id)


def deleted_before(conn: sqlite3.Connection, before: str) -> list[sqlite3.Row]:
    """Datasets that were marked as deleted before the moment `before`, oldest first."""
    query = "SELECT * FROM dataset WHERE state = 'deleted' AND modified < ? ORDER BY modified"
    return conn.execute(query, (before,)).fetchall()


def stale_drafts(conn: sqlite3.Connection, before: str) -> list[sqlite3.Row]:
    """Drafts not modified since the moment `before`, oldest first."""
    return conn.execute(
        "SELECT * FROM dataset WHERE state = 'draft' AND modified < ? ORDER BY modified", (before,)
    ).fetchall()


def older_than(conn: sqlite3.Connection, before: str) -> list[sqlite3.Row]:
    """Datasets in any state created before the moment `before`, oldest first."""
    return conn.execute("SELECT * FROM dataset WHERE created < ? ORDER BY created", (before,)).fetchall()
