"""Callers with their current roles, read from the database."""

from __future__ import annotations

import sqlite3

from appliance.actions import managed_accounts
from appliance.actions.site import Site
from appliance.model import times
from appliance.model.problem import Problem, not_authorized
from appliance.model.viewer import NOTHING, Viewer
from appliance.settings import Settings
from appliance.store import communities, identities, second_factors, sessions, sharing, tokens, users


def of_user(
    conn: sqlite3.Connection,
    settings: Settings,
    user: sqlite3.Row,
    *,
    scope: str,
    token_id: str | None = None,
    session_id: str | None = None,
    address: str = "",
) -> Viewer:
    """The viewer for a row of the table `user`, with all roles, under a credential of `scope`."""
    circles, collections = communities.roles_of(conn, user["id"])
    sysadmin = bool(user["sysadmin"]) and scope == "admin" and may_administer(conn, settings, user["id"])
    policy = settings.policy
    founded = {"circle": policy.users_create_circles, "collection": policy.users_create_collections}
    return Viewer(
        user_id=user["id"],
        name=user["name"],
        sysadmin=sysadmin,
        scope=scope,
        sees_public=True,
        may_create=frozenset(kind for kind, allowed in founded.items() if allowed),
        circles=circles or NOTHING,
        collections=collections or NOTHING,
        collaborations={row["dataset_id"]: row["capacity"] for row in sharing.collaborations(conn, user["id"])}
        or NOTHING,
        token_id=token_id,
        session_id=session_id,
        address=address,
    )


def may_administer(conn: sqlite3.Connection, settings: Settings, user_id: str) -> bool:
    """Whether an administrator has the second factor that `policy.administrators_totp` requires, here or at their provider."""
    return (
        not settings.policy.administrators_totp
        or second_factors.is_on(conn, user_id)
        or managed_accounts.has_factor_elsewhere(conn, settings, user_id)
    )


def may_act(conn: sqlite3.Connection, user: sqlite3.Row | None) -> bool:
    """Whether the account's credentials are valid. Accounts of a directory are paused when it has been unreachable for too long."""
    return user is not None and user["state"] == "active" and not identities.paused(conn, user["id"])


class StillAllowed:
    """Guards the transactions of a request (`write_guard`): the sender's rights were checked earlier and may have changed since.

    Changes that the request itself makes to its sender's rights count for its next transaction.
    """

    def __init__(self, site: Site, viewer: Viewer) -> None:
        self.place: object = site.db
        self._site, self._viewer = site, viewer
        self._ended_itself = False

    def begin(self, tx: sqlite3.Connection) -> None:
        """Raise Problem 403 when the account or credential has ended, or any right was lost."""
        if self._ended_itself:
            return
        if not renewed(tx, self._site.settings, self._viewer).includes(self._viewer):
            raise not_authorized("Your rights changed while this request was waiting; nothing was changed. Try again.")

    def end(self, tx: sqlite3.Connection) -> None:
        """Read the sender's rights after the transaction's changes."""
        try:
            self._viewer = renewed(tx, self._site.settings, self._viewer)
        except Problem:  # e.g. a password change, which ends the session in which it was made
            self._ended_itself = True


def renewed(tx: sqlite3.Connection, settings: Settings, viewer: Viewer) -> Viewer:
    """The same caller with current rights, for a transaction long after the request began.

    Raises Problem 403 when the account, or the token or session that the request came with, is gone.
    """
    if not viewer.user_id:
        return viewer
    user = users.find(tx, viewer.user_id)
    for credential_id, get in ((viewer.token_id, tokens.get), (viewer.session_id, sessions.get)):
        credential = get(tx, credential_id) if credential_id else None
        if credential_id and (
            credential is None or (credential.expires is not None and credential.expires <= times.now())
        ):
            raise not_authorized("The credential of this request has since expired. Sign in and try again.")
    if user is None or not may_act(tx, user):
        raise not_authorized("The account of this request is no longer active.")
    return of_user(
        tx,
        settings,
        user,
        scope=viewer.scope,
        token_id=viewer.token_id,
        session_id=viewer.session_id,
        address=viewer.address,
    )
