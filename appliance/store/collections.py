"""Datasets in collections: which, added by whom, and whether that lets the collection's members read them.

An entry grants reading as long as the user who added it may change the dataset. Triggers of the database (migration 7) end the
grant when that right ends; it is not restored automatically.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Literal

from appliance.model import names, times

Basis = Literal["update", "public", "operator"]
"""Why an entry could be made: the maker may change the dataset; the dataset was public; the command line."""


def add(
    tx: sqlite3.Connection,
    collection_id: str,
    dataset_id: str,
    *,
    basis: Basis,
    user_id: str | None = None,
) -> str:
    """Add a dataset to a collection, or renew its entry on this basis; returns the entry's id."""
    row = find(tx, collection_id, dataset_id)
    if row is None:
        entry_id = names.new_id()
        tx.execute(
            "INSERT INTO collection_dataset (id, collection_id, dataset_id, added, added_by, basis, granted) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entry_id, collection_id, dataset_id, times.now(), user_id, basis, int(basis != "public")),
        )
        return entry_id
    if basis != "public" and (not row["granted"] or row["basis"] == "earlier"):
        tx.execute(
            "UPDATE collection_dataset SET added = ?, added_by = ?, basis = ?, granted = 1 WHERE collection_id = ? AND dataset_id = ?",
            (times.now(), user_id, basis, collection_id, dataset_id),
        )
    return str(row["id"])


def find(conn: sqlite3.Connection, collection_id: str, dataset_id: str) -> sqlite3.Row | None:
    """The entry of a dataset in a collection: id, added, added_by, basis, granted; None if it is not in."""
    row: sqlite3.Row | None = conn.execute(
        "SELECT * FROM collection_dataset WHERE collection_id = ? AND dataset_id = ?", (collection_id, dataset_id)
    ).fetchone()
    return row


def end_grant(tx: sqlite3.Connection, collection_id: str, dataset_id: str) -> None:
    """Keep the entry, but no longer let the collection's members read the dataset."""
    tx.execute(
        "UPDATE collection_dataset SET granted = 0 WHERE collection_id = ? AND dataset_id = ?",
        (collection_id, dataset_id),
    )


def remove(tx: sqlite3.Connection, collection_id: str, dataset_id: str) -> bool:
    """Remove a dataset from a collection; returns whether it was in."""
    return (
        tx.execute(
            "DELETE FROM collection_dataset WHERE collection_id = ? AND dataset_id = ?", (collection_id, dataset_id)
        ).rowcount
        > 0
    )


def may_change(conn: sqlite3.Connection, user_id: str, dataset_id: str) -> bool:
    """Whether this user may change the dataset, considering all roles. Migration 7 uses the same condition to end grants."""
    return (
        conn.execute(
            """SELECT 1 FROM user u WHERE u.id = :user AND u.state = 'active' AND (u.sysadmin = 1
               OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
                          WHERE d.id = :dataset AND m.role IN ('admin', 'editor'))
               OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = :dataset AND k.user_id = u.id AND k.capacity = 'editor'))""",
            {"user": user_id, "dataset": dataset_id},
        ).fetchone()
        is not None
    )


def of_dataset(conn: sqlite3.Connection, dataset_id: str) -> list[sqlite3.Row]:
    """The active collections that contain a dataset, by name, with the entry: added, added_by, basis, granted, maker, maker_name."""
    return conn.execute(
        """SELECT c.*, o.added, o.added_by, o.basis, o.granted, u.name AS maker, iif(u.fullname = '', u.name, u.fullname) AS maker_name
           FROM collection_dataset o JOIN community c ON c.id = o.collection_id LEFT JOIN user u ON u.id = o.added_by
           WHERE o.dataset_id = ? AND c.state = 'active' ORDER BY c.name""",
        (dataset_id,),
    ).fetchall()


def of_earlier(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Entries from before rights were checked that let members read a dataset that is not public: collection, dataset, maker (None:
    unknown).
    """
    rows = conn.execute(
        """SELECT c.name AS collection, d.name AS dataset, u.name AS maker
           FROM collection_dataset o JOIN community c ON c.id = o.collection_id JOIN dataset d ON d.id = o.dataset_id
           LEFT JOIN user u ON u.id = o.added_by
           WHERE o.basis = 'earlier' AND o.granted = 1 AND d.state != 'deleted' AND NOT (d.state = 'active' AND d.private = 0)
           ORDER BY c.name, d.name"""
    )
    return [dict(row) for row in rows]


def count_ended(conn: sqlite3.Connection) -> int:
    """Number of entries of non-public datasets that no longer let the collection's members read."""
    row = conn.execute(
        """SELECT count(*) FROM collection_dataset o JOIN dataset d ON d.id = o.dataset_id
           WHERE o.granted = 0 AND NOT (d.state = 'active' AND d.private = 0)"""
    ).fetchone()
    return int(row[0])
