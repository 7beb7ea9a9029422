"""Linking existing accounts to people in the directory, and unlinking them."""

from __future__ import annotations

from appliance.actions import directory_accounts, directory_login, lookup
from appliance.actions.site import Site
from appliance.model.problem import invalid, not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import alarms, audit, identities


def link(site: Site, viewer: Viewer, ref: str, login: str) -> str:
    """Link the account `ref` to the person who signs in as `login`; its password is removed, its datasets, roles and tokens stay.

    → the person's DN. Raises Problem 403, 404, 409, 503.
    """
    policy.require(viewer, "user:link")
    with site.db.read() as conn:
        lookup.user(conn, ref)
    with directory_login.directory(site.settings).session() as session:
        person = session.by_login(login)
    if person is None:
        raise not_found(f"Nobody in the directory signs in as '{login}': dcor ldap check --user {login}")
    with site.db.write() as tx:
        directory_accounts.link(tx, viewer, lookup.user(tx, ref), person)
        alarms.resolve_for(tx, directory_accounts.ALARM, person.subject)
    return person.dn


def unlink(site: Site, viewer: Viewer, ref: str) -> None:
    """Make an account local, without a password; its roles stay. Raises Problem 403, 404, 409."""
    policy.require(viewer, "user:link")
    with site.db.write() as tx:
        row = lookup.user(tx, ref)
        identity = identities.of_user(tx, row["id"])
        if identity is None:
            raise invalid(message=f"{row['name']} is a local account already.")
        identities.remove(tx, row["id"])
        audit.add(tx, viewer, "user.unlink_directory", "user", row["id"], login=identity["login"])
