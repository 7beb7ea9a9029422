"""Attributes managed by a directory or an OpenID provider cannot be changed here: passwords, profiles, roles and administration."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from appliance.model.messages import Message
from appliance.model.problem import Fields, invalid
from appliance.model.viewer import Viewer
from appliance.settings import Settings
from appliance.store import alarms, audit, identities, provider_sessions

LDAP = "ldap"
#: Kind of the alarm for accounts of a directory that is no longer configured.
ALARM = Message("accounts without directory")
#: Profile fields managed by the directory.
PROFILE = ("fullname", "email")
_ELSEWHERE = "This comes from your institution and is changed there."


def manager(conn: sqlite3.Connection, settings: Settings, user_id: str) -> sqlite3.Row | None:
    """The identity that manages an account; None for a local account, or if no directory is configured any more."""
    row = identities.of_user(conn, user_id)
    return row if row is not None and in_use(settings, row["issuer"]) else None


def in_use(settings: Settings, issuer: str) -> bool:
    """Whether accounts of this issuer exist."""
    return bool(settings.ldap.servers) if issuer == LDAP else bool(issuer) and issuer == settings.oidc.issuer


def part_from_others(tx: sqlite3.Connection, settings: Settings) -> None:
    """End the sessions and pause the tokens of people whose directory or provider is no longer configured.

    They are resumed when it is configured again, or with a local password, which makes the account local.
    """
    present = [LDAP] * bool(settings.ldap.servers) + [settings.oidc.issuer] * bool(settings.oidc.issuer)
    ended = provider_sessions.end_of_others(tx, present)
    waiting = identities.pause_others(tx, present)
    if ended:
        audit.add(tx, Viewer(name="directory"), "session.ended_elsewhere", "user", "", sessions=ended)
    if not waiting:
        alarms.resolve_for(tx, ALARM, "")
        return
    text = (
        f"{waiting} accounts belong to people of a directory or provider that is no longer set up: they cannot sign in, and their "
        "tokens wait. Set it up again, or make them local: dcor user passwd NAME --link"
    )
    alarms.raise_(tx, ALARM, "", text)


def make_local(tx: sqlite3.Connection, settings: Settings, viewer: Viewer, user_id: str) -> None:
    """Make an account with a local password local if its directory is no longer configured."""
    identity = identities.of_user(tx, user_id)
    if identity is not None and not in_use(settings, identity["issuer"]):
        identities.remove(tx, user_id)
        audit.add(tx, viewer, "user.unlink_directory", "user", user_id, login=identity["login"])


def has_factor_elsewhere(conn: sqlite3.Connection, settings: Settings, user_id: str) -> bool:
    """Whether the directory or provider of an account enforces a second factor: a provider does, a directory if `ldap.second_factor`
    says so.
    """
    identity = manager(conn, settings, user_id)
    return identity is not None and (identity["issuer"] != LDAP or settings.ldap.second_factor)


def require_local_password(conn: sqlite3.Connection, settings: Settings, user_id: str) -> None:
    """Raises Problem 409 for an account whose password is managed by the directory."""
    if manager(conn, settings, user_id) is not None:
        raise invalid({"password": ["The password of this account is that of your institution, and is changed there."]})


def require_same_profile(
    conn: sqlite3.Connection, settings: Settings, row: sqlite3.Row, values: Mapping[str, Any]
) -> None:
    """Raises Problem 409 when `values` change managed fields. A complete, unchanged profile is accepted."""
    if manager(conn, settings, row["id"]) is None:
        return
    changed: Fields = {key: [_ELSEWHERE] for key in PROFILE if key in values and values[key] != row[key]}
    if changed:
        raise invalid(changed)


def require_own_administration(conn: sqlite3.Connection, settings: Settings, user_id: str) -> None:
    """Raises Problem 409 for an administrator by a group of the directory."""
    identity = manager(conn, settings, user_id)
    if identity is not None and identity["administrator"]:
        raise invalid(
            message="A group of your institution makes this account an administrator; take it out of that group (ldap.administrators, oidc.administrators)."
        )


def require_own_membership(conn: sqlite3.Connection, settings: Settings, community_id: str, user_id: str) -> None:
    """Raises Problem 409 for a membership granted by a group of the directory."""
    source = identities.source(conn, community_id, user_id)
    if source and in_use(settings, source):
        raise invalid(
            message="This membership comes from a group of your institution (ldap.circles, oidc.circles); it is changed there, not here."
        )
