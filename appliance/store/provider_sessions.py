"""Sessions started through an OpenID provider, and single-use values of sign-ins and logout tokens."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import timedelta

from appliance.model import times

_KEPT = timedelta(hours=1)


def use_up(tx: sqlite3.Connection, hash_: bytes) -> bool:
    """Record the use of a single-use value; False when it was used before. It is stored for an hour, longer than such values are valid."""
    tx.execute("DELETE FROM provider_used WHERE at < ?", (times.ahead(-_KEPT),))
    return tx.execute("INSERT OR IGNORE INTO provider_used VALUES (?, ?)", (hash_, times.now())).rowcount == 1


def add(tx: sqlite3.Connection, session_id: str, issuer: str, subject: str, *, sid: str, refresh: bytes | None) -> None:
    """Record the provider of a session."""
    tx.execute(
        "INSERT INTO provider_session (session_id, issuer, subject, sid, refresh, confirmed) VALUES (?, ?, ?, ?, ?, ?)",
        (session_id, issuer, subject, sid, refresh, times.now()),
    )


def find(conn: sqlite3.Connection, session_id: str) -> sqlite3.Row | None:
    """The provider's data of a session, None for a local one."""
    row: sqlite3.Row | None = conn.execute(
        "SELECT * FROM provider_session WHERE session_id = ?", (session_id,)
    ).fetchone()
    return row


def any_sealed(conn: sqlite3.Connection) -> bool:
    """Whether a refresh token is stored."""
    return conn.execute("SELECT 1 FROM provider_session WHERE refresh IS NOT NULL LIMIT 1").fetchone() is not None


def refreshable(conn: sqlite3.Connection, issuer: str) -> list[sqlite3.Row]:
    """Sessions with a refresh token, those longest unconfirmed first."""
    return conn.execute(
        "SELECT * FROM provider_session WHERE issuer = ? AND refresh IS NOT NULL ORDER BY confirmed", (issuer,)
    ).fetchall()


def confirm(tx: sqlite3.Connection, session_id: str, refresh: bytes) -> None:
    """Record that the provider has confirmed a session, with the next refresh token."""
    tx.execute(
        "UPDATE provider_session SET confirmed = ?, refresh = ? WHERE session_id = ?",
        (times.now(), refresh, session_id),
    )


def keep(tx: sqlite3.Connection, session_id: str, refresh: bytes) -> None:
    """Store the next refresh token of a session that the provider has not confirmed yet."""
    tx.execute("UPDATE provider_session SET refresh = ? WHERE session_id = ?", (refresh, session_id))


def end_of_others(tx: sqlite3.Connection, issuers: Iterable[str]) -> int:
    """End sessions of other issuers than these, and of people with an identity elsewhere. → how many."""
    return tx.execute(
        """DELETE FROM session WHERE user_id IN (SELECT user_id FROM identity WHERE issuer NOT IN (SELECT value FROM json_each(?1)))
             OR id IN (SELECT session_id FROM provider_session WHERE issuer NOT IN (SELECT value FROM json_each(?1)))""",
        (json.dumps(list(issuers)),),
    ).rowcount


def end(tx: sqlite3.Connection, session_id: str) -> None:
    """End a session, and links created in it."""
    tx.execute("DELETE FROM session WHERE id = ?", (session_id,))


def end_of(tx: sqlite3.Connection, issuer: str, subject: str, sid: str) -> int:
    """End the sessions of a person (`subject`), of the provider's session `sid`, or matching both if both are given. → how many."""
    return tx.execute(
        """DELETE FROM session WHERE id IN (SELECT session_id FROM provider_session
             WHERE issuer = ?1 AND (?2 = '' OR subject = ?2) AND (?3 = '' OR sid = ?3) AND (?2 != '' OR ?3 != ''))""",
        (issuer, subject, sid),
    ).rowcount


def end_unconfirmed(tx: sqlite3.Connection, before: str) -> int:
    """End the sessions that no provider has confirmed since `before`. → how many."""
    return tx.execute(
        "DELETE FROM session WHERE id IN (SELECT session_id FROM provider_session WHERE confirmed < ?)", (before,)
    ).rowcount


def person_confirmed(tx: sqlite3.Connection, user_id: str) -> None:
    """Record that the provider has confirmed the person now, and resume their credentials."""
    tx.execute("UPDATE identity SET confirmed = ?, paused = 0 WHERE user_id = ?", (times.now(), user_id))


def pause_unconfirmed(tx: sqlite3.Connection, issuer: str, before: str) -> int:
    """Pause the credentials of people whom the provider has not confirmed since `before`. → how many more."""
    return tx.execute(
        "UPDATE identity SET paused = 1 WHERE issuer = ? AND paused = 0 AND coalesce(confirmed, linked) < ?",
        (issuer, before),
    ).rowcount
