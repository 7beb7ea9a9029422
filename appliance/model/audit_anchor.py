"""States of the audit log recorded outside of the database, so that a shortened or replaced log is detected."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEXT = re.compile(r"([0-9]{1,15}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class LogState:
    """The audit log at one moment.

    :ivar entries: how many there were; :ivar head: the last one's link of the chain (64 hexadecimal digits, "" without entries).
    """

    entries: int
    head: str

    def __str__(self) -> str:
        return f"{self.entries}:{self.head}"

    @classmethod
    def parse(cls, text: str) -> LogState:
        """Parse the output of `str`. Raises ValueError."""
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            raise ValueError("A state of the audit log is a number, a colon and 64 hexadecimal digits.")
        return cls(int(found[1]), found[2])


@dataclass(frozen=True, slots=True)
class Anchor:
    """A recorded state of the log.

    :ivar source: where, for people ("backup 2026-01-31_020000"); :ivar at: when (ISO 8601, UTC), "" when that is not known.
    """

    state: LogState
    source: str
    at: str = ""
