"""Values as clients send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
