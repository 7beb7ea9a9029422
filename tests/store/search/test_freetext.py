"""Free text as visitors type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model.problem import Problem
from appliance.store.search import freetext
from appliance.store.search.ast import ANY_RUN, ANY_TEXT, Boolean, Everything, Node, Term


def any_of(*values: str, needed: int) -> Boolean:
    return Boolean(should=tuple(Term(ANY_TEXT, value) for value in values), needed=needed)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("beads", any_of("beads", needed=1)),
        ("two words", any_of("two", "words", needed=2)),
        ("one two three", any_of("one", "two", "three", needed=2)),
        ("cells of human", any_of("cells", "human", needed=2)),
        ("the", any_of("the", needed=1)),
        ("beads beads", any_of("beads", needed=1)),
        ("beads OR cells", any_of("beads", "cells", needed=1)),
        ("beads & (cells)", any_of("beads", "(cells)", needed=2)),
        ('"unbalanced', any_of("unbalanced", needed=1)),
        ("bead*", any_of(f"bead{ANY_RUN}", needed=1)),
        ("*", Everything()),
        ("", Everything()),
        ("!!!", Term(ANY_TEXT, "")),
        (
            '"blood cell" -dead',
            Boolean(should=(Term(ANY_TEXT, "blood cell", phrase=True),), must_not=(Term(ANY_TEXT, "dead"),), needed=1),
        ),
        ("one AND two", Boolean(must=(Term(ANY_TEXT, "one"), Term(ANY_TEXT, "two")), needed=0)),
        ("one NOT two", Boolean(should=(Term(ANY_TEXT, "one"),), must_not=(Term(ANY_TEXT, "two"),), needed=1)),
        ("T-cell 2016-06", any_of("T-cell", "2016-06", needed=2)),
    ],
)
def test_tree(text: str, tree: Node) -> None:
    assert freetext.parse(text) == tree


@pytest.mark.parametrize(
    ("rule", "needed"),
    [
        ("2<-1 5<80%", [1, 2, 2, 3, 4, 4, 5, 6, 7, 8]),
        ("100%", list(range(1, 11))),
        ("2", [1, 2, 2, 2, 2, 2, 2, 2, 2, 2]),
        ("-1", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("3 < 90%", [1, 2, 3, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_minimum_match(rule: str, needed: list[int]) -> None:
    assert [freetext.required(count, rule) for count in range(1, 11)] == needed


def test_bad_minimum_match_is_refused() -> None:
    with pytest.raises(Problem, match="mm"):
        freetext.parse("a b c", "lots")


def test_local_parameters_are_refused() -> None:
    with pytest.raises(Problem, match="Local parameters"):
        freetext.parse("{!func}beads")


@given(st.text(max_size=200).filter(lambda text: not text.lstrip(" \t\r\n+-(").startswith("{!")))
def test_free_text_has_no_syntax_errors(text: str) -> None:
    freetext.parse(text)
