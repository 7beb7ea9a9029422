"""The language of package_revise."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.model import revision
from appliance.model.problem import Problem

ID1, ID2 = "3a6f0c11-0000-4000-8000-000000000001", "3a6f0c22-0000-4000-8000-000000000002"


def package() -> dict[str, Any]:
    return {
        "id": "x",
        "title": "T",
        "tags": [{"name": "GFP"}],
        "resources": [{"id": ID1, "name": "a.rtdc"}, {"id": ID2, "name": "b.rtdc", "sp:chip:maker": "me"}],
        "organization": {"id": "o", "name": "circle"},
    }


# --- flattened keys -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", "T"),
        ("organization__name", "circle"),
        ("resources__0__name", "a.rtdc"),
        ("resources__-1__name", "b.rtdc"),
        (f"resources__{ID2}__name", "b.rtdc"),
        ("resources__3a6f0c2__name", "b.rtdc"),
        ("resources__3a6f0__name", "a.rtdc"),  # the first whose id begins so
        ("tags__0", {"name": "GFP"}),
    ],
)
def test_a_key_leads_to_a_value(key: str, value: Any) -> None:
    assert revision.lookup(package(), key) == value


@pytest.mark.parametrize(
    "key",
    [
        "nothing",
        "resources__2__name",
        "resources__-3",
        "resources__abcde__name",
        "title__x",
        "resources__one",
        "resources__1x",
        "organization__0",
        "resources__extend",
        "",
    ],
)
def test_a_key_that_leads_nowhere(key: str) -> None:
    with pytest.raises(Problem) as refused:
        revision.lookup(package(), key)
    assert (refused.value.status, refused.value.fields) == (409, {key: [f"Unmatched key {key}"]})


def test_assigning() -> None:
    one = package()
    revision.assign(one, "resources__extend", [{"name": "c.rtdc"}])
    revision.assign(one, "resources__-1__description", "new")
    revision.assign(one, f"resources__{ID1}", {"description": "old"})
    revision.assign(one, "resources__3a6f0c2__sp:chip:maker", "you")
    revision.assign(one, "notes", "N")
    assert one["notes"] == "N"
    assert one["resources"] == [
        {"id": ID1, "name": "a.rtdc", "description": "old"},
        {"id": ID2, "name": "b.rtdc", "sp:chip:maker": "you"},
        {"name": "c.rtdc", "description": "new"},
    ]


@pytest.mark.parametrize(
    ("key", "part", "status"),
    [
        ("resources__extend", {"name": "c"}, 400),
        ("resources__5__name", "x", 409),
        ("nothing__x", "x", 409),
        ("title__x", "x", 409),
        ("resources__0", ["x"], 400),
        ("a__" * 20 + "a", "x", 400),
    ],
)
def test_assigning_what_does_not_fit(key: str, part: Any, status: int) -> None:
    with pytest.raises(Problem) as refused:
        revision.assign(package(), key, part)
    assert refused.value.status == status


# --- match, update, filter ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ({"title": "T"}, []),
        ({"title": "U", "id": "y"}, ["title", "id"]),
        ({"resources": [{"name": "a.rtdc"}]}, []),
        ({"resources": [{}, {}, {}]}, ["resources"]),
        ({"resources": [{"name": "b.rtdc"}]}, ["resources__0__name"]),
        ({"organization": {"name": "other", "colour": "red"}}, ["organization__name", "organization__colour"]),
        ({"organization": "circle"}, ["organization"]),
        ({"title": {"a": 1}}, ["title"]),
    ],
)
def test_match(pattern: Any, wrong: list[str]) -> None:
    assert revision.mismatches(pattern, package()) == wrong


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        (["-*"], {"id": "x"}),
        (["+title", "-*"], {"id": "x", "title": "T"}),
        (["-title", "-tags", "-organization", "-resources__*"], {"id": "x", "resources": []}),
        (["-*", "+title"], {"id": "x"}),  # the first that matches wins
        (
            ["+organization__name", "-organization__*", "-resources", "-t*"],
            {"id": "x", "organization": {"id": "o", "name": "circle"}},
        ),
        ([f"-resources__{ID2}", "-t*", "-organization"], {"id": "x", "resources": [{"id": ID1, "name": "a.rtdc"}]}),
        (
            ["-resources__3a6f0c1", "-resources__*__sp:*", "-t*", "-organization"],
            {"id": "x", "resources": [{"id": ID2, "name": "b.rtdc"}]},
        ),
    ],
)
def test_filter(patterns: list[str], kept: Any) -> None:
    assert revision.select(package(), patterns) == kept


@pytest.mark.parametrize("pattern", ["title", "", "-", "*x"])
def test_a_filter_begins_with_a_sign(pattern: str) -> None:
    with pytest.raises(Problem) as refused:
        revision.select(package(), [pattern])
    assert refused.value.status == 400


def test_update_merges_deeply() -> None:
    update = {
        "title": "U",
        "resources": [{"description": "d"}, {}, {"name": "c.rtdc"}],
        "organization": {"colour": "red"},
        "new": [1],
    }
    assert revision.merge(package(), update) == {
        "id": "x",
        "title": "U",
        "tags": [{"name": "GFP"}],
        "resources": [
            {"id": ID1, "name": "a.rtdc", "description": "d"},
            {"id": ID2, "name": "b.rtdc", "sp:chip:maker": "me"},
            {"name": "c.rtdc"},
        ],
        "organization": {"id": "o", "name": "circle", "colour": "red"},
        "new": [1],
    }


@pytest.mark.parametrize("update", [{"resources": {"0": {}}}, {"organization": [1]}])
def test_an_object_is_no_list(update: Any) -> None:
    with pytest.raises(Problem) as refused:
        revision.merge(package(), update)
    assert (refused.value.status, refused.value.kind) == (400, "Integrity Error")


# --- what holds for every value -----------------------------------------------------------------------------------------

KEYS = st.sampled_from(["id", "name", "a", "b", "resources"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(KEYS, JSON, max_size=5)


def merged(value: Any, update: Any) -> Any:
    """`merge`, for the cases in which it is possible."""
    try:
        return revision.merge(value, update)
    except Problem:
        assume(False)


@given(OBJECTS, OBJECTS)
def test_what_was_updated_matches(value: Any, update: Any) -> None:
    assert revision.mismatches(update, merged(value, update)) == []


@given(OBJECTS, OBJECTS)
def test_updating_twice_is_updating_once(value: Any, update: Any) -> None:
    once = merged(value, update)
    assert merged(once, update) == once


@given(OBJECTS, OBJECTS)
def test_updating_leaves_its_arguments_alone(value: Any, update: Any) -> None:
    before = copy.deepcopy((value, update))
    merged(value, update)
    assert (value, update) == before


@given(OBJECTS)
def test_nothing_changes_nothing(value: Any) -> None:
    assert revision.merge(value, {}) == value
    assert revision.select(value, []) == value
    assert revision.mismatches({}, value) == []
    assert revision.mismatches(value, value) == []


@given(OBJECTS, st.lists(st.from_regex(r"[+-][a-z*]{1,4}(__[a-z0-9*]{1,5}){0,2}", fullmatch=True), max_size=4))
def test_a_filter_only_removes_and_ids_survive(value: Any, patterns: list[str]) -> None:
    kept = revision.select(value, patterns)
    assert kept.keys() <= value.keys()
    assert ("id" in kept) == ("id" in value)


@given(
    OBJECTS,
    st.lists(st.sampled_from(["a", "b", "id", "0", "-1", "9", "extend", "abcdef"]), min_size=1, max_size=5),
    JSON,
)
def test_assigning_puts_the_value_where_looking_up_finds_it(value: Any, parts: list[str], part: Any) -> None:
    key = "__".join(parts)
    changed = copy.deepcopy(value)
    try:
        revision.assign(changed, key, part)
    except Problem as refused:
        assert refused.status in {400, 409}  # noqa: PT017 - either is fine
        return
    if parts[-1] == "extend":
        return
    found = revision.lookup(changed, key)
    assert revision.mismatches(part, found) == []
