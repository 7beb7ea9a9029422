"""Messages are their English text, and keep template and values wherever they go."""

from __future__ import annotations

import copy
import json
import pickle
import sqlite3
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import messages
from appliance.model.messages import Message
from appliance.model.problem import invalid

HOSTILE = [
    "100 %",
    "%(name)s",
    "%s %d %(x)999999999d",
    "{0} {name!r}",
    "<b onload=x>&amp;</b>",
    "a\nb\r\x00",
    "x" * 10_000,
]
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))
NAMES = st.sampled_from(["name", "reason", "count", "x"])


def filled(template: str, values: dict[str, object]) -> Message:
    return Message(template, **values)


VALUES = st.dictionaries(NAMES, st.one_of(TEXTS, st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
TEMPLATES = st.lists(
    st.one_of(NAMES.map("%({})s".format), st.text(string.ascii_letters + " .{}<", max_size=10), st.just("%%")),
    max_size=8,
).map("".join)
FLAT = st.builds(filled, TEMPLATES, VALUES)
ANY = st.builds(filled, TEMPLATES, st.dictionaries(NAMES, st.one_of(TEXTS, FLAT)))


def same(one: str, other: str) -> bool:
    """Are both the same text, made of the same?"""
    if not isinstance(one, Message) or not isinstance(other, Message):
        return type(one) is type(other) and one == other
    return (
        str.__eq__(one, other)
        and one.template == other.template
        and one.values.keys() == other.values.keys()
        and all(
            same(value, other.values[name]) if isinstance(value, str) else value == other.values[name]  # type: ignore[arg-type]
            for name, value in one.values.items()
        )
    )


def test_a_message_is_its_english_text() -> None:
    said = Message("%(count)s of %(all)s files (100 %%) fail: %(reason)s", count=3, all=7.5, reason=Message("the end"))
    assert said == "3 of 7.5 files (100 %) fail: the end"
    assert json.dumps({"error": said}) == '{"error": "3 of 7.5 files (100 %) fail: the end"}'
    assert sqlite3.connect(":memory:").execute("SELECT ?, typeof(?1)", (said,)).fetchone() == (str(said), "text")
    assert Message("100 % as it is") == "100 % as it is"
    assert {said: 1}["3 of 7.5 files (100 %) fail: the end"] == 1


def test_errors_give_the_message_back() -> None:
    said = Message("The file %(name)s is truncated.", name="x")
    for error in (ValueError(said), invalid(message=said)):
        inner = Message("failed: %(reason)s", reason=error).values["reason"]
        assert isinstance(inner, Message)
        assert inner.values == {"name": "x"}


@given(ANY)
def test_copies_and_stored_ones_are_the_same(said: Message) -> None:
    assert same(pickle.loads(pickle.dumps(said)), said)
    assert same(copy.deepcopy(said), said)
    if len(said) <= messages.MOST_TEXT:
        assert same(messages.loads(messages.dumps({"cues": [said]}))["cues"][0], said)
        assert same(messages.whole(str.__str__(said), messages.parts(said)), said)


@given(TEXTS)
def test_plain_texts_stay_plain(text: str) -> None:
    assert messages.parts(text) == ""
    assert same(messages.whole(text, ""), text)
    assert same(messages.loads(messages.dumps([text]))[0], text)


@given(ANY, st.integers(1, 400))
def test_cut_is_as_short_as_asked(said: Message, most: int) -> None:
    assert len(messages.cut(said, most)) <= most
    assert same(messages.cut(said, len(said)), said)


def test_what_is_cut_is_the_longest_value() -> None:
    found = messages.cut(Message("The log %(name)s has %(count)s lines.", name="x" * 500, count=7), 60)
    assert isinstance(found, Message)
    assert found.endswith("x… has 7 lines.")
    assert len(found) == 60


def test_joined_and_mapped_keep_messages() -> None:
    one, two = Message("a %(x)s", x="B"), "100 %"
    found = messages.joined((one, two), " % ")
    assert found == "a B % 100 %"
    assert isinstance(found, Message)
    assert [same(value, kept) for value, kept in zip(found.values.values(), (one, two), strict=True)] == [True, True]  # type: ignore[arg-type]
    assert messages.joined(["a", "b"]) == "a b"
    assert messages.mapped(one, str.lower) == "a b"


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        [],
        {},
        {"template": "x"},
        {"template": 3, "values": {}},
        {"template": "x", "values": []},
        {"template": "x", "values": {}, "more": 1},
        {"template": "%(a)s", "values": {"a": None}},
        {"template": "%(a)s", "values": {"a": [1]}},
        {"template": "%(a)s", "values": {"a": float("nan")}},
        {"template": "%(a b)s", "values": {"a b": "x"}},
        {"template": "x" * (messages.MOST_TEMPLATE + 1), "values": {}},
        {"template": "%(a)s" * 300, "values": {"a": "x" * 10_000}},
        {"template": "x", "values": {f"n{number}": 1 for number in range(messages.MOST_VALUES + 1)}},
        {"template": "%(a)s", "values": {"a": {"template": "%(a)s", "values": {"a": {"other": 1}}}}},
    ],
)
def test_what_is_no_message_or_too_much_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"message|value"):
        messages.from_json(value)
    if isinstance(value, dict):
        assert type(messages.unpacked(value)) is dict
    assert messages.whole("text", json.dumps(value)) == "text"


@pytest.mark.parametrize("name", ["template", "cls", "self", "values"])
def test_a_value_may_have_any_name(name: str) -> None:
    found = messages.from_json({"template": f"a %({name})s", "values": {name: 1}})
    assert (found, copy.copy(found)) == ("a 1", "a 1")


def test_nesting_is_bounded() -> None:
    value: object = "x"
    for _level in range(messages.MOST_LEVELS):
        value = {"template": "%(a)s", "values": {"a": value}}
    assert messages.from_json(value) == "x"
    with pytest.raises(ValueError, match="too"):
        messages.from_json({"template": "%(a)s", "values": {"a": value}})


@pytest.mark.parametrize("template", ["%(x)999999999d", "%(x)*d", "%s%s%s%n", "{x.__class__}", "%(other)s", "%(x", "%"])
def test_nothing_but_plain_places_is_filled_in(template: str) -> None:
    assert messages.from_json({"template": template, "values": {"x": 1}}) == template


def test_stored_parts_of_another_text_do_not_count() -> None:
    assert same(messages.whole("interrupted", messages.parts(Message("a %(x)s", x=1))), "interrupted")
    assert messages.whole("text", "no JSON") == "text"
