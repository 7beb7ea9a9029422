"""Sessions of the web interface, stored on the server so that they can be listed and revoked. Only hashes of cookies are stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta

from appliance.model import names, times


@dataclass(frozen=True, slots=True)
class Session:
    """A session. :ivar id: public; :ivar agent: the browser's User-Agent; :ivar code_given: 1 if a second factor was given in it."""

    id: str
    user_id: str
    created: str
    last_seen: str
    expires: str
    address: str
    agent: str
    code_given: int


_COLUMNS = ", ".join(one.name for one in fields(Session))


def create(
    tx: sqlite3.Connection,
    user_id: str,
    hash_: bytes,
    *,
    hours: int,
    address: str = "",
    agent: str = "",
    code_given: bool = False,
) -> str:
    """Start a session for the cookie with this SHA-256; returns its public id. :param code_given: with a second factor."""
    session_id, now = names.new_id(), times.now()
    tx.execute(
        "INSERT INTO session (id, hash, user_id, created, last_seen, expires, address, agent, code_given) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (session_id, hash_, user_id, now, now, times.ahead(timedelta(hours=hours)), address, agent[:200], code_given),
    )
    return session_id


def find(conn: sqlite3.Connection, hash_: bytes) -> Session | None:
    """The valid session of the cookie with this hash, or None."""
    return next(_select(conn, "hash = ? AND expires > ?", hash_, times.now()), None)


def get(conn: sqlite3.Connection, session_id: str) -> Session | None:
    """The valid session with this public id, or None."""
    return next(_select(conn, "id = ? AND expires > ?", session_id, times.now()), None)


def prolong(tx: sqlite3.Connection, session_id: str, hours: int) -> None:
    """Record use of the session: it is valid for `hours` from now."""
    tx.execute(
        "UPDATE session SET last_seen = ?, expires = ? WHERE id = ?",
        (times.now(), times.ahead(timedelta(hours=hours)), session_id),
    )


def note_code(tx: sqlite3.Connection, session_id: str) -> None:
    """Record that a code of the second factor was entered in this session."""
    tx.execute("UPDATE session SET code_given = 1 WHERE id = ?", (session_id,))


def of_user(conn: sqlite3.Connection, user_id: str) -> list[Session]:
    """The user's valid sessions, latest first."""
    return list(_select(conn, "user_id = ? AND expires > ? ORDER BY last_seen DESC", user_id, times.now()))


def revoke(tx: sqlite3.Connection, user_id: str, session_id: str) -> None:
    """End one session of the user."""
    tx.execute("DELETE FROM session WHERE user_id = ? AND id = ?", (user_id, session_id))


def revoke_all(tx: sqlite3.Connection, user_id: str, *, but: str = "") -> None:
    """End every session of the user, except the one with the id `but`."""
    tx.execute("DELETE FROM session WHERE user_id = ? AND id != ?", (user_id, but))


def sweep(tx: sqlite3.Connection) -> int:
    """Remove expired sessions; returns how many.

    A session in which a link was created is kept as long as that link is valid.
    """
    return tx.execute(
        """DELETE FROM session WHERE expires < ?1 AND NOT EXISTS
             (SELECT 1 FROM one_time_link l WHERE l.session_id = session.id AND l.used IS NULL AND l.expires > ?1)""",
        (times.now(),),
    ).rowcount


def _select(conn: sqlite3.Connection, condition: str, *values: str | bytes) -> Iterator[Session]:
    return (Session(*row) for row in conn.execute(f"SELECT {_COLUMNS} FROM session WHERE {condition}", values))
