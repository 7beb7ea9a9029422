"""Comparing one field with a value or a range, as an SQL condition over the dataset row ``d`` with named parameters.

Each is a comparison with a column or ``d.pk IN (…)``, so that SQLite can start from the rarest.
"""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from appliance.model.messages import Message
from appliance.store.search import dates
from appliance.store.search.ast import ANY_ONE, ANY_RUN, Range, Term
from appliance.store.search.errors import search_error
from appliance.store.search.fields import Choice, Exact, Field, Lookup, Moment, Number, Text, Valued
from appliance.store.search.index import as_number
from appliance.store.search.sql import FALSE, TRUE, all_of, any_of
from appliance.store.search.words import chunks, fold, indexed, parts, stem

MATCHING = "d.pk IN (SELECT rowid FROM search_text WHERE search_text MATCH {})"
_POSTING = """d.pk IN (SELECT p.pk FROM search_value v CROSS JOIN search_posting p ON p.value_id = v.id
 WHERE v.field_id = (SELECT id FROM search_field WHERE name = {name}) AND {test})"""
_WORDS = """(SELECT {columns} || '("' || coalesce(group_concat(term, '" OR "'), '') || '")' FROM
 (SELECT term FROM search_vocabulary WHERE (term GLOB {pattern} OR term GLOB {stem}) AND term BETWEEN {start} AND {end} LIMIT 500))"""
_HAS_TEXT = "d.pk IN (SELECT rowid FROM search_text WHERE {})"
_OWN = "d.pk IN (SELECT z.pk FROM search_dataset z WHERE {})"


class Comparisons:
    """Writes comparisons and collects their parameters.

    :param now: what ``NOW`` in dates means.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now
        self.parameters: dict[str, Any] = {}
        self._numbers = count()

    def parameter(self, value: Any) -> str:
        """A placeholder for `value`."""
        name = f"q{next(self._numbers)}"
        self.parameters[name] = value
        return f":{name}"

    def any_term(self, name: str, field: Field | None, terms: list[Term]) -> str:
        """One of `terms`, all of this field."""
        if field is None:
            return FALSE
        plain = [term.value for term in terms if not has_wildcards(term.value)]
        wild = [term for term in terms if has_wildcards(term.value)]
        if isinstance(field, Text):
            return any_of([self._vocabulary(term, field) for term in terms])
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
                _POSTING.format(name=self.parameter(field.name), test=any_of([self._value(term) for term in terms]))
            ]
        elif isinstance(field, Moment):
            found = [self._moment(field, term.value, term.value, True, True, term.at) for term in terms]
        else:
            found = [
                self._number(field, _number(name, term.value), _number(name, term.value), True, True) for term in terms
            ]
        return any_of(found)

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
        return MATCHING.format(words)

    def _value(self, term: Term) -> str:
        """A metadata value: the same number, or a text with these words in a row; in quotes nothing but them."""
        number = as_number(term.value)
        if number is not None:
            return f"v.number = {self.parameter(number)}"
        if has_wildcards(term.value):
            return f"lower(v.text) GLOB {self.parameter(glob(term.value.lower()))}"
        if term.phrase:
            return f"v.words = {self.parameter(f' {indexed(term.value)} ')}"
        row = " ".join(part for chunk in chunks(term.value) for part in parts(chunk))
        return f"instr(v.words, {self.parameter(f' {row} ')})" if row else FALSE

    def in_range(self, node: Range, field: Field | None) -> str:
        """The field has a value in the range. Raises Problem 409 where the field has no order."""
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
        raise search_error(
            Message("The field '%(field)s' has no order; it cannot be searched by range.", field=node.field)
        )

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
        return all_of(tests) if tests else f"{sql} IS NOT NULL"

    def _moment(
        self, field: Moment, low: str | None, high: str | None, include_low: bool, include_high: bool, at: int
    ) -> str:
        """Ends are intervals themselves (a second, a day): all of them is in or out."""
        try:
            first = None if low is None else dates.interval(low, self.now)[0 if include_low else 1]
            last = None if high is None else dates.interval(high, self.now)[1 if include_high else 0]
        except ValueError:
            raise search_error(
                Message(
                    "Invalid date in '%(value)s' at position %(at)s.",
                    value=" TO ".join(one for one in (low, high) if one is not None),
                    at=at,
                )
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


def has_wildcards(value: str) -> bool:
    """Does it hold wildcard marks?"""
    return ANY_RUN in value or ANY_ONE in value


def _like(value: str, term: Term) -> bool:
    """Does one of a field's choices fit the term?"""
    if not has_wildcards(term.value):
        return term.value.lower() == value
    head = term.value.lower().split(ANY_RUN)[0].split(ANY_ONE)[0]
    return value.startswith(head)


def _number(name: str, text: str) -> float:
    number = as_number(text)
    if number is None:
        raise search_error(
            Message(
                "'%(names)s' is not a number; '%(name)s' holds numbers.",
                names=text.replace(ANY_RUN, "*").replace(ANY_ONE, "?"),
                name=name,
            )
        )
    return number


def _bound(name: str, text: str | None) -> float | None:
    return None if text is None else _number(name, text)
