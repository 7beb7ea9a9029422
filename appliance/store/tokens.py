"""API tokens; only their hashes are stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields

from appliance.model import times


@dataclass(frozen=True, slots=True)
class Token:
    """A token. :ivar id: public; :ivar first_use_by: time by which it must be used first; :ivar parent, maker: see `create`."""

    id: str
    user_id: str
    name: str
    scope: str
    created: str
    last_access: str | None
    expires: str | None
    first_use_by: str | None
    parent: str | None
    maker: str | None


_COLUMNS = ", ".join(one.name for one in fields(Token))


def create(
    tx: sqlite3.Connection,
    token_id: str,
    user_id: str,
    name: str,
    hash_: bytes,
    *,
    scope: str = "write",
    expires: str | None = None,
    first_use_by: str | None = None,
    parent: str | None = None,
    maker: str | None = None,
) -> None:
    """Store the hash (SHA-256) of a new token.

    :param parent: id of the token with which it was created, if any; :param maker: id of the user who created it, None on the
        command line.
    """
    tx.execute(
        """INSERT INTO token (id, user_id, name, hash, scope, created, expires, first_use_by, parent, maker)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (token_id, user_id, name, hash_, scope, times.now(), expires, first_use_by, parent, maker or None),
    )


def find(conn: sqlite3.Connection, hash_: bytes) -> Token | None:
    """The valid token with this hash: not expired, and first used in time."""
    valid = (
        "(expires IS NULL OR expires > ?2) AND (last_access IS NOT NULL OR first_use_by IS NULL OR first_use_by > ?2)"
    )
    return next(_select(conn, f"hash = ?1 AND {valid}", hash_, times.now()), None)


def get(conn: sqlite3.Connection, token_id: str) -> Token | None:
    """The token with this public id, or None."""
    return next(_select(conn, "id = ?", token_id), None)


def by_hash(conn: sqlite3.Connection, hash_: bytes) -> Token | None:
    """The token with this hash, valid or not, or None."""
    return next(_select(conn, "hash = ?", hash_), None)


def used(tx: sqlite3.Connection, token_id: str) -> None:
    """Record that the token was used now."""
    tx.execute("UPDATE token SET last_access = ? WHERE id = ?", (times.now(), token_id))


def revoke(tx: sqlite3.Connection, token_id: str) -> list[str]:
    """Revoke the token and, recursively, those created with it. → the ids of all of them."""
    found = tx.execute(
        """WITH RECURSIVE line (id) AS (
               SELECT id FROM token WHERE id = ?
               UNION SELECT token.id FROM token JOIN line ON token.parent = line.id)
           SELECT id FROM line""",
        (token_id,),
    ).fetchall()
    tx.executemany("DELETE FROM token WHERE id = ?", [(row["id"],) for row in found])
    return [row["id"] for row in found]


def revoke_all(tx: sqlite3.Connection, user_id: str) -> list[str]:
    """Revoke every token of the user, and those created with them. → the ids of all of them."""
    own = [row["id"] for row in tx.execute("SELECT id FROM token WHERE user_id = ?", (user_id,)).fetchall()]
    return sorted({one for token_id in own for one in revoke(tx, token_id)})


def revoke_scope(tx: sqlite3.Connection, user_id: str, scope: str) -> list[str]:
    """Revoke the user's tokens of one scope, and those created with them. → the ids of all of them."""
    own = tx.execute("SELECT id FROM token WHERE user_id = ? AND scope = ?", (user_id, scope)).fetchall()
    return sorted({one for row in own for one in revoke(tx, row["id"])})


def revoke_made_by(tx: sqlite3.Connection, user_id: str) -> list[str]:
    """Revoke every token that the user has created for others, and those created with them. → the ids of all of them."""
    found = tx.execute("SELECT id FROM token WHERE maker = ?1 AND user_id != ?1", (user_id,)).fetchall()
    return sorted({one for row in found for one in revoke(tx, row["id"])})


def resign(tx: sqlite3.Connection, token_id: str) -> None:
    """Revoke the token, but not those created with it: they now count as created with its parent."""
    tx.execute("UPDATE token SET parent = (SELECT parent FROM token WHERE id = ?1) WHERE parent = ?1", (token_id,))
    tx.execute("DELETE FROM token WHERE id = ?", (token_id,))


def of_user(conn: sqlite3.Connection, user_id: str) -> list[sqlite3.Row]:
    """The user's tokens, newest first, without secrets."""
    return conn.execute(
        "SELECT id, name, user_id, scope, created, last_access, expires, first_use_by FROM token WHERE user_id = ? ORDER BY created DESC",
        (user_id,),
    ).fetchall()


def number_of(conn: sqlite3.Connection, user_id: str) -> int:
    """Number of a user's valid tokens."""
    found = conn.execute(
        "SELECT count(*) FROM token WHERE user_id = ? AND (expires IS NULL OR expires > ?)", (user_id, times.now())
    ).fetchone()
    return int(found[0])


def sweep(tx: sqlite3.Connection) -> int:
    """Remove tokens that can no longer become valid; returns how many."""
    now = times.now()
    return tx.execute(
        "DELETE FROM token WHERE expires < ?1 OR (last_access IS NULL AND first_use_by < ?1)", (now,)
    ).rowcount


def _select(conn: sqlite3.Connection, condition: str, *values: str | bytes) -> Iterator[Token]:
    return (Token(*row) for row in conn.execute(f"SELECT {_COLUMNS} FROM token WHERE {condition}", values))
