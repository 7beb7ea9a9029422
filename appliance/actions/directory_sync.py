"""Periodic synchronization of accounts with the directory: disabled and removed people, group changes."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import timedelta

from appliance.actions import directory_accounts, directory_login, managed_accounts
from appliance.model import times
from appliance.model.directory import Grants, Person
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.settings import Settings
from appliance.store import alarms, audit, identities
from appliance.store.database import Database

#: Kind of the alarm for an unreachable directory.
ALARM = Message("directory")
LDAP = managed_accounts.LDAP


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a synchronization: people compared, accounts locked and unlocked, other changes."""

    people: int = 0
    locked: int = 0
    opened: int = 0
    changed: int = 0
    paused: int = 0
    away: str = ""


def compare(db: Database, settings: Settings) -> Outcome:
    """Synchronize all accounts of people in the directory. While it is unreachable there is an alarm and nothing changes; after
    `ldap.offline` its people's credentials are paused.
    """
    if not settings.ldap.servers:
        return Outcome()
    try:
        with db.read() as conn:
            known = identities.listed(conn, LDAP)
        found = _asked(settings, [row["subject"] for row in known])
    except Problem as problem:
        return _away(db, settings, str(problem))
    changes = [_apply(db, row, found.get(row["subject"])) for row in known]
    with db.write() as tx:
        identities.note_answered(tx, LDAP)
        if identities.pause(tx, LDAP, False):
            audit.add(tx, directory_accounts.DIRECTORY, "directory.back")
        alarms.resolve_for(tx, ALARM, "")
    locked = sum(bool(one.get("locked")) for one in changes)
    opened = sum(one.get("locked") is False for one in changes)
    return Outcome(len(known), locked, opened, sum(map(bool, changes)))


def _asked(settings: Settings, subjects: list[str]) -> dict[str, tuple[Person, Grants]]:
    """The people with these ids and what their groups grant. Raises Problem."""
    rules = directory_login.rules(settings.ldap)
    with directory_login.directory(settings).session() as session:
        people = session.by_subjects(subjects)
        return {
            subject: (person, Grants({}, False, False) if person.ended else rules.grants(session.groups(person)))
            for subject, person in people.items()
        }


def _apply(db: Database, row: sqlite3.Row, found: tuple[Person, Grants] | None) -> dict[str, object]:
    """Synchronize one account, in a transaction of its own so that other writers get their turn. No-op if its link has changed
    meanwhile.
    """
    person, grants = found or (None, None)
    with db.read() as conn:
        identity = identities.find(conn, LDAP, row["subject"])
    if identity is None or identity["user_id"] != row["user_id"]:
        return {}
    with db.write() as tx:
        return directory_accounts.bring_in_step(tx, identity, person, grants)


def _away(db: Database, settings: Settings, reason: str) -> Outcome:
    """Record that the directory is unreachable; after `ldap.offline` pause its people's credentials."""
    with db.write() as tx:
        alarms.raise_(tx, ALARM, "", Message("The directory cannot be reached: %(reason)s", reason=reason))
        last = identities.answered(tx, LDAP)
        if last is None or last > times.ahead(-timedelta(seconds=settings.ldap.offline)):
            return Outcome(away=reason)
        paused = identities.pause(tx, LDAP, True)
        if paused:
            audit.add(tx, directory_accounts.DIRECTORY, "directory.paused", accounts=paused)
    return Outcome(paused=paused, away=reason)
