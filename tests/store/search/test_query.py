"""Parameters of package_search and their refusals, word for word where upstream's are known."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.model.problem import Problem
from appliance.store.search import SearchQuery


def refused(**parameters: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        SearchQuery.from_parameters(parameters).trees()
    return caught.value


def test_unknown_parameter() -> None:
    problem = refused(foo="x")
    assert (problem.status, problem.kind) == (400, "Search Query Error")
    assert problem.message == "Search Query is invalid: \"Invalid search parameters: ['foo']\""


@pytest.mark.parametrize("sort", ["foo bar", "foo asc", "name", "name upward", "name asc,, id asc", "name asc; drop"])
def test_bad_sort(sort: str) -> None:
    problem = refused(sort=sort)
    assert (problem.status, problem.kind) == (400, "Search Query Error")
    assert problem.message == "Search Query is invalid: 'Invalid \"sort\" parameter'"


def test_bad_rows() -> None:
    problem = refused(rows="x")
    assert (problem.status, problem.kind) == (409, "Validation Error")
    assert problem.fields == {"rows": ["Invalid integer", "Please enter an integer value"]}


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({"start": "x"}, {"start": ["Invalid integer"]}),
        ({"rows": -1}, {"rows": ["Must be a natural number"]}),
        ({"start": "-1"}, {"start": ["Must be a natural number"]}),
        ({"rows": True}, {"rows": ["Invalid integer", "Please enter an integer value"]}),
        ({"rows": [1]}, {"rows": ["Invalid integer", "Please enter an integer value"]}),
        (
            {"rows": "1e3", "start": "y"},
            {"rows": ["Invalid integer", "Please enter an integer value"], "start": ["Invalid integer"]},
        ),
        ({"facet.field": "[1]"}, {"facet.field": ["Not a list of strings"]}),
        ({"facet.field": '["a'}, {"facet.field": ["Could not parse as valid JSON"]}),
        ({"facet.field": "tags,groups"}, {"facet.field": ["Could not parse as valid JSON"]}),
        ({"facet.field": 5}, {"facet.field": ["Not a list"]}),
        ({"q": 5}, {"q": ["Must be a string"]}),
        ({"fq_list": ["a", 5]}, {"fq_list": ["Must be a list of strings"]}),
    ],
)
def test_bad_values(parameters: dict[str, Any], fields: dict[str, Any]) -> None:
    problem = refused(**parameters)
    assert (problem.status, problem.kind, problem.fields) == (409, "Validation Error", fields)


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": "title:("},
        {"fq": "title:("},
        {"fq_list": ["a", "(b"]},
        {"q": "{!func}x"},
        {"fq": "{!join}x"},
        {"q": "(b", "defType": "lucene"},
    ],
)
def test_syntax_errors(parameters: dict[str, Any]) -> None:
    problem = refused(**parameters)
    assert (problem.status, problem.kind) == (409, "Search Error")
    assert problem.message.startswith("Search error: ")


def test_syntax_error_says_cannot_parse() -> None:
    assert "Cannot parse 'title:('" in refused(q="title:(").message.replace("\\", "")


def test_values_as_a_url_and_as_json_write_them() -> None:
    url = {
        "q": "a",
        "rows": "20",
        "start": "5",
        "include_private": "True",
        "include_drafts": "False",
        "facet.field": '["tags", "groups"]',
        "fl": "id,name",
        "fq": "",
        "facet.limit": "-1",
    }
    body = {
        "q": "a",
        "rows": 20,
        "start": 5,
        "include_private": True,
        "include_drafts": False,
        "facet.field": ["tags", "groups"],
        "fl": ["id", "name"],
        "fq": "",
        "facet.limit": -1,
    }
    query = SearchQuery.from_parameters(url)
    assert query == SearchQuery.from_parameters(body)
    assert (query.rows, query.start, query.include_private, query.include_drafts) == (20, 5, True, False)
    assert (query.facet_fields, query.fl, query.facet_limit) == (("tags", "groups"), ("id", "name"), -1)


def test_defaults_and_cap() -> None:
    query = SearchQuery.from_parameters({})
    assert (query.q, query.rows, query.start, query.include_private, query.facet_limit) == ("", 10, 0, False, 50)
    assert SearchQuery.from_parameters({"rows": "5000"}).rows == 1000
    assert SearchQuery.from_parameters({"sort": "rank"}).sort == query.sort


@pytest.mark.parametrize("key", ["ext_anything", "use_default_schema", "wt", "extras"])
def test_harmless_parameters_are_taken(key: str) -> None:
    assert SearchQuery.from_parameters({key: "x"}) == SearchQuery()


@pytest.mark.parametrize("key", ["qf", "bf", "boost", "tie"])
def test_weights_are_refused_instead_of_ignored(key: str) -> None:
    assert refused(**{key: "title^9"}).status == 400


def test_what_no_database_holds_is_replaced() -> None:
    assert SearchQuery.from_parameters({"q": "a\x00\ud800"}).q == "a ?"


def test_too_many_filters() -> None:
    assert "at most 100" in refused(fq_list=["a"] * 101).message
