"""Second factors of accounts: sealed secrets, the last code used, recovery codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from appliance.model import times


def find(conn: sqlite3.Connection, user_id: str) -> sqlite3.Row | None:
    """The second factor of an account, also one that no code has confirmed yet (`since` is None then)."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM second_factor WHERE user_id = ?", (user_id,)).fetchone()
    return row


def any_(conn: sqlite3.Connection) -> bool:
    """Has any account one?"""
    return conn.execute("SELECT 1 FROM second_factor LIMIT 1").fetchone() is not None


def is_on(conn: sqlite3.Connection, user_id: str) -> bool:
    """Does signing in to this account need a code?"""
    row = find(conn, user_id)
    return row is not None and row["since"] is not None


def begin(tx: sqlite3.Connection, user_id: str, sealed: bytes) -> None:
    """Note a secret that a code has to confirm; an earlier unconfirmed one is replaced."""
    tx.execute("INSERT OR REPLACE INTO second_factor (user_id, sealed) VALUES (?, ?)", (user_id, sealed))


def turn_on(tx: sqlite3.Connection, user_id: str) -> None:
    """A code has confirmed the secret: from now on one is needed."""
    tx.execute("UPDATE second_factor SET since = ? WHERE user_id = ?", (times.now(), user_id))


def use_step(tx: sqlite3.Connection, user_id: str, step: int) -> bool:
    """Note that the code of this period was used; False when it, or a later one, was used before."""
    changed = tx.execute(
        "UPDATE second_factor SET last_step = ?1 WHERE user_id = ?2 AND last_step < ?1", (step, user_id)
    )
    return changed.rowcount == 1


def remove(tx: sqlite3.Connection, user_id: str) -> bool:
    """Signing in needs no code any more. → was one needed?"""
    was_on = is_on(tx, user_id)
    tx.execute("DELETE FROM second_factor WHERE user_id = ?", (user_id,))
    tx.execute("DELETE FROM recovery_code WHERE user_id = ?", (user_id,))
    return was_on


def replace_recovery_codes(tx: sqlite3.Connection, user_id: str, hashes: Iterable[bytes]) -> None:
    """These are the recovery codes from now on; earlier ones end."""
    tx.execute("DELETE FROM recovery_code WHERE user_id = ?", (user_id,))
    tx.executemany("INSERT INTO recovery_code (user_id, hash) VALUES (?, ?)", [(user_id, one) for one in hashes])


def use_recovery_code(tx: sqlite3.Connection, user_id: str, hash_: bytes) -> bool:
    """Use up a recovery code; False for one that is unknown or used."""
    changed = tx.execute(
        "UPDATE recovery_code SET used = ? WHERE user_id = ? AND hash = ? AND used IS NULL",
        (times.now(), user_id, hash_),
    )
    return changed.rowcount == 1


def recovery_codes_left(conn: sqlite3.Connection, user_id: str) -> int:
    """Number of recovery codes that are still good."""
    query = "SELECT count(*) FROM recovery_code WHERE user_id = ? AND used IS NULL"
    return int(conn.execute(query, (user_id,)).fetchone()[0])
