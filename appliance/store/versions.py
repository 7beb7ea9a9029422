"""Versions of datasets: their predecessors, and files shared between versions."""

from __future__ import annotations

import sqlite3

from appliance.model.viewer import Viewer
from appliance.store import visibility


def follow(tx: sqlite3.Connection, dataset_id: str, earlier_id: str) -> None:
    """Record that a dataset is a new version of another."""
    tx.execute("UPDATE dataset SET version_of = ? WHERE id = ?", (earlier_id, dataset_id))


def share(tx: sqlite3.Connection, resource_id: str, first_id: str) -> None:
    """Record that a file shares its bytes on disk with others. :param first_id: the first of them."""
    tx.execute("UPDATE resource SET shared_id = ? WHERE id = ?", (first_id, resource_id))


def newer(conn: sqlite3.Connection, dataset_id: str, viewer: Viewer) -> sqlite3.Row | None:
    """The latest active direct or indirect version of a dataset that `viewer` may see, or None."""
    seen, parameters = visibility.condition(viewer)
    row: sqlite3.Row | None = conn.execute(
        f"""WITH RECURSIVE later(id) AS (
              SELECT id FROM dataset WHERE version_of = :dataset
              UNION SELECT d.id FROM dataset d JOIN later ON d.version_of = later.id)
            SELECT d.* FROM dataset d JOIN later ON later.id = d.id
            WHERE d.state = 'active' AND d.id != :dataset AND {seen} ORDER BY d.created DESC, d.pk DESC LIMIT 1""",
        parameters | {"dataset": dataset_id},
    ).fetchone()
    return row


def number_of_drafts(conn: sqlite3.Connection, dataset_id: str) -> int:
    """Number of drafts of new versions of a dataset, without a check of permissions."""
    found = conn.execute(
        "SELECT count(*) FROM dataset WHERE version_of = ? AND state = 'draft'", (dataset_id,)
    ).fetchone()
    return int(found[0])


def drafts(conn: sqlite3.Connection, dataset_id: str, viewer: Viewer) -> list[sqlite3.Row]:
    """Drafts of new versions of a dataset that `viewer` may see, newest first."""
    seen, parameters = visibility.condition(viewer)
    return conn.execute(
        f"SELECT d.* FROM dataset d WHERE d.version_of = :dataset AND d.state = 'draft' AND {seen} ORDER BY d.pk DESC",
        parameters | {"dataset": dataset_id},
    ).fetchall()
