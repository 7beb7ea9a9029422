"""Export and erasure of everything that is stored about a person."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from appliance.store import following, saved_pages, second_factors

_PREFIX = "removed-"
_ABOUT = {
    "tokens": "SELECT id, name, scope, created, last_access, expires FROM token WHERE user_id = ?",
    "sessions": "SELECT id, created, last_seen, expires, address, agent FROM session WHERE user_id = ?",
    "memberships": "SELECT c.kind, c.name, c.title, m.role FROM member m JOIN community c ON c.id = m.community_id WHERE m.user_id = ?",
    "directory": "SELECT issuer, subject, login, locked, linked FROM identity WHERE user_id = ?",
    "second_factor": "SELECT since FROM second_factor WHERE user_id = ?",
    "datasets": "SELECT id, name, title, state, private, created, modified FROM dataset WHERE creator_id = ?",
    "shared_with": "SELECT dataset_id, capacity, modified FROM collaborator WHERE user_id = ?",
    "follows": "SELECT dataset_id, since FROM follower WHERE user_id = ?",
    "follows_communities": "SELECT c.kind, c.name, f.since FROM community_follower f JOIN community c ON c.id = f.community_id WHERE f.user_id = ?",
    "follows_users": "SELECT followed_id, since FROM user_follower WHERE user_id = ?",
    "uploads": "SELECT id, name, size, state, created FROM upload WHERE user_id = ?",
    "saved_pages": "SELECT id, page, title, resources, query, modified FROM saved_page WHERE user_id = ?",
    "saved_pages_shared": """SELECT w.saved_page_id, u.name FROM saved_page_share w JOIN saved_page s ON s.id = w.saved_page_id
                             JOIN user u ON u.id = w.user_id WHERE s.user_id = ?""",
    "saved_pages_shared_with": "SELECT saved_page_id FROM saved_page_share WHERE user_id = ?",
    "gate_sets": "SELECT id, dataset_id, name, gates, shared, modified FROM gate_set WHERE user_id = ?",
    "gate_exports": "SELECT id, resource_id, name, format, created, expires FROM gate_export WHERE user_id = ?",
    "access_requests": "SELECT dataset_id, message, created, state, decided FROM access_request WHERE user_id = ?",
    "notifications": "SELECT kind, dataset_id, number, at, seen, mailed FROM notification WHERE user_id = ?",
    "notification_choices": "SELECT kind, page, mail, language FROM notification_choice WHERE user_id = ?",
    "audit": "SELECT at, action, object_type, object_id, detail, address FROM audit WHERE actor_id = ? ORDER BY seq",
}


def everything(
    conn: sqlite3.Connection, user: sqlite3.Row, sees: Callable[[str], bool] = lambda dataset_id: True
) -> dict[str, Any]:
    """All that is stored about the user, by subject; secrets are left out, as they are only hashes.

    :param sees: may the user see the dataset with this id? Of others, which others may have changed since, only that the
        user made them.
    """
    profile = {key: user[key] for key in user.keys() if key != "password"}  # noqa: SIM118 - a Row iterates over values
    found: dict[str, Any] = {"profile": profile}
    for subject, query in _ABOUT.items():
        found[subject] = [dict(row) for row in conn.execute(query, (user["id"],))]
    found["datasets"] = [
        one if sees(one["id"]) else {key: one[key] for key in ("id", "created")} for one in found["datasets"]
    ]
    return found


def is_one(name: str, user_id: str) -> bool:
    """Whether this is the name of an erased account."""
    return name == _PREFIX + user_id[:8]


def erase(tx: sqlite3.Connection, user_id: str) -> str:
    """Replace name, full name, address and texts of a removed user by a pseudonym, which is returned.

    The audit log keeps its entries as they are (it is append-only); they name the account by its former log-in name.
    """
    pseudonym = _PREFIX + user_id[:8]
    tx.execute(
        """UPDATE user SET name = ?1, fullname = '', email = ?1 || '@localhost', about = '', image_url = '', password = NULL, locale = NULL,
           last_active = NULL WHERE id = ?2""",
        (pseudonym, user_id),
    )
    tx.execute("DELETE FROM session WHERE user_id = ?", (user_id,))
    tx.execute("DELETE FROM token WHERE user_id = ?", (user_id,))
    following.forget(tx, user_id)
    tx.execute("DELETE FROM identity WHERE user_id = ?", (user_id,))
    tx.execute("DELETE FROM one_time_link WHERE user_id = ?", (user_id,))
    second_factors.remove(tx, user_id)
    saved_pages.forget(tx, user_id)
    return pseudonym
