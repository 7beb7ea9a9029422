"""A parsed query as a tree of values.

Trees are immutable and hashable, so that a parsed query can be kept and shared between requests.
"""

from __future__ import annotations

from dataclasses import dataclass

ANY_TEXT = "text"
"""The field that holds every word of a dataset."""


@dataclass(frozen=True, slots=True)
class Everything:
    """``*:*``"""


@dataclass(frozen=True, slots=True)
class Term:
    """``field:value``.

    :ivar value: the value without escapes; ``\\ue000`` and ``\\ue001`` stand for the wildcards ``*`` and ``?``.
    :ivar phrase: it stood in quotes: the words in this order.
    :ivar slop: how many other words may stand between those of a phrase.
    :ivar at: where it is in the query.
    """

    field: str
    value: str
    phrase: bool = False
    slop: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Range:
    """``field:[low TO high]``; None is an open end. ``field:*`` is a range open at both ends."""

    field: str
    low: str | None
    high: str | None
    include_low: bool = True
    include_high: bool = True
    at: int = 0


@dataclass(frozen=True, slots=True)
class Boolean:
    """All of `must`, none of `must_not`; at least `needed` of `should` (None: one if there is no `must`)."""

    must: tuple[Node, ...] = ()
    should: tuple[Node, ...] = ()
    must_not: tuple[Node, ...] = ()
    needed: int | None = None


Node = Everything | Term | Range | Boolean

ANY_RUN = "\ue000"  # the wildcard *
ANY_ONE = "\ue001"  # the wildcard ?
