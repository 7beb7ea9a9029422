"""Pages that people have saved by their address: comparisons of measurements, which can be shared, and searches."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from appliance.model import names, times

COMPARE = "compare"
_WITH_OWNER = "SELECT s.*, u.name AS user, u.fullname FROM saved_page s JOIN user u ON u.id = s.user_id"


def own(conn: sqlite3.Connection, user_id: str, *pages: str) -> list[dict[str, Any]]:
    """What a user has saved of these pages, the newest first."""
    rows = conn.execute(
        f"{_WITH_OWNER} WHERE s.user_id = ? AND s.page IN (SELECT value FROM json_each(?)) ORDER BY s.modified DESC, s.id",
        (user_id, json.dumps(pages)),
    )
    return [_decoded(row) for row in rows]


def titles(conn: sqlite3.Connection, user_id: str, *pages: str) -> set[tuple[str, str]]:
    """(page, title) of each that a user has saved of these pages."""
    rows = conn.execute(
        "SELECT page, title FROM saved_page WHERE user_id = ? AND page IN (SELECT value FROM json_each(?))",
        (user_id, json.dumps(pages)),
    )
    return {(row["page"], row["title"]) for row in rows}


def shared_with(conn: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
    """What others share with a user, the newest first."""
    rows = conn.execute(
        f"""{_WITH_OWNER} JOIN saved_page_share w ON w.saved_page_id = s.id
            WHERE w.user_id = ? AND u.state = 'active' ORDER BY s.modified DESC, s.id""",
        (user_id,),
    )
    return [_decoded(row) for row in rows]


def get(conn: sqlite3.Connection, id_: str, *pages: str) -> dict[str, Any] | None:
    """The one with this id, if it is of one of these pages, or None."""
    row = conn.execute(f"{_WITH_OWNER} WHERE s.id = ?", (id_,)).fetchone()
    return None if row is None or row["page"] not in pages else _decoded(row)


def is_shared_with(conn: sqlite3.Connection, id_: str, user_id: str) -> bool:
    """Is it shared with this user, by somebody whose account is active?"""
    found = conn.execute(
        f"""{_WITH_OWNER} JOIN saved_page_share w ON w.saved_page_id = s.id
            WHERE s.id = ? AND w.user_id = ? AND u.state = 'active'""",
        (id_, user_id),
    ).fetchone()
    return found is not None


def people(conn: sqlite3.Connection, id_: str) -> list[sqlite3.Row]:
    """Id, name and full name of those whom it is shared with."""
    return conn.execute(
        """SELECT u.id, u.name, u.fullname FROM saved_page_share w JOIN user u ON u.id = w.user_id
           WHERE w.saved_page_id = ? ORDER BY u.name""",
        (id_,),
    ).fetchall()


def put(tx: sqlite3.Connection, user_id: str, page: str, title: str, query: str, resources: Sequence[str] = ()) -> str:
    """Save under a title, in place of what the user has saved of this page under it before; returns its id."""
    tx.execute(
        """INSERT INTO saved_page (id, user_id, page, title, resources, query, modified) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (user_id, page, title)
           DO UPDATE SET resources = excluded.resources, query = excluded.query, modified = excluded.modified""",
        (names.new_id(), user_id, page, title, json.dumps(list(resources)), query, times.now()),
    )
    row = tx.execute(
        "SELECT id FROM saved_page WHERE user_id = ? AND page = ? AND title = ?", (user_id, page, title)
    ).fetchone()
    return str(row["id"])


def retitle(tx: sqlite3.Connection, id_: str, title: str) -> None:
    """Give it another title, which the user has used for no other of the same page."""
    tx.execute("UPDATE saved_page SET title = ?, modified = ? WHERE id = ?", (title, times.now(), id_))


def remove(tx: sqlite3.Connection, id_: str) -> None:
    """Delete it, if it is there."""
    tx.execute("DELETE FROM saved_page WHERE id = ?", (id_,))


def share(tx: sqlite3.Connection, id_: str, user_id: str) -> None:
    """Share it with a user."""
    tx.execute("INSERT OR IGNORE INTO saved_page_share VALUES (?, ?)", (id_, user_id))


def unshare(tx: sqlite3.Connection, id_: str, user_id: str) -> None:
    """Stop sharing it with a user."""
    tx.execute("DELETE FROM saved_page_share WHERE saved_page_id = ? AND user_id = ?", (id_, user_id))


def forget(tx: sqlite3.Connection, user_id: str) -> None:
    """Delete what a user has saved, and what is shared with them."""
    tx.execute("DELETE FROM saved_page WHERE user_id = ?", (user_id,))  # and with whom it is shared
    tx.execute("DELETE FROM saved_page_share WHERE user_id = ?", (user_id,))


def _decoded(row: sqlite3.Row) -> dict[str, Any]:
    return dict(row) | {"resources": json.loads(row["resources"])}
