"""Supplementary metadata: the schema and its types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import supplements
from appliance.model.problem import Problem

KEYS = {
    "general": "sample type, condition, replicate",
    "cells": "organism, cell type, condition, repetition, fixed, live, frozen, pathology, passage number, derivation, details",
    "artificial": "type, details",
    "chip": "channel width, comments, measurement count, maker, master name, master height, name, production date",
    "experiment": "delay, buffer osmolality, buffer ph, concentration, average brightness, tubing, details",
    "identifiers": "catalog numbers, geo, compounds, labels, tags",
}


@pytest.mark.parametrize("content", ["{", "[]", '{"key": "other"}'])
def test_a_wrong_schema_of_ones_own_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(Problem, match="nor a folder"):
        supplements.schema("medcial")
    (tmp_path / "01_blood.json").write_text(content)
    with pytest.raises(Problem, match=r"01_blood\.json"):
        supplements.schema(str(tmp_path))


def test_the_schema_is_dcors() -> None:
    schema = supplements.schema("standard")
    assert list(schema) == list(KEYS)
    for section, keys in KEYS.items():
        assert [item["key"] for item in schema[section]["items"]] == keys.split(", ")
        assert {"name", "items", "key", "requires"} <= schema[section].keys()
        for item in schema[section]["items"]:
            assert item["name"]
            assert item.get("type", "string") in {"boolean", "date", "float", "integer", "list", "string"}


@pytest.mark.parametrize(
    ("key", "sent", "kept"),
    [
        ("sp:cells:fixed", "true", True),
        ("sp:cells:fixed", "Yes", True),
        ("sp:cells:fixed", "1", False),
        ("sp:cells:fixed", False, False),
        ("sp:chip:channel width", "21", 21.0),
        ("sp:chip:channel width", 21, 21.0),
        ("sp:chip:production date", "2020-05-17", "2020-05-17"),
        ("sp:cells:passage number", "42", 42),
        ("sp:cells:passage number", 42, 42),
        ("sp:cells:passage number", 42.0, 42),
        ("sp:cells:organism", "human", "human"),
        ("sp:identifiers:tags", " GFP   HL60\n", "GFP HL60"),
        ("sp:cells:organism", "", None),
        ("sp:chip:channel width", None, None),
    ],
)
def test_values_get_their_type(key: str, sent: object, kept: object) -> None:
    value = supplements.parse("standard", key, sent)
    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("sp:chip:production date", "2020-15-31"),
        ("sp:chip:production date", "yesterday"),
        ("sp:cells:passage number", "peter"),
        ("sp:cells:passage number", "3.5"),
        ("sp:cells:passage number", 3.5),
        ("sp:cells:passage number", [1]),
        ("sp:chip:channel width", "wide"),
        ("sp:chip:channel width", "nan"),
        ("sp:chip:channel width", "1e999"),
        ("sp:chip:channel width", {"a": 1}),
    ],
)
def test_values_of_the_wrong_type_are_refused(key: str, sent: object) -> None:
    with pytest.raises(Problem) as refused:
        supplements.parse("standard", key, sent)
    assert refused.value.fields == {key: [f"Invalid value for '{key}': '{sent}'!"]}


@pytest.mark.parametrize("key", ["sp:chip:colour", "sp:cheese:kind", "sp:", "sp:chip", "chip:channel width"])
def test_unknown_keys_are_refused(key: str) -> None:
    with pytest.raises(Problem, match="Unknown supplementary key"):
        supplements.parse("standard", key, "x")


@given(
    st.sampled_from([f"sp:{section}:{key}" for section, keys in KEYS.items() for key in keys.split(", ")]),
    st.text() | st.floats() | st.integers() | st.booleans(),
)
def test_whatever_is_accepted_can_be_sent_and_stays(key: str, sent: object) -> None:
    try:
        value = supplements.parse("standard", key, sent)
    except Problem:
        return
    assert supplements.parse("standard", key, json.loads(json.dumps(value, allow_nan=False))) == value


def test_a_site_may_have_a_schema_of_its_own(tmp_path: Path) -> None:
    section = {"key": "ward", "name": "Ward", "items": [{"key": "bed", "name": "Bed", "type": "integer"}]}
    (tmp_path / "01_ward.json").write_text(json.dumps(section))
    assert supplements.parse(str(tmp_path), "sp:ward:bed", "7") == 7
    (tmp_path / "02_other.json").write_text(json.dumps(section))
    supplements.schema.cache_clear()
    with pytest.raises(Problem, match="must be the part of the file name"):
        supplements.schema(str(tmp_path))
