"""Second factors of accounts: encrypted secrets, the last code used, recovery codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from appliance.model import times


def find(conn: sqlite3.Connection, user_id: str) -> sqlite3.Row | None:
    """The second factor of an account, even if not confirmed yet (`since` is None then)."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM second_factor WHERE user_id = ?", (user_id,)).fetchone()
    return row


def any_(conn: sqlite3.Connection) -> bool:
    """Whether any account has a second factor."""
    return conn.execute("SELECT 1 FROM second_factor LIMIT 1").fetchone() is not None


def is_on(conn: sqlite3.Connection, user_id: str) -> bool:
    """Whether signing in to this account requires a code."""
    row = find(conn, user_id)
    return row is not None and row["since"] is not None


def begin(tx: sqlite3.Connection, user_id: str, sealed: bytes) -> None:
    """Store a secret that is to be confirmed by a code; replaces an earlier unconfirmed one."""
    tx.execute("INSERT OR REPLACE INTO second_factor (user_id, sealed) VALUES (?, ?)", (user_id, sealed))


def turn_on(tx: sqlite3.Connection, user_id: str) -> None:
    """Record that a code has confirmed the secret: codes are required from now on."""
    tx.execute("UPDATE second_factor SET since = ? WHERE user_id = ?", (times.now(), user_id))


def use_step(tx: sqlite3.Connection, user_id: str, step: int) -> bool:
    """Record that the code of this period was used; False when it, or a later one, was used before."""
    changed = tx.execute(
        "UPDATE second_factor SET last_step = ?1 WHERE user_id = ?2 AND last_step < ?1", (step, user_id)
    )
    return changed.rowcount == 1


def remove(tx: sqlite3.Connection, user_id: str) -> bool:
    """Turn off the second factor. → whether it was on."""
    was_on = is_on(tx, user_id)
    tx.execute("DELETE FROM second_factor WHERE user_id = ?", (user_id,))
    tx.execute("DELETE FROM recovery_code WHERE user_id = ?", (user_id,))
    return was_on


def replace_recovery_codes(tx: sqlite3.Connection, user_id: str, hashes: Iterable[bytes]) -> None:
    """Replace all recovery codes."""
    tx.execute("DELETE FROM recovery_code WHERE user_id = ?", (user_id,))
    tx.executemany("INSERT INTO recovery_code (user_id, hash) VALUES (?, ?)", [(user_id, one) for one in hashes])


def use_recovery_code(tx: sqlite3.Connection, user_id: str, hash_: bytes) -> bool:
    """Invalidate a recovery code; False for an unknown or used one."""
    changed = tx.execute(
        "UPDATE recovery_code SET used = ? WHERE user_id = ? AND hash = ? AND used IS NULL",
        (times.now(), user_id, hash_),
    )
    return changed.rowcount == 1


def recovery_codes_left(conn: sqlite3.Connection, user_id: str) -> int:
    """Number of unused recovery codes."""
    query = "SELECT count(*) FROM recovery_code WHERE user_id = ? AND used IS NULL"
    return int(conn.execute(query, (user_id,)).fetchone()[0])
