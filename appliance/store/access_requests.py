"""Requests for access to datasets."""

from __future__ import annotations

import sqlite3

from appliance.model import names, times


def add(tx: sqlite3.Connection, dataset_id: str, user_id: str, message: str) -> str:
    """Add a request; returns its id."""
    id_ = names.new_id()
    tx.execute(
        "INSERT INTO access_request (id, dataset_id, user_id, message, created) VALUES (?, ?, ?, ?, ?)",
        (id_, dataset_id, user_id, message, times.now()),
    )
    return id_


def get(conn: sqlite3.Connection, request_id: str) -> sqlite3.Row | None:
    """The request with this id, or None."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM access_request WHERE id = ?", (request_id,)).fetchone()
    return row


def asked_since(conn: sqlite3.Connection, dataset_id: str, user_id: str, moment: str) -> bool:
    """Has this user an open request for this dataset, or one that was decided since `moment`?"""
    row = conn.execute(
        "SELECT 1 FROM access_request WHERE dataset_id = ? AND user_id = ? AND (state = 'open' OR decided > ?)",
        (dataset_id, user_id, moment),
    ).fetchone()
    return row is not None


def decide(tx: sqlite3.Connection, request_id: str, state: str, user_id: str | None) -> None:
    """Close a request as "granted" or "declined"."""
    tx.execute(
        "UPDATE access_request SET state = ?, decided = ?, decided_by = ? WHERE id = ? AND state = 'open'",
        (state, times.now(), user_id, request_id),
    )


def open_of_circles(conn: sqlite3.Connection, circle_ids: list[str] | None) -> list[sqlite3.Row]:
    """Open requests for datasets of these circles (None: of all), oldest first, with applicant and dataset."""
    marks = "1" if circle_ids is None else f"d.circle_id IN ({', '.join('?' * len(circle_ids))})"
    return conn.execute(
        f"""SELECT q.*, d.name AS dataset, d.title, c.name AS circle, c.title AS circle_title, u.name AS user, u.fullname, u.email
            FROM access_request q JOIN dataset d ON d.id = q.dataset_id AND d.state != 'deleted'
            JOIN community c ON c.id = d.circle_id JOIN user u ON u.id = q.user_id AND u.state = 'active'
            WHERE q.state = 'open' AND {marks} ORDER BY q.created""",
        circle_ids or (),
    ).fetchall()
