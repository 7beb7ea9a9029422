"""Accounts of people from the directory: created at the first sign-in, synchronized, and locked when the directory says so."""

from __future__ import annotations

import re
import shlex
import sqlite3
from typing import Any

from appliance.actions import managed_accounts
from appliance.model import names
from appliance.model.directory import Grants, Person
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import Viewer
from appliance.store import audit, communities, identities, one_time_links, second_factors, sessions, users

LDAP = managed_accounts.LDAP
#: Kind of the alarm for a person who cannot have an account.
ALARM = Message("directory account")
#: Who changes accounts when the directory says so.
DIRECTORY = Viewer(name="directory")
_GONE = "no longer in the directory, or not found by ldap.user_filter"
_NOT_NAMED = "in none of the groups that may sign in"


class NotAdmitted(Problem):
    """403: somebody the directory knows may not sign in here. `message` is for the administrator."""

    def __init__(self, message: str, *, alarm: bool) -> None:
        super().__init__(403, "Authorization Error", message=message)
        self.alarm = alarm


def reason_against(person: Person | None, grants: Grants | None) -> str:
    """Why the directory keeps somebody out; "" when it does not."""
    if person is None:
        return _GONE
    if person.ended:
        return person.ended
    return "" if grants is not None and grants.admitted else _NOT_NAMED


def admit(tx: sqlite3.Connection, viewer: Viewer, person: Person, grants: Grants, *, issuer: str = LDAP) -> str:
    """The id of the account of a person who has proved who they are to `issuer`; made where there is none. Raises NotAdmitted."""
    identity = identities.find(tx, issuer, person.subject)
    if identity is not None:
        row = users.find(tx, identity["user_id"])
        if row is None or row["state"] == "deleted":
            raise NotAdmitted(f"The account of '{person.login}' was deleted here.", alarm=False)
        bring_in_step(tx, identity, person, grants)
        row = users.find(tx, identity["user_id"])
        if row is None or row["state"] != "active":
            reason = reason_against(person, grants) or "an administrator has disabled the account here"
            raise NotAdmitted(f"'{person.login}' may not sign in: {reason}.", alarm=False)
        return str(row["id"])
    if reason := reason_against(person, grants):
        raise NotAdmitted(f"'{person.login}' of your institution may not sign in: {reason}.", alarm=False)
    user_id = _create(tx, viewer, person, issuer)
    made = identities.of_user(tx, user_id)
    if made is not None:
        bring_in_step(tx, made, person, grants)
    return user_id


def bring_in_step(
    tx: sqlite3.Connection, identity: sqlite3.Row, person: Person | None, grants: Grants | None
) -> dict[str, Any]:
    """Make an account what the directory says: open or locked, name and address, roles, administration. → what changed."""
    user = users.find(tx, identity["user_id"])
    if user is None or user["state"] == "deleted":
        return {}
    reason = reason_against(person, grants)
    if person is None or grants is None or reason:
        return _lock(tx, identity, user, reason)
    changed: dict[str, Any] = {}
    if identity["locked"]:
        identities.set_locked(tx, user["id"], "")
        if user["state"] == "disabled":
            users.set_state(tx, user["id"], "active")
            audit.add(tx, DIRECTORY, "user.active", "user", user["id"], reason="enabled in the directory")
            changed["locked"] = False
    if identity["login"] != person.login.lower():
        identities.set_login(tx, user["id"], person.login)
    changed |= _profile(tx, user, person)
    changed |= _memberships(tx, user["id"], grants.circles, identity["issuer"])
    return changed | _administration(tx, identity, user, grants.administrator)


def link(tx: sqlite3.Connection, viewer: Viewer, user: sqlite3.Row, person: Person, *, issuer: str = LDAP) -> None:
    """Give an existing account to a person of the directory: from now on its password is the directory's. Raises Problem 409."""
    other = identities.find(tx, issuer, person.subject)
    if other is not None and other["user_id"] != user["id"]:
        owner = users.find(tx, other["user_id"])
        raise invalid(
            message=Message(
                "'%(login)s' of your institution has the account %(value)s already.",
                login=person.login,
                value=owner["name"] if owner else other["user_id"],
            )
        )
    if other is not None:
        return
    if identities.of_user(tx, user["id"]) is not None:
        raise invalid(
            message=Message(
                "The account %(name)s belongs to someone else at your institution: dcor %(names)s unlink %(name)s",
                name=user["name"],
                names=_tool(issuer),
            )
        )
    if user["sysadmin"] and users.count_admins(tx) == 1:
        raise invalid(
            message=Message(
                "%(name)s is the only local administrator, and has to work without your institution's accounts. Make another one first.",
                name=user["name"],
            )
        )
    identities.add(tx, issuer, person.subject, user["id"], person.login)
    if user["state"] == "pending":
        users.set_state(tx, user["id"], "active")
    users.set_password(tx, user["id"], None)
    sessions.revoke_all(tx, user["id"])
    one_time_links.revoke_of(tx, user["id"], "password")
    if issuer != LDAP:  # a provider asks for one itself
        second_factors.remove(tx, user["id"])
    audit.add(tx, viewer, "user.link_directory", "user", user["id"], login=person.login)


def account_name(login: str) -> str:
    """The name of the account of somebody who signs in as `login`: small letters, digits, - and _."""
    return re.sub(r"[^a-z0-9_-]+", "-", login.partition("@")[0].strip().lower()).strip("-")[:100]


def require_free(conn: sqlite3.Connection, person: Person, issuer: str = LDAP) -> None:
    """Raises NotAdmitted where a person can have no account: the name is no name here, or name or address are somebody else's.

    Whoever has them is not this person by that alone.
    """
    name, link_with = account_name(person.login), _link_command(person, issuer)
    try:
        names.require_name(name)
    except Problem as problem:
        raise NotAdmitted(
            f"'{person.login}' of your institution can have no account: the name '{name}' cannot be used ({problem}). Make a local "
            f"account with another name, and: {link_with.format('NAME')}",
            alarm=True,
        ) from problem
    if not person.email:
        raise NotAdmitted(
            f"'{person.login}' of your institution can have no account: it has no e-mail address there"
            f" ({'ldap.email_attribute' if issuer == LDAP else 'oidc.email_claim, with email_verified, or oidc.email_trusted'}).",
            alarm=True,
        )
    for other in (users.find(conn, name), users.by_email(conn, person.email)):
        if other is not None:
            raise NotAdmitted(
                f"'{person.login}' of your institution cannot sign in: the account '{other['name']}' has the same name or e-mail "
                f"address ({person.email}). If both are the same person: {link_with.format(other['name'])}",
                alarm=True,
            )


def _tool(issuer: str) -> str:
    return "ldap" if issuer == LDAP else "oidc"


def _link_command(person: Person, issuer: str) -> str:
    """What gives an account ({}) to a person; values from outside in quotes, braces doubled."""
    value = shlex.quote(person.login if issuer == LDAP else person.subject).replace("{", "{{").replace("}", "}}")
    return f"dcor ldap link {{}} --login {value}" if issuer == LDAP else f"dcor oidc link {{}} --subject {value}"


def _create(tx: sqlite3.Connection, viewer: Viewer, person: Person, issuer: str) -> str:
    """The id of a new account. Raises NotAdmitted."""
    require_free(tx, person, issuer)
    user_id = users.create(tx, account_name(person.login), person.email, fullname=person.fullname[:200])
    identities.add(tx, issuer, person.subject, user_id, person.login)
    audit.add(tx, viewer, "user.create", "user", user_id, sysadmin=False, directory=person.login)
    return user_id


def _lock(tx: sqlite3.Connection, identity: sqlite3.Row, user: sqlite3.Row, reason: str) -> dict[str, Any]:
    """Disable the account, unless it is already; what the groups gave ends, too."""
    changed = _memberships(tx, user["id"], {}, identity["issuer"]) | _administration(tx, identity, user, False)
    if user["state"] not in ("active", "pending"):
        return changed
    identities.set_locked(tx, user["id"], reason)
    revoked = users.set_state(tx, user["id"], "disabled")
    audit.add(tx, DIRECTORY, "user.disabled", "user", user["id"], tokens=revoked, reason=reason)
    return changed | {"locked": reason}


def _profile(tx: sqlite3.Connection, user: sqlite3.Row, person: Person) -> dict[str, Any]:
    """Name and address as the directory has them; an address that another account has stays where it is."""
    values = {"fullname": person.fullname[:200]} if person.fullname else {}
    other = users.by_email(tx, person.email) if person.email else None
    if person.email and (other is None or other["id"] == user["id"]):
        values["email"] = person.email
    changed = {key: value for key, value in values.items() if value != user[key]}
    if changed:
        users.update(tx, user["id"], **changed)
        audit.add(tx, DIRECTORY, "user.update", "user", user["id"], fields=sorted(changed))
    return {"profile": sorted(changed)} if changed else {}


def _memberships(tx: sqlite3.Connection, user_id: str, wanted: dict[str, str], issuer: str) -> dict[str, Any]:
    """Roles in circles as the groups say; memberships made by hand stay as they are, and circles that are not there are left out."""
    found = {name: communities.find(tx, name, "circle") for name in wanted}
    roles = {row["id"]: wanted[name] for name, row in found.items() if row is not None}
    changed = []
    held = identities.memberships(tx, user_id)
    for circle_id, role in roles.items():
        present, source = held.get(circle_id, ("", issuer))
        if source == issuer and present != role:
            identities.set_membership(tx, circle_id, user_id, role, issuer)
            audit.add(tx, DIRECTORY, "circle.member", "circle", circle_id, user=user_id, role=role)
            changed.append(circle_id)
    for circle_id, (_role, source) in held.items():
        if source == issuer and circle_id not in roles:
            communities.remove_member(tx, circle_id, user_id)
            audit.add(tx, DIRECTORY, "circle.member_removed", "circle", circle_id, user=user_id)
            changed.append(circle_id)
    return {"circles": changed} if changed else {}


def _administration(tx: sqlite3.Connection, identity: sqlite3.Row, user: sqlite3.Row, wanted: bool) -> dict[str, Any]:
    """Administration by a group; whoever was made an administrator by hand stays one."""
    if wanted and not user["sysadmin"]:
        users.set_sysadmin(tx, user["id"], True)
        identities.set_administrator(tx, user["id"], True)
        audit.add(tx, DIRECTORY, "user.promote", "user", user["id"], tokens=[])
        return {"administrator": True}
    if not wanted and identity["administrator"]:
        one_time_links.revoke_made_by(tx, user["id"])
        revoked = users.set_sysadmin(tx, user["id"], False)
        identities.set_administrator(tx, user["id"], False)
        audit.add(tx, DIRECTORY, "user.demote", "user", user["id"], tokens=revoked)
        return {"administrator": False}
    return {}
