"""Diagnosis of the directory for administrators: connection, certificate, account, people, groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.actions import directory_accounts, directory_login
from appliance.actions.site import Site
from appliance.model.directory import Grants, GroupRules, Person, comparable
from appliance.model.problem import Problem, invalid
from appliance.security import ldap
from appliance.settings import Settings
from appliance.store import communities, identities, users


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: whether it is as expected, and a sentence."""

    good: bool
    text: str


def check(site: Site, login: str = "") -> list[Line]:
    """Check every server, and for one person everything that their sign-in needs. Raises Problem 409 if no server is configured."""
    settings = site.settings
    if not settings.ldap.servers:
        raise invalid(
            message="No directory is set up: dcor config set ldap.servers ldaps://dc1.hospital.example (the guide has examples)"
        )
    found = list(_servers(settings))
    try:
        rules = directory_login.rules(settings.ldap)
        found += list(_circles(site, rules))
    except Problem as problem:
        return [*found, Line(False, str(problem))]
    if login and any(one.good for one in found[:1]):
        found += list(_person(site, rules, login))
    return found


def _servers(settings: Settings) -> Iterator[Line]:
    """Each server separately: with fail-over, a broken second server shows only when the first is down."""
    password = directory_login.password(settings)
    who = settings.ldap.bind_dn or "nobody (anonymously)"
    for server in ldap.servers_of(settings.ldap.servers):
        alone = settings.replace(**{"ldap.servers": server.url}).ldap
        try:
            with ldap.Directory(alone, password).session() as session:
                session.by_login("somebody-nobody-is-called")
                way = "TLS" if server.tls else "StartTLS"
                yield Line(
                    True,
                    f"{server.url}: reached by {way}, its certificate is valid, {who} may search {alone.user_base}.",
                )
        except Problem as problem:
            yield Line(False, str(problem))


def _circles(site: Site, rules: GroupRules) -> Iterator[Line]:
    if not rules.named and not rules.users:
        yield Line(
            False,
            "No group is named, so no one from the directory may sign in: set ldap.circles, ldap.administrators or ldap.users.",
        )
    with site.db.read() as conn:
        for circle in sorted({circle for _group, circle, _role in rules.circles}):
            if communities.find(conn, circle, "circle") is None:
                yield Line(
                    False,
                    f"ldap.circles names the circle '{circle}', which does not exist: dcor circle create {circle}",
                )


def _person(site: Site, rules: GroupRules, login: str) -> Iterator[Line]:
    settings = site.settings
    with directory_login.directory(settings).session() as session:
        person = session.by_login(login)
        if person is None:
            yield Line(
                False,
                f"Nobody in {settings.ldap.user_base} has {settings.ldap.login_attribute} = {login} and fits "
                f"ldap.user_filter {settings.ldap.user_filter}.",
            )
            return
        groups = session.groups(person)
    grants = rules.grants(groups)
    yield Line(True, f"{login} is {person.dn}: {person.fullname or 'no name'}, {person.email or 'no e-mail address'}.")
    yield Line(True, f"Its {settings.ldap.id_attribute} is {person.subject}.")
    names = ", ".join(sorted(group.name for group in groups)) or "none"
    yield Line(True, f"Groups found with ldap.group_filter: {names}.")
    useful = [group.name for group in groups if {comparable(group.name), comparable(group.dn)} & rules.named]
    yield Line(bool(useful) or grants.admitted, f"Of these the settings name: {', '.join(sorted(useful)) or 'none'}.")
    given = [f"{role} of {circle}" for circle, role in sorted(grants.circles.items())]
    given += ["administrator"] if grants.administrator else []
    yield Line(True, f"They grant: {', '.join(given) or 'no role'}.")
    yield _may_sign_in(site, person, grants)


def _may_sign_in(site: Site, person: Person, grants: Grants) -> Line:
    if reason := directory_accounts.reason_against(person, grants):
        return Line(False, f"{person.login} may not sign in: {reason}.")
    with site.db.read() as conn:
        identity = identities.find(conn, directory_accounts.LDAP, person.subject)
        account = users.find(conn, identity["user_id"]) if identity is not None else None
        if account is None:
            try:
                directory_accounts.require_free(conn, person)
            except directory_accounts.NotAdmitted as refusal:
                return Line(False, str(refusal))
            name = directory_accounts.account_name(person.login)
            return Line(True, f"{person.login} may sign in; the account '{name}' will be created then.")
    if account["state"] in ("disabled", "deleted") and not (identity is not None and identity["locked"]):
        return Line(
            False, f"{person.login} may not sign in: the account '{account['name']}' is {account['state']} here."
        )
    return Line(True, f"{person.login} may sign in, with the account '{account['name']}'.")
