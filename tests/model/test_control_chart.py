"""Control limits equal numpy's numbers, and the rules say what Westgard's article says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.model import control_chart as chart

numbers = some.lists(some.floats(-1e6, 1e6), min_size=3, max_size=60)


@given(numbers)
def test_limits_are_mean_and_sample_deviation_of_the_first_twenty(values: list[float]) -> None:
    found = chart.limits(values)
    assert found is not None
    first = values[:20]
    assert found.mean == pytest.approx(np.mean(first), rel=1e-9, abs=1e-6)
    assert found.sd == pytest.approx(np.std(first, ddof=1), rel=1e-9, abs=1e-6)
    assert (found.count, found.preliminary) == (len(first), len(values) < 20)
    assert found.line(-2) == pytest.approx(found.mean - 2 * found.sd)


def test_two_values_have_no_limits_and_equal_ones_no_deviation() -> None:
    assert chart.limits([1.0, 2.0]) is None
    found = chart.limits([5.0] * 4)
    assert found is not None
    assert found.deviations(5.0) is None
    assert chart.broken([5.0, 7.0], found) == [(), ()]


def test_later_values_do_not_move_the_limits() -> None:
    values = [float(number % 5) for number in range(20)]
    assert chart.limits([*values, 1e9]) == chart.limits(values)


@pytest.mark.parametrize(
    ("z", "rules"),
    [
        ([0.0, 2.9, 0.0], [(), (), ()]),
        ([0.0, 3.1, 0.0], [(), ("1-3s",), ()]),
        ([2.1, 2.2, 0.0], [(), ("2-2s",), ()]),
        ([2.1, -2.2, 2.1], [(), (), ()]),
        ([-2.1, 0.0, -2.2], [(), (), ()]),
        ([-2.5, -3.5, -2.5], [(), ("1-3s", "2-2s"), ("2-2s",)]),
    ],
)
def test_rules(z: list[float], rules: list[tuple[str, ...]]) -> None:
    assert chart.broken([10 + 2 * one for one in z], chart.Limits(10.0, 2.0, 20)) == rules
