"""Words as expressions of SQLite's full-text index.

Each comes in two forms that find the same: `find`, as cheap as can be, and `rank`, which also names exact forms so that
they count more than words that only begin alike.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.store.search.ast import ANY_ONE, ANY_RUN, Term
from appliance.store.search.fields import Text
from appliance.store.search.words import begun_stems, chunks, parts, whole

_SHORTEST_PREFIX = 4
_MOST_COMBINED = 8


@dataclass(frozen=True, slots=True)
class Match:
    """An expression of the full-text index.

    :ivar rank: what ranks the rows that `find` finds.
    :ivar strict: where not all words are needed, the expression that needs them all; `rank` then finds more than `find`.
    """

    find: str
    rank: str
    strict: Match | None = None


NO_WORDS = Match("", "")
"""Text without a letter or digit: as if it were not there."""


def of_term(term: Term, field: Text) -> Match | None:
    """One word or phrase; NO_WORDS without a letter or digit; None if its wildcards need the vocabulary."""
    value, prefix = term.value, False
    if value.endswith(ANY_RUN):
        value, prefix = value[:-1], True
    if ANY_RUN in value or ANY_ONE in value:
        return None
    if term.phrase:
        match = _phrase([part for chunk in chunks(value) for part in parts(chunk)], term.slop)
    else:
        pieces = [_prefix(chunk) if prefix else _word(chunk) for chunk in chunks(value)]
        match = join(pieces, "AND") if pieces else NO_WORDS
    if match is NO_WORDS or not field.columns:
        return match
    columns = " ".join(field.columns)
    return Match(f"{{{columns}}} : ({match.find})", f"{{{columns}}} : ({match.rank})")


def _word(chunk: str) -> Match:
    """A piece without spaces: its stem or what begins with it; of several parts, these in a row or written together."""
    stems, together = parts(chunk), whole(chunk)
    if len(stems) == 1:
        stem = stems[0]
        if len(stem) < _SHORTEST_PREFIX:
            return Match(f'"{stem}"', f'"{stem}"')
        return Match(f'"{stem}" *', f'("{stem}" OR "{stem}" *)')
    row = '"' + " ".join(stems) + '"'
    if len(stems[-1]) >= _SHORTEST_PREFIX:
        row += " *"
    both = f'({row} OR "{together}" *)' if len(together) >= _SHORTEST_PREFIX else row
    return Match(both, both)


def _prefix(chunk: str) -> Match:
    """Words that begin like `chunk`; the index has stems, so also those of which `chunk` has a piece of the ending."""
    stems, together = parts(chunk), whole(chunk)
    if len(stems) > 1:
        both = f'("{" ".join(stems)}" * OR "{together}" *)'
        return Match(both, both)
    others = dict.fromkeys([*begun_stems(together), *(one for one in stems if one != together)])
    both = " OR ".join([f'"{together}" *', *(f'"{other}"' for other in others)])
    return Match(f"({both})", f"({both})")


def _phrase(words: list[str], slop: int) -> Match:
    if not words:
        return NO_WORDS
    if slop and len(words) > 1:
        text = "NEAR(" + " ".join(f'"{word}"' for word in words) + f", {slop})"
    else:
        text = '"' + " ".join(words) + '"'
    return Match(text, text)


def join(matches: list[Match], operator: str) -> Match:
    """Expressions joined by AND or OR."""
    if len(matches) == 1:
        return matches[0]
    strict = (
        join([match.strict or match for match in matches], operator) if any(match.strict for match in matches) else None
    )
    ranks = (" OR " if strict else f" {operator} ").join(match.rank for match in matches)
    return Match("(" + f" {operator} ".join(match.find for match in matches) + ")", f"({ranks})", strict)


def some(matches: list[Match], needed: int) -> Match | None:
    """At least `needed` of these; None if there are too many to write out."""
    if needed >= len(matches):
        return join(matches, "AND")
    if needed == 1:
        return join(matches, "OR")
    if len(matches) > _MOST_COMBINED:
        return None
    return Match(
        _combinations([match.find for match in matches], needed),
        "(" + " OR ".join(match.rank for match in matches) + ")",
        join(matches, "AND"),
    )


def _combinations(finds: list[str], needed: int) -> str:
    if needed >= len(finds):
        return "(" + " AND ".join(finds) + ")"
    if needed == 1:
        return "(" + " OR ".join(finds) + ")"
    first, rest = finds[0], finds[1:]
    return f"(({first} AND {_combinations(rest, needed - 1)}) OR {_combinations(rest, needed)})"


def without(match: Match, forbidden: str) -> Match:
    """`match`, but nothing that `forbidden` finds."""
    strict = match.strict and without(match.strict, forbidden)
    return Match(
        f"({match.find}) NOT ({forbidden})", match.rank if strict else f"({match.rank}) NOT ({forbidden})", strict
    )
