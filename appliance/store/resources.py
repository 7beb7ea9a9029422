"""Resources: rows of the files of datasets."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from appliance.model import times
from appliance.store import datasets, documents

_PATCHABLE = (
    "name",
    "description",
    "size",
    "sha256",
    "etag",
    "crc32",
    "mimetype",
    "format",
    "event_count",
    "supplements",
    "dc",
    "extras",
)


def get(conn: sqlite3.Connection, resource_id: str | None) -> sqlite3.Row | None:
    """The resource with this id, or None."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM resource WHERE id = ?", (resource_id,)).fetchone()
    return row


def of_dataset(conn: sqlite3.Connection, dataset_id: str) -> list[sqlite3.Row]:
    """The resources of a dataset in their order."""
    return conn.execute("SELECT * FROM resource WHERE dataset_id = ? ORDER BY position", (dataset_id,)).fetchall()


def names_of(conn: sqlite3.Connection, dataset_id: str) -> set[str]:
    """File names in a dataset."""
    return {row[0] for row in conn.execute("SELECT name FROM resource WHERE dataset_id = ?", (dataset_id,))}


def create(
    tx: sqlite3.Connection,
    resource_id: str,
    dataset_id: str,
    name: str,
    *,
    size: int,
    sha256: str | None,
    etag: str | None,
    mimetype: str | None,
    format_: str,
    url_type: str = "upload",
    description: str | None = None,
    supplements: Mapping[str, Any] | None = None,
    crc32: int | None = None,
    extras: Mapping[str, Any] | None = None,
) -> None:
    """Append a resource to a dataset; the file is already in the depot."""
    now = times.now()
    tx.execute(
        """INSERT INTO resource (id, dataset_id, position, name, description, size, sha256, etag, mimetype, format, url_type,
             created, last_modified, metadata_modified, supplements, crc32, extras)
           VALUES (?, ?, (SELECT coalesce(max(position) + 1, 0) FROM resource WHERE dataset_id = ?2), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            resource_id,
            dataset_id,
            name,
            description,
            size,
            sha256,
            etag,
            mimetype,
            format_,
            url_type,
            now,
            now,
            now,
            json.dumps(supplements or {}, ensure_ascii=False),
            crc32,
            json.dumps(extras or {}, ensure_ascii=False),
        ),
    )
    documents.refresh_resource(tx, resource_id)
    datasets.touch_file(tx, dataset_id, resource_id, None)


def patch(tx: sqlite3.Connection, resource_id: str, **values: Any) -> bool:
    """Change columns (`supplements`, `dc` and `extras` as mappings); returns False when the resource is gone.

    The dataset counts as modified: clients that keep a cache ask for what changed since their last visit. Where nothing differs, nothing is
    modified: what a job finds in a file that was mirrored is what its server had found.
    """
    row = get(tx, resource_id)
    if row is None:
        return False
    if all(_stored(row, key) == value for key, value in values.items() if key in _PATCHABLE):
        return True
    for key in _PATCHABLE:
        if key in values:
            value = values[key]
            tx.execute(
                f"UPDATE resource SET {key} = ? WHERE id = ?",
                (json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else value, resource_id),
            )
    now = times.now()
    tx.execute("UPDATE resource SET last_modified = ?, metadata_modified = ? WHERE id = ?", (now, now, resource_id))
    documents.refresh_resource(tx, resource_id)
    datasets.touch_file(tx, row["dataset_id"], resource_id, row)
    return True


def _stored(row: sqlite3.Row, key: str) -> Any:
    return json.loads(row[key]) if key in ("supplements", "dc", "extras") else row[key]


def note_crc32(tx: sqlite3.Connection, resource_id: str, crc32: int) -> None:
    """Store the CRC-32 of a file, which only archives use: the dataset does not count as modified."""
    tx.execute("UPDATE resource SET crc32 = ? WHERE id = ?", (crc32, resource_id))


def remove(tx: sqlite3.Connection, resource_id: str) -> None:
    """Delete the row. The others keep their order; positions have a gap until `close_ranks`."""
    row = get(tx, resource_id)
    if row is None:
        return
    tx.execute("DELETE FROM resource WHERE id = ?", (resource_id,))
    datasets.touch(tx, row["dataset_id"])


def close_ranks(tx: sqlite3.Connection, dataset_id: str) -> None:
    """Renumber positions from 0 without gaps; only rows that change are written. For a dataset from which no more files are removed."""
    tx.execute(
        """UPDATE resource SET position = moved.place, document = json_set(document, '$.position', moved.place)
           FROM (SELECT id, row_number() OVER (ORDER BY position) - 1 AS place FROM resource WHERE dataset_id = ?) AS moved
           WHERE resource.id = moved.id AND resource.position != moved.place""",
        (dataset_id,),
    )


def set_names(tx: sqlite3.Connection, dataset_id: str, new_names: Mapping[str, str]) -> None:
    """Rename resources of a dataset (id → name); names may be swapped."""
    for resource_id in new_names:
        tx.execute("UPDATE resource SET name = id WHERE id = ? AND dataset_id = ?", (resource_id, dataset_id))
    now = times.now()
    for resource_id, name in new_names.items():
        tx.execute(
            "UPDATE resource SET name = ?, metadata_modified = ? WHERE id = ? AND dataset_id = ?",
            (name, now, resource_id, dataset_id),
        )
        documents.refresh_resource(tx, resource_id)
    datasets.touch(tx, dataset_id)


def reorder(tx: sqlite3.Connection, dataset_id: str, order: list[str]) -> None:
    """Set the order of a dataset's resources (all their ids)."""
    for position, resource_id in enumerate(order):
        tx.execute(
            """UPDATE resource SET position = ?1, document = json_set(document, '$.position', ?1)
               WHERE id = ?2 AND dataset_id = ?3 AND position != ?1""",
            (position, resource_id, dataset_id),
        )
    datasets.touch(tx, dataset_id)


def all_ids(conn: sqlite3.Connection) -> list[str]:
    """Ids of all resources."""
    return [row[0] for row in conn.execute("SELECT id FROM resource ORDER BY pk")]
