"""Collaborators and followers of single datasets."""

from __future__ import annotations

import sqlite3

from appliance.model import times
from appliance.model.viewer import Viewer
from appliance.store import visibility


def set_collaborator(tx: sqlite3.Connection, dataset_id: str, user_id: str, capacity: str) -> str:
    """Share a dataset with a user as "member" or "editor"; returns the moment."""
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
        "SELECT k.user_id, u.name, u.fullname, k.capacity, k.modified FROM collaborator k JOIN user u ON u.id = k.user_id WHERE k.dataset_id = ?1 AND (?2 = '' OR k.capacity = ?2) ORDER BY u.name",
        (dataset_id, capacity),
    ).fetchall()


def collaborations(conn: sqlite3.Connection, user_id: str, capacity: str = "") -> list[sqlite3.Row]:
    """Datasets shared with a user: dataset_id, capacity, modified."""
    return conn.execute(
        "SELECT dataset_id, capacity, modified FROM collaborator WHERE user_id = ?1 AND (?2 = '' OR capacity = ?2) ORDER BY modified",
        (user_id, capacity),
    ).fetchall()


def follow(tx: sqlite3.Connection, user_id: str, dataset_id: str) -> str:
    """Follow a dataset (again is fine); returns the moment."""
    now = times.now()
    tx.execute(
        "INSERT OR IGNORE INTO follower (user_id, dataset_id, since) VALUES (?, ?, ?)", (user_id, dataset_id, now)
    )
    return now


def unfollow(tx: sqlite3.Connection, user_id: str, dataset_id: str) -> bool:
    """Stop following; returns whether there was anything to stop."""
    return tx.execute("DELETE FROM follower WHERE user_id = ? AND dataset_id = ?", (user_id, dataset_id)).rowcount > 0


def follows(conn: sqlite3.Connection, user_id: str, dataset_id: str) -> bool:
    """Does the user follow the dataset?"""
    return (
        conn.execute("SELECT 1 FROM follower WHERE user_id = ? AND dataset_id = ?", (user_id, dataset_id)).fetchone()
        is not None
    )


def followers(conn: sqlite3.Connection, dataset_id: str) -> list[sqlite3.Row]:
    """The users who follow a dataset."""
    return conn.execute(
        "SELECT u.* FROM follower f JOIN user u ON u.id = f.user_id WHERE f.dataset_id = ? ORDER BY u.name",
        (dataset_id,),
    ).fetchall()


def followed_pks(conn: sqlite3.Connection, user_id: str, viewer: Viewer) -> list[int]:
    """Row numbers of the datasets that a user follows and `viewer` may (still) see."""
    seen, parameters = visibility.condition(viewer)
    rows = conn.execute(
        f"SELECT d.pk FROM follower f JOIN dataset d ON d.id = f.dataset_id WHERE f.user_id = :user AND d.state != 'deleted' AND {seen} ORDER BY f.since DESC",
        parameters | {"user": user_id},
    )
    return [row[0] for row in rows]
