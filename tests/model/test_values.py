"""Values as clients send them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import values
from appliance.model.problem import Problem
from appliance.model.values import LARGEST, as_bool, as_natural


@pytest.mark.parametrize("value", [True, "True", "true", "1", 1, "yes", "on", "y", "t", " TRUE "])
def test_true(value: object) -> None:
    assert as_bool(value) is True


@pytest.mark.parametrize("value", [False, "False", "false", "0", 0, "no", "off", "n", "f", "", None, "None"])
def test_false(value: object) -> None:
    assert as_bool(value) is False


@pytest.mark.parametrize("value", ["maybe", 2, [], {}, 0.5])
def test_neither(value: object) -> None:
    with pytest.raises(ValueError):
        as_bool(value)


@given(st.integers(0, LARGEST))
def test_naturals(number: int) -> None:
    assert as_natural(number) == as_natural(str(number)) == number


@pytest.mark.parametrize(
    "value", [-1, "-1", 1.5, "1.5", "x", True, LARGEST + 1, "9" * 5000, float("nan"), float("inf")]
)
def test_no_naturals(value: object) -> None:
    with pytest.raises((ValueError, OverflowError)):
        as_natural(value)


def test_composing_takes_no_longer_than_the_text_is() -> None:
    """Marks of alternating classes are sorted in quadratic time; no language puts more than a handful on one letter."""
    assert values.nfc("u\u0308" + "\u0323" * 29) == unicodedata.normalize("NFC", "u\u0308" + "\u0323" * 29)
    assert values.nfc("—" * 100 + "u\u0308") == "—" * 100 + "ü"
    for marks in ("\u0301\u0323", "\u0f73", "\u0301\u0f75"):
        with pytest.raises(Problem, match="combining marks"):
            values.composed({"key": ["—a" + marks * 100_000]})
