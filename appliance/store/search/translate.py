"""From tree to SQL: a condition over the dataset row ``d`` with named parameters.

Parts that are about words alone become one expression of the full-text index each. Every other leaf is a comparison with a
column or ``d.pk IN (…)``, so that SQLite can start from the rarest part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from appliance.store.search import dates, fields, textmatch
from appliance.store.search.ast import ANY_ONE, ANY_RUN, ANY_TEXT, Boolean, Everything, Node, Range, Term
from appliance.store.search.errors import search_error
from appliance.store.search.fields import Choice, Exact, Field, Lookup, Moment, Number, Text, Valued
from appliance.store.search.index import as_number
from appliance.store.search.textmatch import Match
from appliance.store.search.words import chunks, fold, indexed, parts, stem

TRUE, FALSE = "1", "0"
_MOST_RANKED = 64  # words that speak for the order
_TEXT = "d.pk IN (SELECT rowid FROM search_text WHERE search_text MATCH {})"
_POSTING = """d.pk IN (SELECT p.pk FROM search_value v CROSS JOIN search_posting p ON p.value_id = v.id
 WHERE v.field_id = (SELECT id FROM search_field WHERE name = {name}) AND {test})"""
_WORDS = """(SELECT {columns} || '("' || coalesce(group_concat(term, '" OR "'), '') || '")' FROM
 (SELECT term FROM search_vocabulary WHERE (term GLOB {pattern} OR term GLOB {stem}) AND term BETWEEN {start} AND {end} LIMIT 500))"""
_HAS_TEXT = "d.pk IN (SELECT rowid FROM search_text WHERE {})"
_OWN = "d.pk IN (SELECT z.pk FROM search_dataset z WHERE {})"


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


class Translator:
    """Collects the parameters of one statement."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now
        self.parameters: dict[str, Any] = {}
        self._numbers = count()

    def plan(self, query: Node, filters: list[Node]) -> Plan:
        """The plan of a query (which ranks) and filters (which do not)."""
        words: list[Match] = []
        rest: list[Node] = []
        wordless = False
        for node in _conjuncts(query):
            match = textmatch.of_node(node)
            if match is None:
                rest.append(node)
            elif match is textmatch.NO_WORDS:
                wordless = True
            else:
                words.append(match)
        if wordless and not words and not rest:
            rest.append(Term(ANY_TEXT, ""))  # nothing but punctuation finds nothing
        rest += [node for one in filters for node in _conjuncts(one)]
        conditions = tuple(sql for sql in map(self.condition, rest) if sql != TRUE)
        if words:
            return Plan(conditions, self.parameters, textmatch.join(words, "AND"), None, "text")
        if textmatch.only_words(query):  # so many optional words that SQL counts them
            leaves = textmatch.leaves(query)[:_MOST_RANKED]
            return Plan(conditions, self.parameters, None, " OR ".join(match.rank for match in leaves), "text")
        return Plan(conditions, self.parameters, None, None, _start(rest))

    def parameter(self, value: Any) -> str:
        """A placeholder for `value`."""
        name = f"q{next(self._numbers)}"
        self.parameters[name] = value
        return f":{name}"

    def condition(self, node: Node) -> str:
        """`node` as an SQL condition over d."""
        if isinstance(node, Everything):
            return TRUE
        match = textmatch.of_node(node)
        if match is not None:
            return FALSE if match is textmatch.NO_WORDS else _TEXT.format(self.parameter(match.find))
        if isinstance(node, Term):
            return self._terms(node.field, fields.find(node.field), [node])
        if isinstance(node, Range):
            return self._range(node, fields.find(node.field))
        return self._boolean(node)

    def _boolean(self, node: Boolean) -> str:
        """Clauses without a word (punctuation) are left out, as Solr does."""
        must, should, must_not = (
            [one for one in nodes if textmatch.of_node(one) is not textmatch.NO_WORDS]
            for nodes in (node.must, node.should, node.must_not)
        )
        if (node.must or node.should) and not must and not should:
            return FALSE
        found = [self.condition(one) for one in must]
        needed = textmatch.needed_of(node, len(should))
        if needed > 1:
            found.append(
                "(" + " + ".join(f"({self.condition(one)})" for one in should) + f") >= {needed}"
                if needed < len(should)
                else _all([self.condition(one) for one in should])
            )
        elif needed == 1:
            found.append(self._any(should))
        if must_not:
            found.append(f"NOT {self._any(must_not)}")
        return _all(found)

    def _any(self, nodes: list[Node]) -> str:
        """One of `nodes`: terms of one field become one list, words one expression."""
        terms: dict[str, list[Term]] = {}
        words: list[str] = []
        found = []
        for node in nodes:
            match = textmatch.of_node(node)
            if match is not None:
                words.append(match.find)
            elif isinstance(node, Term):
                terms.setdefault(node.field, []).append(node)
            else:
                found.append(self.condition(node))
        if words:
            found.append(_TEXT.format(self.parameter(" OR ".join(f"({one})" for one in words))))
        found += [self._terms(name, fields.find(name), group) for name, group in terms.items()]
        return _either(found)

    def _terms(self, name: str, field: Field | None, terms: list[Term]) -> str:
        """One of `terms`, all of this field."""
        if field is None:
            return FALSE
        plain = [term.value for term in terms if not _has_wildcards(term.value)]
        wild = [term for term in terms if _has_wildcards(term.value)]
        if isinstance(field, Text):
            return _either([self._vocabulary(term, field) for term in terms])
        if isinstance(field, Choice):
            found = [sql for value, sql in field.values if any(_like(value, term) for term in terms)]
        elif isinstance(field, Exact):
            found = self._strings(
                f"lower({field.sql})" if field.folded else field.sql, plain, wild, folded=field.folded
            )
        elif isinstance(field, Lookup):
            found = [
                f"{field.column} IN ({field.sql.format(test=test)})" for test in self._strings(field.key, plain, wild)
            ]
        elif isinstance(field, Valued) and field.exact:
            found = [
                _POSTING.format(name=self.parameter(field.name), test=test)
                for test in self._strings("v.text", plain, wild)
            ]
        elif isinstance(field, Valued):
            found = [
                _POSTING.format(name=self.parameter(field.name), test=_either([self._value(term) for term in terms]))
            ]
        elif isinstance(field, Moment):
            found = [self._moment(field, term.value, term.value, True, True, term.at) for term in terms]
        else:
            found = [
                self._number(field, _number(name, term.value), _number(name, term.value), True, True) for term in terms
            ]
        return _either(found)

    def _strings(self, sql: str, plain: list[str], wild: list[Term], *, folded: bool = False) -> list[str]:
        """Conditions that `sql` is one of these strings or fits one of these patterns."""
        found = []
        if len(plain) == 1:
            found.append(f"{sql} = {self.parameter(plain[0].lower() if folded else plain[0])}")
        elif plain:
            found.append(
                f"{sql} IN ({', '.join(self.parameter(value.lower() if folded else value) for value in plain)})"
            )
        for term in wild:
            found.append(f"{sql} GLOB {self.parameter(glob(term.value.lower() if folded else term.value))}")
        return found

    def _vocabulary(self, term: Term, field: Text) -> str:
        """Words with wildcards inside: looked up among all words of the index first."""
        folded = fold(term.value)
        columns = f"{{{' '.join(field.columns)}}} : " if field.columns else ""
        words = _WORDS.format(
            columns=self.parameter(columns),
            pattern=self.parameter(glob(folded)),
            stem=self.parameter(glob(_stemmed(folded))),
            start=self.parameter(start := _fixed_start(glob(folded))),
            end=self.parameter(f"{start}\U0010ffff"),
        )
        return _TEXT.format(words)

    def _value(self, term: Term) -> str:
        """A metadata value: the same number, or a text with these words in a row; in quotes nothing but them."""
        number = as_number(term.value)
        if number is not None:
            return f"v.number = {self.parameter(number)}"
        if _has_wildcards(term.value):
            return f"lower(v.text) GLOB {self.parameter(glob(term.value.lower()))}"
        if term.phrase:
            return f"v.words = {self.parameter(f' {indexed(term.value)} ')}"
        row = " ".join(part for chunk in chunks(term.value) for part in parts(chunk))
        return f"instr(v.words, {self.parameter(f' {row} ')})" if row else FALSE

    def _range(self, node: Range, field: Field | None) -> str:
        if field is None:
            return FALSE
        if node.low is None and node.high is None:
            return self._present(field)
        if isinstance(field, Moment):
            return self._moment(field, node.low, node.high, node.include_low, node.include_high, node.at)
        if isinstance(field, Number):
            return self._number(
                field, _bound(node.field, node.low), _bound(node.field, node.high), node.include_low, node.include_high
            )
        if isinstance(field, Valued) and not field.exact:
            return _POSTING.format(name=self.parameter(field.name), test=self._value_range(node))
        if isinstance(field, Valued):
            return _POSTING.format(name=self.parameter(field.name), test=self._between("v.text", node))
        if isinstance(field, Exact):
            return self._between(field.sql, node)
        if isinstance(field, Lookup):
            return f"{field.column} IN ({field.sql.format(test=self._between(field.key, node))})"
        raise search_error(f"The field '{node.field}' has no order; ranges of it cannot be searched.")

    def _value_range(self, node: Range) -> str:
        low, high = (None if end is None else as_number(end) for end in (node.low, node.high))
        if (low is None) != (node.low is None) or (high is None) != (node.high is None):
            return self._between("v.text", node)  # such as dates of experiments
        return self._ends("v.number", low, high, node.include_low, node.include_high)

    def _between(self, sql: str, node: Range) -> str:
        return self._ends(sql, node.low, node.high, node.include_low, node.include_high)

    def _ends(self, sql: str, low: Any, high: Any, include_low: bool, include_high: bool) -> str:
        tests = []
        if low is not None:
            tests.append(f"{sql} {'>=' if include_low else '>'} {self.parameter(low)}")
        if high is not None:
            tests.append(f"{sql} {'<=' if include_high else '<'} {self.parameter(high)}")
        return _all(tests) if tests else f"{sql} IS NOT NULL"

    def _moment(
        self, field: Moment, low: str | None, high: str | None, include_low: bool, include_high: bool, at: int
    ) -> str:
        """Ends are intervals themselves (a second, a day): all of them is in or out."""
        try:
            first = None if low is None else dates.interval(low, self.now)[0 if include_low else 1]
            last = None if high is None else dates.interval(high, self.now)[1 if include_high else 0]
        except ValueError:
            raise search_error(
                f"Invalid date in '{low if high is None else high if low is None else f'{low} TO {high}'}' at position {at}."
            ) from None
        return self._ends(field.sql, first, last, include_low, include_high)

    def _number(
        self, field: Number, low: float | None, high: float | None, include_low: bool, include_high: bool
    ) -> str:
        test = self._ends(f"z.{field.column}" if field.own else field.column, low, high, include_low, include_high)
        return _OWN.format(test) if field.own else test

    def _present(self, field: Field) -> str:
        """The field has any value."""
        if isinstance(field, Text):
            columns = field.columns or ("title",)
            return _HAS_TEXT.format(" OR ".join(f"{column} != ''" for column in columns))
        if isinstance(field, Exact):
            return f"{field.sql} != ''"
        if isinstance(field, Lookup):
            return f"{field.column} IN ({field.sql.format(test=f'{field.key} IS NOT NULL')})"
        if isinstance(field, Valued):
            return _POSTING.format(name=self.parameter(field.name), test=TRUE)
        return TRUE


def glob(value: str) -> str:
    """A value with wildcard marks as SQLite's GLOB pattern."""
    escaped = "".join(f"[{character}]" if character in "*?[" else character for character in value)
    return escaped.replace(ANY_RUN, "*").replace(ANY_ONE, "?")


def _stemmed(folded: str) -> str:
    """A word with wildcard marks as a stem with the same marks: the index has stems only."""
    shorter = stem(folded.replace(ANY_RUN, "x").replace(ANY_ONE, "x"))
    return "".join(
        mark if mark in (ANY_RUN, ANY_ONE) else letter for mark, letter in zip(folded, shorter, strict=False)
    )


def _fixed_start(pattern: str) -> str:
    """What comes before the first wildcard of a GLOB pattern."""
    for place, character in enumerate(pattern):
        if character in "*?[":
            return pattern[:place]
    return pattern


def _has_wildcards(value: str) -> bool:
    return ANY_RUN in value or ANY_ONE in value


def _like(value: str, term: Term) -> bool:
    """Does one of a field's choices fit the term?"""
    if not _has_wildcards(term.value):
        return term.value.lower() == value
    head = term.value.lower().split(ANY_RUN)[0].split(ANY_ONE)[0]
    return value.startswith(head)


def _number(name: str, text: str) -> float:
    number = as_number(text)
    if number is None:
        raise search_error(f"'{text.replace(ANY_RUN, '*').replace(ANY_ONE, '?')}' is no number; '{name}' has numbers.")
    return number


def _bound(name: str, text: str | None) -> float | None:
    return None if text is None else _number(name, text)


def _conjuncts(node: Node) -> list[Node]:
    """The nodes that must all hold for `node` to hold."""
    if isinstance(node, Boolean) and node.must and textmatch.needed_of(node, len(node.should)) == 0:
        parts = [one for child in node.must for one in _conjuncts(child)]
        return [*parts, Boolean(must_not=node.must_not)] if node.must_not else parts
    return [node]


def _start(nodes: list[Node]) -> str:
    """Where to start looking when there are no words: at what is likely to be the rarest."""
    best = ""
    for node in nodes:
        if isinstance(node, Term) and not _has_wildcards(node.value):
            if node.field in ("id", "name", "creator_user_id", "doi", "extras_doi"):
                return "row"
            if node.field in ("organization", "owner_org"):
                best = "circle"
            elif not best and isinstance(fields.find(node.field), Lookup | Valued):
                best = "row"
        elif isinstance(node, Boolean) and not best and node.should and not node.must and _same_circle_field(node):
            best = "circle"
    return best


def _same_circle_field(node: Boolean) -> bool:
    return not node.must_not and all(
        isinstance(one, Term) and one.field in ("organization", "owner_org") for one in node.should
    )


def _all(found: list[str]) -> str:
    if FALSE in found:
        return FALSE
    found = [sql for sql in found if sql != TRUE]
    return _tree(found, "AND") if found else TRUE


def _either(found: list[str]) -> str:
    if TRUE in found:
        return TRUE
    found = [sql for sql in found if sql != FALSE]
    return _tree(found, "OR") if found else FALSE


def _tree(found: list[str], operator: str) -> str:
    """Joined in halves, because SQLite limits how deep an expression may be."""
    if len(found) == 1:
        return found[0]
    middle = len(found) // 2
    return f"({_tree(found[:middle], operator)} {operator} {_tree(found[middle:], operator)})"
