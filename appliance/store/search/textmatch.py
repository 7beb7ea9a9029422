"""Words as expressions of SQLite's full-text index.

Each comes in two forms that find the same: `find`, as cheap as can be, and `rank`, which also names exact forms so that
they count more than words that only begin alike.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.store.search.ast import ANY_ONE, ANY_RUN, Boolean, Node, Term
from appliance.store.search.fields import Text, find
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


def of_node(node: Node) -> Match | None:
    """`node` as one expression, NO_WORDS, or None when it is not about words alone."""
    if isinstance(node, Term):
        field = find(node.field)
        return of_term(node, field) if isinstance(field, Text) else None
    if not isinstance(node, Boolean):
        return None
    must, should, must_not = (_all_text(nodes) for nodes in (node.must, node.should, node.must_not))
    if must is None or should is None or must_not is None:
        return None
    needed = needed_of(node, len(should))
    if not must and not (should and needed):
        return None if must_not or not _is_wordless(node) else NO_WORDS
    found = [*must]
    if needed:
        combined = _some(should, needed)
        if combined is None:
            return None
        found.append(combined)
    result = join(found, "AND")
    if must_not:
        result = _without(result, join(must_not, "OR").find)
    return result


def _without(match: Match, forbidden: str) -> Match:
    strict = match.strict and _without(match.strict, forbidden)
    return Match(
        f"({match.find}) NOT ({forbidden})", match.rank if strict else f"({match.rank}) NOT ({forbidden})", strict
    )


def needed_of(node: Boolean, present: int) -> int:
    """How many of the `present` optional clauses must hold."""
    if node.needed is None:
        return 0 if node.must or not present else 1
    return min(node.needed, present)


def _is_wordless(node: Boolean) -> bool:
    return bool(node.must or node.should)


def _all_text(nodes: tuple[Node, ...]) -> list[Match] | None:
    """The expressions of nodes that are all about words, without those that have none; None if one is about something else."""
    found = []
    for node in nodes:
        match = of_node(node)
        if match is None:
            return None
        if match is not NO_WORDS:
            found.append(match)
    return found


def of_term(term: Term, field: Text) -> Match | None:
    """One word or phrase; None if its wildcards need the vocabulary (see `wildcard_pattern`)."""
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


def _some(matches: list[Match], needed: int) -> Match | None:
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


def only_words(node: Node) -> bool:
    """Is the tree about words alone, and can nothing match that has none of them?"""
    if isinstance(node, Boolean):
        speaking = bool(node.must) or needed_of(node, len(node.should)) > 0
        return (
            speaking
            and all(only_words(child) for child in (*node.must, *node.should))
            and all(_is_text(child) for child in node.must_not)
        )
    return _is_text(node) and of_node(node) is not NO_WORDS


def _is_text(node: Node) -> bool:
    if isinstance(node, Boolean):
        return all(_is_text(child) for child in (*node.must, *node.should, *node.must_not))
    return isinstance(node, Term) and isinstance(find(node.field), Text) and of_node(node) is not None


def leaves(node: Node) -> list[Match]:
    """Expressions of all words that speak for a dataset, wherever they stand in the tree; for ranking only."""
    if isinstance(node, Boolean):
        return [match for child in (*node.must, *node.should) for match in leaves(child)]
    match = of_node(node)
    return [match] if match is not None and match is not NO_WORDS else []
