"""Users."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.model import names, times
from appliance.model.messages import Message
from appliance.model.problem import invalid
from appliance.store import saved_pages, second_factors, tokens

_EDITABLE = ("fullname", "email", "about", "image_url", "locale")

#: Sort columns of users → SQL.
ORDERS = {key: f"u.{key}" for key in ("name", "fullname", "email", "about", "sysadmin", "state", "created", "last_active")} | {
    "display_name": "coalesce(nullif(u.fullname, ''), u.name)", "number_created_packages": "datasets",
}  # fmt: skip


def find(conn: sqlite3.Connection, ref: str | None) -> sqlite3.Row | None:
    """The user with this id or name, deleted ones included, or None."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM user WHERE id = ?1 OR name = ?1", (ref,)).fetchone()
    return row


def by_email(conn: sqlite3.Connection, email: str) -> sqlite3.Row | None:
    """The user with this e-mail address (any case), or None."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM user WHERE email = ?", (email,)).fetchone()
    return row


def create(
    tx: sqlite3.Connection,
    name: str,
    email: str,
    *,
    fullname: str = "",
    about: str = "",
    image_url: str = "",
    password: str | None = None,
    sysadmin: bool = False,
    state: str = "active",
    id_: str | None = None,
) -> str:
    """Add a user and return the id. `password` is the Argon2id hash. Raises Problem 409 for a name or address in use."""
    if find(tx, name) is not None:
        raise invalid({"name": ["That login name is not available."]})
    _require_free_email(tx, email, None)
    user_id = id_ or names.new_id()
    tx.execute(
        "INSERT INTO user (id, name, fullname, email, about, image_url, password, state, sysadmin, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (user_id, name, fullname, email, about, image_url, password, state, int(sysadmin), times.now()),
    )
    return user_id


def update(tx: sqlite3.Connection, user_id: str, **values: Any) -> None:
    """Change profile fields (fullname, email, about, image_url, locale). Raises Problem 409 for an address in use."""
    if "email" in values:
        _require_free_email(tx, values["email"], user_id)
    for key in _EDITABLE:
        if key in values:
            tx.execute(f"UPDATE user SET {key} = ? WHERE id = ?", (values[key], user_id))


def set_password(tx: sqlite3.Connection, user_id: str, password: str | None) -> None:
    """Store an Argon2id hash."""
    tx.execute("UPDATE user SET password = ? WHERE id = ?", (password, user_id))


def set_state(tx: sqlite3.Connection, user_id: str, state: str) -> list[str]:
    """Set to active, pending, disabled or deleted. → ids of the tokens that end with it.

    Whoever is not active loses every session, and what they made for others; whoever is deleted, their own tokens and
    saved pages, too.
    """
    tx.execute("UPDATE user SET state = ? WHERE id = ?", (state, user_id))
    if state == "active":
        return []
    revoked = tokens.revoke_made_by(tx, user_id)
    tx.execute("DELETE FROM session WHERE user_id = ?", (user_id,))
    if state == "deleted":
        revoked += tokens.revoke_all(tx, user_id)
        second_factors.remove(tx, user_id)
        tx.execute("DELETE FROM member WHERE user_id = ?", (user_id,))
        tx.execute("DELETE FROM collaborator WHERE user_id = ?", (user_id,))
        saved_pages.forget(tx, user_id)
    return revoked


def set_sysadmin(tx: sqlite3.Connection, user_id: str, value: bool) -> list[str]:
    """Grant or revoke administration; revoking ends what they created for others as administrator. → ids of the tokens that end with it."""
    tx.execute("UPDATE user SET sysadmin = ? WHERE id = ?", (int(value), user_id))
    return [] if value else tokens.revoke_made_by(tx, user_id)


def seen(tx: sqlite3.Connection, user_id: str) -> None:
    """Record that the user was active now."""
    tx.execute("UPDATE user SET last_active = ? WHERE id = ?", (times.now(), user_id))


def listed(
    conn: sqlite3.Connection, text: str = "", *, states: tuple[str, ...] = ("active", "pending"), order: str = "name"
) -> list[sqlite3.Row]:
    """Users whose name, full name or address contains `text`, with their dataset counts, sorted by the column `order`."""
    if order not in ORDERS:
        raise invalid({"order_by": [f"Users cannot be sorted by '{order}', only by one of {', '.join(ORDERS)}"]})
    marks = ", ".join("?" * len(states))
    return conn.execute(
        f"""SELECT u.*, (SELECT count(*) FROM dataset d WHERE d.creator_id = u.id AND d.state != 'deleted') AS datasets
            FROM user u WHERE u.state IN ({marks})
              AND (u.name LIKE ? ESCAPE '!' OR u.fullname LIKE ? ESCAPE '!' OR u.email LIKE ? ESCAPE '!') ORDER BY {ORDERS[order]}, u.name""",
        (*states, *[_containing(text)] * 3),
    ).fetchall()


def complete(
    conn: sqlite3.Connection, text: str, *, limit: int = 20, ignore: str = "", by_email: bool = False
) -> list[dict[str, Any]]:
    """Active users whose name, full name or (`by_email`) address contains `text`: ``[{id, name, fullname}]``."""
    rows = conn.execute(
        """SELECT id, name, fullname FROM user WHERE state = 'active' AND id != ?1
             AND (name LIKE ?3 ESCAPE '!' OR fullname LIKE ?3 ESCAPE '!' OR (?4 AND email LIKE ?3 ESCAPE '!')) ORDER BY name LIMIT ?2""",
        (ignore, limit, _containing(text), by_email),
    )
    return [dict(row) for row in rows]


def datasets_created(conn: sqlite3.Connection, user_id: str) -> int:
    """Number of datasets that the user created and that are not deleted."""
    return int(
        conn.execute("SELECT count(*) FROM dataset WHERE creator_id = ? AND state != 'deleted'", (user_id,)).fetchone()[
            0
        ]
    )


def count_admins(conn: sqlite3.Connection) -> int:
    """Number of active administrators who can sign in without a directory or provider."""
    row = conn.execute(
        """SELECT count(*) FROM user u WHERE sysadmin = 1 AND state = 'active'
           AND NOT EXISTS (SELECT 1 FROM identity i WHERE i.user_id = u.id)"""
    ).fetchone()
    return int(row[0])


def zombies(conn: sqlite3.Connection, before: str) -> list[str]:
    """Names of ordinary users without datasets or activity since the moment `before`."""
    rows = conn.execute(
        """SELECT name FROM user u WHERE sysadmin = 0 AND state != 'deleted' AND coalesce(last_active, created) < ?
           AND NOT EXISTS (SELECT 1 FROM dataset d WHERE d.creator_id = u.id) ORDER BY name""",
        (before,),
    )
    return [row[0] for row in rows]


def _containing(text: str) -> str:
    """The LIKE pattern (with ESCAPE '!') for texts that contain `text` literally."""
    return "%" + text.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"


def _require_free_email(conn: sqlite3.Connection, email: str, user_id: str | None) -> None:
    other = by_email(conn, email)
    if other is not None and other["id"] != user_id:
        raise invalid(
            {"email": [Message("The email address '%(address)s' belongs to a registered user.", address=email)]}
        )
