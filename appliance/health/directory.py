"""The directory in which people have their accounts."""

from __future__ import annotations

import time
from collections.abc import Iterator

from appliance.actions import directory_login, managed_accounts
from appliance.health.base import Finding, Level, Premises, check
from appliance.model import times
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.store import communities, identities

#: So many times the usual distance between two comparisons are too long.
LATE = 5


@check("directory", "the directory (LDAP) answers, and accounts were compared with it a short time ago")
def directory(premises: Premises) -> Iterator[Finding]:
    """Does a server answer, and does the job run that locks who was disabled there?"""
    settings = premises.settings
    if not settings.ldap.servers:
        yield Finding("directory", Level.OK, Message("none is set up"))
        return
    try:
        rules = directory_login.rules(settings.ldap)
        with directory_login.directory(settings).session() as session:
            yield Finding("directory", Level.OK, Message("%(server)s answers", server=session.server))
    except Problem as problem:
        yield Finding(
            "directory",
            Level.PROBLEM,
            str(problem),
            Message("People in the directory cannot sign in, and anyone disabled there is not locked out here."),
            "sudo dcor ldap check",
        )
        return
    with premises.db.read() as conn:
        missing = sorted(
            {name for _group, name, _role in rules.circles if communities.find(conn, name, "circle") is None}
        )
        age = age_of(identities.answered(conn, managed_accounts.LDAP))
        known = len(identities.listed(conn, managed_accounts.LDAP))
    for name in missing:
        yield Finding(
            "directory",
            Level.WARNING,
            Message("ldap.circles names the circle %(name)s, which does not exist", name=name),
            Message("Its group grants no role."),
            f"dcor circle create {name}",
        )
    if known and (age is None or age > LATE * settings.ldap.refresh):
        yield Finding(
            "directory",
            Level.PROBLEM,
            Message(
                "%(known)s accounts have not been compared with it for %(age)s minutes",
                known=known,
                age=f"{(age or 0) / 60:.0f}",
            ),
            Message("Anyone disabled there is not locked out here."),
            "sudo dcor ldap sync; sudo dcor jobs list --kind directory",
        )


def age_of(answered: str | None) -> float | None:
    """Seconds since a noted moment, None for never."""
    return None if answered is None else time.time() - times.parse(answered).timestamp()
