"""Parts of a parsed query that are about words alone become one full-text expression each: one walk, from the leaves up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.store.search import textmatch
from appliance.store.search.ast import Boolean, Everything, Node, Range, Term
from appliance.store.search.fields import Text, find
from appliance.store.search.textmatch import NO_WORDS, Match


@dataclass(frozen=True, slots=True)
class Words:
    """Holds where the full-text index finds `match`."""

    match: Match


@dataclass(frozen=True, slots=True)
class Wordless:
    """Text without a letter or digit: left out beside other clauses; alone, it finds nothing."""


@dataclass(frozen=True, slots=True)
class Never:
    """Holds for no dataset."""


@dataclass(frozen=True, slots=True)
class Combined:
    """All of `must`, none of `must_not`, at least `needed` of `should`; none of them is `WORDLESS`."""

    must: tuple[Condition, ...]
    should: tuple[Condition, ...]
    must_not: tuple[Condition, ...]
    needed: int


#: Terms among these are of other fields than text, or have wildcards that need the vocabulary.
Condition = Everything | Term | Range | Words | Wordless | Never | Combined

WORDLESS: Final = Wordless()
NEVER: Final = Never()


def reduced(node: Node) -> Condition:
    """`node` with its parts about words alone as `Words`."""
    if isinstance(node, Boolean):
        return _reduced_boolean(node)
    if isinstance(node, Term):
        field = find(node.field)
        match = textmatch.of_term(node, field) if isinstance(field, Text) else None
        if match is not None:
            return WORDLESS if match is NO_WORDS else Words(match)
    return node


def _reduced_boolean(node: Boolean) -> Condition:
    """Clauses without a word are left out, as Solr does."""
    must, should, must_not = (
        tuple(one for one in map(reduced, nodes) if one is not WORDLESS)
        for nodes in (node.must, node.should, node.must_not)
    )
    needed = needed_of(node, len(should))
    positive = bool(node.must or node.should)
    if all(isinstance(one, Words) for one in (*must, *should, *must_not)):
        if positive and not must_not and not must and not (should and needed):
            return WORDLESS
        match = _match(must, should if needed else (), must_not, needed)
        if match is not None:
            return Words(match)
    if positive and not must and not should:
        return NEVER
    return Combined(must, should, must_not, needed)


def _match(
    must: tuple[Condition, ...], should: tuple[Condition, ...], must_not: tuple[Condition, ...], needed: int
) -> Match | None:
    """Clauses that are all `Words` as one expression; None if nothing is needed or there are too many to write out."""
    found, optional, forbidden = (
        [one.match for one in clauses if isinstance(one, Words)] for clauses in (must, should, must_not)
    )
    if optional:
        combined = textmatch.some(optional, needed)
        if combined is None:
            return None
        found.append(combined)
    if not found:
        return None
    result = textmatch.join(found, "AND")
    return textmatch.without(result, textmatch.join(forbidden, "OR").find) if forbidden else result


def needed_of(node: Boolean, present: int) -> int:
    """How many of the `present` optional clauses must hold."""
    if node.needed is None:
        return 0 if node.must or not present else 1
    return min(node.needed, present)


def only_words(node: Node) -> bool:
    """Is the tree about words alone, and can nothing match that has none of them?"""
    if isinstance(node, Boolean):
        needed = bool(node.must) or needed_of(node, len(node.should)) > 0
        return needed and all(map(only_words, (*node.must, *node.should))) and all(map(_is_text, node.must_not))
    return isinstance(reduced(node), Words)


def _is_text(node: Node) -> bool:
    if isinstance(node, Boolean):
        return all(map(_is_text, (*node.must, *node.should, *node.must_not)))
    return isinstance(reduced(node), Words | Wordless)


def word_leaves(node: Node) -> list[Match]:
    """Expressions of all words that count for a dataset, wherever they are in the tree; for ranking only."""
    if isinstance(node, Boolean):
        return [match for child in (*node.must, *node.should) for match in word_leaves(child)]
    leaf = reduced(node)
    return [leaf.match] if isinstance(leaf, Words) else []
