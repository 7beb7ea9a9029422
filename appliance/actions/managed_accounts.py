"""What is decided in a directory is not changed here by hand: passwords, profiles, roles and administration of its people."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from appliance.model.problem import Fields, invalid
from appliance.settings import Settings
from appliance.store import identities

LDAP = "ldap"
#: Fields of the profile that the directory fills.
PROFILE = ("fullname", "email")
_ELSEWHERE = "This comes from the directory of your institution and is changed there."


def manager(conn: sqlite3.Connection, settings: Settings, user_id: str) -> sqlite3.Row | None:
    """The identity that an account is managed by; None for a local account, also where no directory is set up any more."""
    row = identities.of_user(conn, user_id)
    return row if row is not None and in_use(settings, row["issuer"]) else None


def in_use(settings: Settings, issuer: str) -> bool:
    """Do people of this issuer sign in here?"""
    return bool(settings.ldap.servers) if issuer == LDAP else bool(issuer) and issuer == settings.oidc.issuer


def require_local_password(conn: sqlite3.Connection, settings: Settings, user_id: str) -> None:
    """Raises Problem 409 for an account whose password is that of the directory."""
    if manager(conn, settings, user_id) is not None:
        raise invalid({"password": ["The password of this account is that of the directory, and is changed there."]})


def require_same_profile(
    conn: sqlite3.Connection, settings: Settings, row: sqlite3.Row, values: Mapping[str, Any]
) -> None:
    """Raises Problem 409 when `values` change what the directory says of a person. A profile may be sent back whole."""
    if manager(conn, settings, row["id"]) is None:
        return
    changed: Fields = {key: [_ELSEWHERE] for key in PROFILE if key in values and values[key] != row[key]}
    if changed:
        raise invalid(changed)


def require_own_administration(conn: sqlite3.Connection, settings: Settings, user_id: str) -> None:
    """Raises Problem 409 for somebody whom a group of the directory makes an administrator."""
    identity = manager(conn, settings, user_id)
    if identity is not None and identity["administrator"]:
        raise invalid(
            message="A group of the directory makes this account an administrator; take it out of that group (ldap.administrators)."
        )


def require_own_membership(conn: sqlite3.Connection, settings: Settings, community_id: str, user_id: str) -> None:
    """Raises Problem 409 for a membership that a group of the directory gives."""
    source = identities.source(conn, community_id, user_id)
    if source and in_use(settings, source):
        raise invalid(
            message="This membership comes from a group of the directory (ldap.circles); it is changed there, not here."
        )
