"""From trees to a plan: what the full-text index is asked, and SQL conditions over the dataset row ``d`` for everything else.

A query passes through the modules in this order: `lexer`, `parser` (or `freetext`), `reduction`, `translate`, `run`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.store.search import fields, textmatch
from appliance.store.search.ast import Boolean, Everything, Node, Range, Term
from appliance.store.search.comparisons import MATCHING, Comparisons, has_wildcards
from appliance.store.search.fields import Lookup, Valued
from appliance.store.search.reduction import (
    NEVER,
    WORDLESS,
    Combined,
    Condition,
    Words,
    needed_of,
    only_words,
    reduced,
    word_leaves,
)
from appliance.store.search.sql import FALSE, TRUE, all_of, any_of
from appliance.store.search.textmatch import Match

_MOST_RANKED = 64  # words that count for the order


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask the database for a list of trees that must all hold.

    :ivar conditions: SQL over d, all of which must hold besides `match`.
    :ivar match: the expression of the full-text index that must hold, if there is one, and how it ranks.
    :ivar leaves: what ranks (and finds more) when the words are too many for one expression.
    :ivar start: the index to start from: "" (all datasets) or the name of one that a condition makes selective.
    """

    conditions: tuple[str, ...]
    parameters: dict[str, Any]
    match: Match | None
    leaves: str | None
    start: str

    @property
    def impossible(self) -> bool:
        """Does one of the conditions hold for no dataset?"""
        return FALSE in self.conditions


def plan(query: Node, filters: list[Node], now: datetime | None = None) -> Plan:
    """The plan of a query (which ranks) and filters (which do not). Raises Problem 409 Search Error."""
    asked = [reduced(node) for node in _conjuncts(query)]
    words = [one.match for one in asked if isinstance(one, Words)]
    rest: list[Condition] = [one for one in asked if one is not WORDLESS and not isinstance(one, Words)]
    if not words and not rest:
        rest = [NEVER]  # nothing but punctuation finds nothing
    rest += [reduced(node) for one in filters for node in _conjuncts(one)]
    writer = _Conditions(now)
    conditions = tuple(sql for sql in map(writer.condition, rest) if sql != TRUE)
    if words:
        return Plan(conditions, writer.parameters, textmatch.join(words, "AND"), None, "text")
    if only_words(query):  # so many optional words that SQL counts them
        leaves = " OR ".join(match.rank for match in word_leaves(query)[:_MOST_RANKED])
        return Plan(conditions, writer.parameters, None, leaves, "text")
    return Plan(conditions, writer.parameters, None, None, _start(rest))


class _Conditions(Comparisons):
    """Writes reduced trees as SQL conditions."""

    def condition(self, node: Condition) -> str:
        """`node` as an SQL condition over d."""
        if isinstance(node, Everything):
            return TRUE
        if isinstance(node, Words):
            return MATCHING.format(self.parameter(node.match.find))
        if isinstance(node, Term):
            return self.any_term(node.field, fields.find(node.field), [node])
        if isinstance(node, Range):
            return self.in_range(node, fields.find(node.field))
        if isinstance(node, Combined):
            return self._combined(node)
        return FALSE

    def _combined(self, node: Combined) -> str:
        found = [self.condition(one) for one in node.must]
        if node.needed == 1:
            found.append(self._any(node.should))
        elif node.needed and node.needed == len(node.should):
            found.append(all_of([self.condition(one) for one in node.should]))
        elif node.needed:
            found.append(f"({' + '.join(f'({self.condition(one)})' for one in node.should)}) >= {node.needed}")
        if node.must_not:
            found.append(f"NOT {self._any(node.must_not)}")
        return all_of(found)

    def _any(self, nodes: tuple[Condition, ...]) -> str:
        """One of `nodes`: terms of one field become one list, words one expression."""
        terms: dict[str, list[Term]] = {}
        words: list[str] = []
        found = []
        for node in nodes:
            if isinstance(node, Words):
                words.append(f"({node.match.find})")
            elif isinstance(node, Term):
                terms.setdefault(node.field, []).append(node)
            else:
                found.append(self.condition(node))
        if words:
            found.append(MATCHING.format(self.parameter(" OR ".join(words))))
        found += [self.any_term(name, fields.find(name), group) for name, group in terms.items()]
        return any_of(found)


def _conjuncts(node: Node) -> list[Node]:
    """The nodes that must all hold for `node` to hold."""
    if isinstance(node, Boolean) and node.must and needed_of(node, len(node.should)) == 0:
        parts = [one for child in node.must for one in _conjuncts(child)]
        return [*parts, Boolean(must_not=node.must_not)] if node.must_not else parts
    return [node]


def _start(nodes: list[Condition]) -> str:
    """Where to start looking when there are no words: at what is likely to be the rarest."""
    best = ""
    for node in nodes:
        if isinstance(node, Term) and not has_wildcards(node.value):
            if node.field in ("id", "name", "creator_user_id", "doi", "extras_doi"):
                return "row"
            if node.field in ("organization", "owner_org"):
                best = "circle"
            elif not best and isinstance(fields.find(node.field), Lookup | Valued):
                best = "row"
        elif isinstance(node, Combined) and not best and _one_of_circles(node):
            best = "circle"
    return best


def _one_of_circles(node: Combined) -> bool:
    """Is it a list of circles, one of which it must be?"""
    return bool(
        node.needed
        and not node.must
        and not node.must_not
        and all(isinstance(one, Term) and one.field in ("organization", "owner_org") for one in node.should)
    )
