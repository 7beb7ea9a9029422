"""Collaborators of single datasets."""

from __future__ import annotations

import sqlite3

from appliance.model import times


def set_collaborator(tx: sqlite3.Connection, dataset_id: str, user_id: str, capacity: str) -> str:
    """Share a dataset with a user as "member" or "editor"; returns the time."""
    now = times.now()
    tx.execute(
        "INSERT OR REPLACE INTO collaborator (dataset_id, user_id, capacity, modified) VALUES (?, ?, ?, ?)",
        (dataset_id, user_id, capacity, now),
    )
    return now


def remove_collaborator(tx: sqlite3.Connection, dataset_id: str, user_id: str) -> bool:
    """End a collaboration; returns whether there was one."""
    return (
        tx.execute("DELETE FROM collaborator WHERE dataset_id = ? AND user_id = ?", (dataset_id, user_id)).rowcount > 0
    )


def collaborators(conn: sqlite3.Connection, dataset_id: str, capacity: str = "") -> list[sqlite3.Row]:
    """Collaborators of a dataset: user_id, name, fullname, capacity, modified."""
    return conn.execute(
        "SELECT k.user_id, u.name, u.fullname, k.capacity, k.modified FROM collaborator k JOIN user u ON u.id = k.user_id WHERE k.dataset_id = ?1 AND (?2 = '' OR k.capacity = ?2) ORDER BY k.modified, u.name",
        (dataset_id, capacity),
    ).fetchall()


def collaborations(conn: sqlite3.Connection, user_id: str, capacity: str = "") -> list[sqlite3.Row]:
    """Datasets shared with a user: dataset_id, capacity, modified."""
    return conn.execute(
        "SELECT dataset_id, capacity, modified FROM collaborator WHERE user_id = ?1 AND (?2 = '' OR capacity = ?2) ORDER BY modified",
        (user_id, capacity),
    ).fetchall()
