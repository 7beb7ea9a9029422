"""Writing rows mirrored from another server, with its ids and times. The values were checked before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from appliance.model import names
from appliance.store import datasets, documents


def set_created(tx: sqlite3.Connection, kind: str, id_: str, created: str | None) -> None:
    """Set the time of creation there; None: unknown."""
    table = {"user": "user", "circle": "community", "collection": "community"}[kind]
    if created is not None:
        tx.execute(f"UPDATE {table} SET created = ? WHERE id = ?", (created, id_))


def put_dataset(tx: sqlite3.Connection, dataset_id: str, values: Mapping[str, Any]) -> None:
    """Insert or update a dataset (all columns but id). Call `finish_dataset` when its files have been added."""
    if datasets.find(tx, dataset_id) is None:
        datasets.create(tx, dict(values), id_=dataset_id)
        return
    columns = ", ".join(f"{column} = ?" for column in values)
    tx.execute(f"UPDATE dataset SET {columns} WHERE id = ?", (*values.values(), dataset_id))


def set_tags(tx: sqlite3.Connection, dataset_id: str, tags: Iterable[tuple[str, str]]) -> None:
    """Set the tags (id, name) of a dataset. A tag that already exists here keeps its id."""
    tx.execute("DELETE FROM dataset_tag WHERE dataset_id = ?", (dataset_id,))
    for tag_id, name in tags:
        known = tx.execute("SELECT 1 FROM tag WHERE name = ?", (name,)).fetchone()
        if known is None:
            taken = not tag_id or tx.execute("SELECT 1 FROM tag WHERE id = ?", (tag_id,)).fetchone()
            tx.execute("INSERT INTO tag (id, name) VALUES (?, ?)", (names.new_id() if taken else tag_id, name))
        tx.execute("INSERT OR IGNORE INTO dataset_tag SELECT ?, id FROM tag WHERE name = ?", (dataset_id, name))


def put_resource(tx: sqlite3.Connection, resource_id: str, values: Mapping[str, Any]) -> None:
    """Insert or update a file's row (all columns but id). The bytes are in the depot."""
    if tx.execute("SELECT 1 FROM resource WHERE id = ?", (resource_id,)).fetchone():
        columns = ", ".join(f"{column} = ?" for column in values)
        tx.execute(f"UPDATE resource SET {columns} WHERE id = ?", (*values.values(), resource_id))
    else:
        marks = ", ".join("?" * len(values))
        tx.execute(
            f"INSERT INTO resource (id, {', '.join(values)}) VALUES (?, {marks})", (resource_id, *values.values())
        )
    documents.refresh_resource(tx, resource_id)


def set_collaborator(tx: sqlite3.Connection, dataset_id: str, user_id: str, capacity: str, modified: str) -> None:
    """Share a dataset as it was shared there."""
    tx.execute(
        "INSERT OR REPLACE INTO collaborator (dataset_id, user_id, capacity, modified) VALUES (?, ?, ?, ?)",
        (dataset_id, user_id, capacity, modified),
    )


def finish_dataset(tx: sqlite3.Connection, dataset_id: str, modified: str) -> None:
    """Set the time of modification there; write the document and the search entry."""
    tx.execute("UPDATE dataset SET modified = ? WHERE id = ?", (modified, dataset_id))
    datasets.refresh(tx, dataset_id)
