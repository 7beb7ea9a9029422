"""People and groups of a directory, and what the groups give here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.model import roles
from appliance.model.messages import Message
from appliance.model.problem import invalid

EVERYBODY = "*"
_RANK = {role: rank for rank, role in enumerate(("member", "editor", "admin"))}
_DN_PART = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Group:
    """A group: its DN and its name (cn)."""

    dn: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the directory.

    :ivar subject: what never changes (entryUUID, objectGUID). :ivar ended: why they may not sign in, "" = they may.
    """

    subject: str
    login: str
    dn: str
    fullname: str
    email: str
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Grants:
    """What groups give: circle's name → role, administration, and whether one may sign in at all."""

    circles: dict[str, str]
    administrator: bool
    admitted: bool


@dataclass(frozen=True, slots=True)
class GroupRules:
    """Which group gives what, as the settings say it; groups by name or DN, in comparable form."""

    circles: tuple[tuple[str, str, str], ...]  # group, circle, role
    administrators: frozenset[str]
    users: frozenset[str]

    def grants(self, groups: Iterable[Group]) -> Grants:
        """What somebody in these groups gets; of several roles in a circle the highest."""
        held = {key for group in groups for key in (comparable(group.dn), comparable(group.name))}
        circles: dict[str, str] = {}
        for group, circle, role in self.circles:
            if group in held and _RANK[role] >= _RANK.get(circles.get(circle, ""), -1):
                circles[circle] = role
        administrator = not self.administrators.isdisjoint(held)
        further = EVERYBODY in self.users or not self.users.isdisjoint(held)
        return Grants(circles, administrator, bool(circles) or administrator or further)

    @property
    def named(self) -> set[str]:
        """Every group that is named, in comparable form."""
        return {group for group, _circle, _role in self.circles} | self.administrators | (self.users - {EVERYBODY})


def group_rules(group: str, circles: str, administrators: str, users: str) -> GroupRules:
    """Parse the settings `circles`, `administrators` and `users` of the settings' `group` ("ldap").

    Raises Problem 409 for an entry that cannot be read.
    """
    found = []
    for entry in _entries(circles):
        name, arrow, target = entry.rpartition("->")
        circle, colon, role = target.strip().rpartition(":")
        if not arrow or not colon or not name.strip() or not circle.strip() or role.strip() not in roles.ROLES:
            raise invalid(
                message=Message(
                    "%(group)s.circles: '%(entry)s' cannot be read; write GROUP -> CIRCLE:ROLE with a role of member, editor or admin, several separated by ;",
                    group=group,
                    entry=entry,
                )
            )
        found.append((comparable(name), circle.strip(), role.strip()))
    return GroupRules(
        tuple(found),
        frozenset(comparable(one) for one in _entries(administrators)),
        frozenset(comparable(one) for one in _entries(users)),
    )


def comparable(name: str) -> str:
    """A group's name or DN such that two ways to write it are equal: without regard to case and to spaces around commas."""
    text = name.strip()
    parts = [part.strip() for part in re.split(r"(?<!\\),", text)]
    if all("=" in part and _DN_PART.fullmatch(part.partition("=")[0].strip()) for part in parts):
        pairs = (part.partition("=") for part in parts)
        return ",".join(f"{key.strip()}={value.strip()}" for key, _, value in pairs).casefold()
    return text.casefold()


def _entries(text: str) -> list[str]:
    return [entry.strip() for entry in re.split(r"[;\n]", text) if entry.strip()]
