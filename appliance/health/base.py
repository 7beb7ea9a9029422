"""What a check is and what it finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.settings import Settings
from appliance.store.database import Database
from appliance.store.depot import Depot


class Level(StrEnum):
    """How bad it is. Only `PROBLEM` makes `dcor inspect` exit with 1."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    :ivar check: name of the check, as in the admin guide.
    :ivar detail: what was seen. :ivar why: what happens if it stays so. :ivar fix: what to do.
    :ivar repair: mends it and returns what it did; only ever something that cannot lose data. None: by hand.
    """

    check: str
    level: Level
    detail: str
    why: str = ""
    fix: str = ""
    repair: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; `repairable` instead of the function."""
        return {
            "check": self.check,
            "level": self.level.value,
            "detail": self.detail,
            "why": self.why,
            "fix": self.fix,
            "repairable": self.repair is not None,
        }


class Premises:
    """What the checks look at: settings, database and files of one data root.

    :param deep: also read every stored file and compare checksums (hours on a full disk).
    """

    def __init__(self, data_root: Path, settings: Settings, *, deep: bool = False) -> None:
        self.data_root = data_root
        self.settings = settings
        self.deep = deep

    @cached_property
    def db(self) -> Database:
        """The metadata database. Raises Problem where there is none."""
        if not self.settings.database.is_file():
            raise Problem(
                404, "Not Found Error", message=Message("%(database)s is missing", database=self.settings.database)
            )
        return Database(self.settings.database)

    @cached_property
    def depot(self) -> Depot:
        """The stored files."""
        return Depot(self.data_root)


Check = Callable[[Premises], Iterable[Finding]]


@dataclass(frozen=True)
class NamedCheck:
    """A check with its name and one sentence about what it looks at (shown in the admin guide)."""

    name: str
    looks_at: str
    run: Check

    def findings(self, premises: Premises) -> Iterator[Finding]:
        """Run it; a check that cannot do its work reports that as a problem of its own."""
        try:
            yield from self.run(premises)
        except (Problem, OSError, ValueError, sqlite3.DatabaseError) as error:
            yield Finding(
                self.name,
                Level.PROBLEM,
                Message("could not be checked: %(error)s", error=error),
                fix=Message("Fix the problems above, then run `dcor inspect` again."),
            )


CHECKS: list[NamedCheck] = []


def check(name: str, looks_at: str) -> Callable[[Check], Check]:
    """Register a check under `name`, in the order in which the modules are imported."""

    def register(function: Check) -> Check:
        """Note the check; the function stays as it is."""
        CHECKS.append(NamedCheck(name, looks_at, function))
        return function

    return register
