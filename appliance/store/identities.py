"""Links between accounts and people in the directory (issuer "ldap") or at an OpenID provider."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from appliance.model import names, times


def find(conn: sqlite3.Connection, issuer: str, subject: str) -> sqlite3.Row | None:
    """The identity with this stable id, or None."""
    row: sqlite3.Row | None = conn.execute(
        "SELECT * FROM identity WHERE issuer = ? AND subject = ?", (issuer, subject)
    ).fetchone()
    return row


def of_user(conn: sqlite3.Connection, user_id: str) -> sqlite3.Row | None:
    """The identity of an account, or None for a local account."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM identity WHERE user_id = ?", (user_id,)).fetchone()
    return row


def by_login(conn: sqlite3.Connection, issuer: str, login: str) -> sqlite3.Row | None:
    """The identity that last signed in with this name, or None. Names can be reassigned: the directory decides whose it is now."""
    row: sqlite3.Row | None = conn.execute(
        "SELECT * FROM identity WHERE issuer = ? AND login = ?", (issuer, login.lower())
    ).fetchone()
    return row


def listed(conn: sqlite3.Connection, issuer: str) -> list[sqlite3.Row]:
    """All identities of accounts that are not deleted, by login."""
    return conn.execute(
        """SELECT i.*, u.name, u.state FROM identity i JOIN user u ON u.id = i.user_id
           WHERE i.issuer = ? AND u.state != 'deleted' ORDER BY i.login""",
        (issuer,),
    ).fetchall()


def add(tx: sqlite3.Connection, issuer: str, subject: str, user_id: str, login: str) -> None:
    """Link an account to an external identity."""
    tx.execute(
        "INSERT INTO identity (issuer, subject, user_id, login, linked) VALUES (?, ?, ?, ?, ?)",
        (issuer, subject, user_id, login.lower(), times.now()),
    )


def remove(tx: sqlite3.Connection, user_id: str) -> None:
    """Make the account local again; memberships from the external source become manual ones."""
    tx.execute("UPDATE member SET source = '' WHERE user_id = ?", (user_id,))
    tx.execute("DELETE FROM identity WHERE user_id = ?", (user_id,))


def set_login(tx: sqlite3.Connection, user_id: str, login: str) -> None:
    """Store the log-in name used there."""
    tx.execute("UPDATE identity SET login = ? WHERE user_id = ?", (login.lower(), user_id))


def set_administrator(tx: sqlite3.Connection, user_id: str, value: bool) -> None:
    """Record whether an external group made the account an administrator."""
    tx.execute("UPDATE identity SET administrator = ? WHERE user_id = ?", (int(value), user_id))


def set_locked(tx: sqlite3.Connection, user_id: str, reason: str) -> None:
    """Record why the account is disabled externally; "" = it is not."""
    tx.execute("UPDATE identity SET locked = ? WHERE user_id = ?", (reason, user_id))


# --- memberships --------------------------------------------------------------------------------------------------------


def source(conn: sqlite3.Connection, community_id: str, user_id: str) -> str:
    """The source of a membership: "" = manual, or there is none."""
    row = conn.execute(
        "SELECT source FROM member WHERE community_id = ? AND user_id = ?", (community_id, user_id)
    ).fetchone()
    return row[0] if row else ""


def memberships(conn: sqlite3.Connection, user_id: str) -> dict[str, tuple[str, str]]:
    """Circle → (role, source of the membership)."""
    rows = conn.execute(
        "SELECT m.community_id, m.role, m.source FROM member m JOIN community c ON c.id = m.community_id WHERE m.user_id = ? AND c.kind = 'circle'",
        (user_id,),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def set_membership(tx: sqlite3.Connection, community_id: str, user_id: str, role: str, source: str) -> None:
    """Give a role that comes from `source`."""
    tx.execute(
        """INSERT INTO member (id, community_id, user_id, role, source) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (community_id, user_id) DO UPDATE SET role = excluded.role, source = excluded.source""",
        (names.new_id(), community_id, user_id, role, source),
    )


# --- when the directory was last asked ------------------------------------------------------------------------------------


def answered(conn: sqlite3.Connection, issuer: str) -> str | None:
    """When all identities of this issuer were last synchronized, None for never."""
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (f"identities_{issuer}",)).fetchone()
    return row[0] if row else None


def note_answered(tx: sqlite3.Connection, issuer: str) -> None:
    """Record that all identities of this issuer were synchronized now."""
    tx.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"identities_{issuer}", times.now()))


def pause(tx: sqlite3.Connection, issuer: str, paused: bool) -> int:
    """Pause or resume the credentials of all accounts of an issuer. → how many changed."""
    return tx.execute(
        "UPDATE identity SET paused = ?1 WHERE issuer = ?2 AND paused != ?1", (int(paused), issuer)
    ).rowcount


def pause_others(tx: sqlite3.Connection, issuers: Iterable[str]) -> int:
    """Pause the credentials of all accounts without an identity at one of these issuers. → how many are paused."""
    others = "issuer NOT IN (SELECT value FROM json_each(?))"
    listed = json.dumps(list(issuers))
    tx.execute(f"UPDATE identity SET paused = 1 WHERE paused = 0 AND {others}", (listed,))
    return int(tx.execute(f"SELECT count(*) FROM identity WHERE {others}", (listed,)).fetchone()[0])


def paused(conn: sqlite3.Connection, user_id: str) -> bool:
    """Whether the credentials of this account are paused because its directory is unreachable."""
    return conn.execute("SELECT 1 FROM identity WHERE user_id = ? AND paused = 1", (user_id,)).fetchone() is not None
