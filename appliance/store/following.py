"""Followers of datasets, circles, collections and users."""

from __future__ import annotations

import sqlite3

from appliance.model import times
from appliance.model.viewer import Viewer
from appliance.store import visibility

#: What can be followed → its table and the column of the followed one. A community is a circle or a collection.
_TABLES = {
    "dataset": ("follower", "dataset_id"),
    "community": ("community_follower", "community_id"),
    "user": ("user_follower", "followed_id"),
}


def follow(tx: sqlite3.Connection, user_id: str, kind: str, object_id: str) -> str:
    """Follow (idempotent); returns since when."""
    table, column = _TABLES[kind]
    tx.execute(
        f"INSERT OR IGNORE INTO {table} (user_id, {column}, since) VALUES (?, ?, ?)", (user_id, object_id, times.now())
    )
    row = tx.execute(f"SELECT since FROM {table} WHERE user_id = ? AND {column} = ?", (user_id, object_id)).fetchone()
    return str(row[0])


def unfollow(tx: sqlite3.Connection, user_id: str, kind: str, object_id: str) -> bool:
    """Stop following; returns whether there was anything to stop."""
    table, column = _TABLES[kind]
    return tx.execute(f"DELETE FROM {table} WHERE user_id = ? AND {column} = ?", (user_id, object_id)).rowcount > 0


def follows(conn: sqlite3.Connection, user_id: str, kind: str, object_id: str) -> bool:
    """Whether the user follows it."""
    table, column = _TABLES[kind]
    row = conn.execute(f"SELECT 1 FROM {table} WHERE user_id = ? AND {column} = ?", (user_id, object_id)).fetchone()
    return row is not None


def followers(conn: sqlite3.Connection, kind: str, object_id: str) -> list[sqlite3.Row]:
    """The active users who follow it, by name."""
    table, column = _TABLES[kind]
    return conn.execute(
        f"SELECT u.* FROM {table} f JOIN user u ON u.id = f.user_id WHERE f.{column} = ? AND u.state = 'active' ORDER BY u.name",
        (object_id,),
    ).fetchall()


def count(conn: sqlite3.Connection, kind: str, object_id: str) -> int:
    """Number of active users who follow it."""
    table, column = _TABLES[kind]
    row = conn.execute(
        f"SELECT count(*) FROM {table} f JOIN user u ON u.id = f.user_id WHERE f.{column} = ? AND u.state = 'active'",
        (object_id,),
    ).fetchone()
    return int(row[0])


def followed_datasets(conn: sqlite3.Connection, user_id: str, viewer: Viewer) -> list[int]:
    """Row numbers of the datasets that a user follows and `viewer` may see, latest first."""
    seen, parameters = visibility.condition(viewer)
    rows = conn.execute(
        f"SELECT d.pk FROM follower f JOIN dataset d ON d.id = f.dataset_id WHERE f.user_id = :user AND d.state != 'deleted' AND {seen} ORDER BY f.since DESC",
        parameters | {"user": user_id},
    )
    return [row[0] for row in rows]


def followed_communities(conn: sqlite3.Connection, user_id: str, kind: str) -> list[sqlite3.Row]:
    """The active circles or collections that a user follows, latest first."""
    return conn.execute(
        """SELECT c.* FROM community_follower f JOIN community c ON c.id = f.community_id
           WHERE f.user_id = ? AND c.kind = ? AND c.state = 'active' ORDER BY f.since DESC""",
        (user_id, kind),
    ).fetchall()


def followed_users(conn: sqlite3.Connection, user_id: str) -> list[sqlite3.Row]:
    """The active users whom a user follows, latest first."""
    return conn.execute(
        """SELECT u.* FROM user_follower f JOIN user u ON u.id = f.followed_id
           WHERE f.user_id = ? AND u.state = 'active' ORDER BY f.since DESC""",
        (user_id,),
    ).fetchall()


def forget(tx: sqlite3.Connection, user_id: str) -> None:
    """Remove what a user follows, and who follows that user."""
    for table, _column in _TABLES.values():
        tx.execute(f"DELETE FROM {table} WHERE user_id = ?", (user_id,))
    tx.execute("DELETE FROM user_follower WHERE followed_id = ?", (user_id,))
