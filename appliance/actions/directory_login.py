"""Signing in with name and password of the directory."""

from __future__ import annotations

import sqlite3

from appliance.actions import directory_accounts, managed_accounts
from appliance.actions.site import Site
from appliance.model.directory import Grants, GroupRules, Person, group_rules
from appliance.model.problem import Problem
from appliance.model.viewer import Viewer
from appliance.security import ldap
from appliance.settings import Settings
from appliance.signon_settings import Ldap
from appliance.store import alarms, audit, identities, users

LDAP = managed_accounts.LDAP


def known(conn: sqlite3.Connection, login: str) -> sqlite3.Row | None:
    """The account that last signed in with this name of the directory, or None."""
    identity = identities.by_login(conn, LDAP, login)
    return users.find(conn, identity["user_id"]) if identity is not None else None


def prove(site: Site, login: str, password: str, row: sqlite3.Row | None, *, address: str) -> sqlite3.Row | None:
    """The account of the person in the directory with this name and password, created if missing; None if they do not match.

    :param row: the account with this name or address here; it counts only if it belongs to that person by the stable id.
    :raises ldap.DirectoryAway: no server is reachable, or a setting of the directory is invalid.
    :raises NotAdmitted: the password is right, but they may not sign in here.
    """
    settings = site.settings.ldap
    if not settings.servers or not password:
        return None
    person, grants = _proven(site, login, password, row)
    if person is None:
        return None
    viewer = Viewer(name=person.login, address=address)
    try:
        with site.db.write() as tx:
            user_id = directory_accounts.admit(tx, viewer, person, grants)
            alarms.resolve_for(tx, directory_accounts.ALARM, person.subject)
    except directory_accounts.NotAdmitted as refusal:
        with site.db.write() as tx:
            audit.add(tx, viewer, "session.refused", "user", "", directory=person.login, reason=str(refusal))
            if refusal.alarm:
                alarms.raise_(tx, directory_accounts.ALARM, person.subject, str(refusal))
        raise
    with site.db.read() as conn:
        return users.find(conn, user_id)


def is_password_of(site: Site, identity: sqlite3.Row, password: str) -> bool:
    """Whether this is the directory's password of a linked account. Raises ldap.DirectoryAway."""
    if not password:
        return False
    try:
        found = directory(site.settings)
        with found.session() as session:
            person = session.by_subjects([identity["subject"]]).get(identity["subject"])
            return person is not None and not person.ended and found.accepts(person.dn, password)[0]
    except ldap.DirectoryAway:
        raise
    except Problem as problem:  # an invalid setting, which the caller cannot fix
        raise ldap.DirectoryAway(str(problem)) from problem


def directory(settings: Settings) -> ldap.Directory:
    """The configured directory. Raises ldap.DirectoryAway, Problem 409 for an invalid setting."""
    return ldap.Directory(settings.ldap, password(settings))


def password(settings: Settings) -> str:
    """The service account's password; "" if none is stored. Raises ldap.DirectoryAway when it cannot be read."""
    file = settings.secrets / ldap.PASSWORD
    try:
        return file.read_text(encoding="utf-8").rstrip("\n")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ldap.DirectoryAway(f"{file} cannot be read: {error.strerror}") from error


def rules(settings: Ldap) -> GroupRules:
    """The parsed group rules. Raises Problem 409 for an invalid entry."""
    return group_rules("ldap", settings.circles, settings.administrators, settings.users)


def _proven(site: Site, login: str, password: str, row: sqlite3.Row | None) -> tuple[Person | None, Grants]:
    """The person with this name, if the password is theirs, and what their groups grant."""
    settings = site.settings.ldap
    nothing = Grants({}, False, False)
    with site.db.read() as conn:
        identity = identities.of_user(conn, row["id"]) if row is not None else None
    try:
        found = directory(site.settings)
        with found.session() as session:
            person = session.by_login(login)
            if person is None and identity is not None and identity["issuer"] == LDAP:  # an e-mail address was entered
                person = session.by_subjects([identity["subject"]]).get(identity["subject"])
            # Unknown names are tried too, so that the time does not reveal them: the container entry has no password.
            right, said = found.accepts(person.dn if person is not None else settings.user_base, password)
            if person is None or not right:
                _note_refusal(site, person, said)
                return None, nothing
            return person, rules(settings).grants(session.groups(person))
    except ldap.DirectoryAway:
        raise
    except Problem as problem:  # an invalid setting, which the user cannot fix
        raise ldap.DirectoryAway(str(problem)) from problem


def _note_refusal(site: Site, person: Person | None, said: str) -> None:
    """Record the directory's reason for refusing a password, for the administrator."""
    if person is not None:
        with site.db.write() as tx:
            audit.add(tx, Viewer(name=person.login), "directory.refused", "user", "", reason=said)
