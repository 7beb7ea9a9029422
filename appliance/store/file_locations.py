"""Locations of files in the human-readable tree: circle / dataset / files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable


def files(conn: sqlite3.Connection, dataset_ids: Iterable[str] | None = None) -> list[sqlite3.Row]:
    """(dataset_id, circle, dataset, resource_id, name) of every file of datasets that are not deleted; of all or the given ones."""
    query = """SELECT d.id AS dataset_id, c.name AS circle, d.name AS dataset, r.id AS resource_id, r.name AS name
               FROM resource r JOIN dataset d ON d.id = r.dataset_id AND d.state != 'deleted' JOIN community c ON c.id = d.circle_id"""
    if dataset_ids is None:
        return conn.execute(query).fetchall()
    found = []
    for dataset_id in dataset_ids:
        found += conn.execute(f"{query} WHERE d.id = ?", (dataset_id,)).fetchall()
    return found


def changed_since(conn: sqlite3.Connection, moment: str) -> list[tuple[str, str]]:
    """(dataset id, time of change) of datasets changed at or after `moment`, oldest first."""
    return [
        (row[0], row[1])
        for row in conn.execute("SELECT id, modified FROM dataset WHERE modified >= ? ORDER BY modified", (moment,))
    ]


def dataset_ids(conn: sqlite3.Connection) -> set[str]:
    """Ids of all datasets that are not deleted."""
    return {row[0] for row in conn.execute("SELECT id FROM dataset WHERE state != 'deleted'")}
