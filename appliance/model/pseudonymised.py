"""Pseudonymised copies of measurements: what is asked for, what changes, and what was made."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

#: The name under which the sandboxed child leaves a copy.
RESULT = "pseudonymised.rtdc"


@dataclass(frozen=True, slots=True)
class Original:
    """A measurement of which a copy is wanted.

    :ivar sample: what the sample is called in the copy; :ivar words: texts about the file whose words may stand in none of the copy.
    """

    path: Path
    size: int
    sha256: str
    sample: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What would be another thing in the copy. :ivar told: {where, was, becomes}, "" = left out; :ivar kept: free texts that stay, {where, was}."""

    told: list[dict[str, str]] = field(default_factory=list)
    kept: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was made. :ivar personal: what the report on personal data found in it, {where, kind, excerpt}."""

    path: Path
    size: int
    sha256: str
    etag: str
    personal: list[dict[str, str]]


class Copier(Protocol):
    """Makes copies; files are opened in the sandbox only."""

    def changes(self, original: Original) -> Changes:
        """What a copy would change. Raises Problem 409 when there can be none."""

    def made(self, original: Original) -> AbstractContextManager[Copy]:
        """A copy, gone afterwards. Raises Problem 409 when there can be none."""


def sample_names(samples: Iterable[str | None]) -> list[str]:
    """Names such as ``sample 1`` in the order of first appearance, equal where the samples are. Those without a name share one."""
    known: dict[str | None, str] = {}
    return [known.setdefault(one, f"sample {len(known) + 1}") for one in samples]


def listed(setting: str) -> list[str]:
    """The names of a setting that separates them by commas."""
    return [name for name in (one.strip() for one in setting.split(",")) if name]
