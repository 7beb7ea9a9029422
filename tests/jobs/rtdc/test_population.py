"""What numbers over events may cost, and values that no picture can show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from appliance.jobs.rtdc import population
from appliance.jobs.rtdc.errors import RtdcError

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]


class Column:
    """A feature of many events that takes no memory."""

    def __init__(self, events: int) -> None:
        self.values = np.broadcast_to(np.float64(0.5), (events,))

    def __call__(self, name: str) -> Any:
        return self.values


def gates(number: int, corners: int) -> list[dict[str, Any]]:
    """Polygons around nothing."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = np.column_stack([10 + np.cos(angles), np.sin(angles)]).tolist()
    condition = {"x": "area_um", "y": "deform", "points": points, "inverted": False}
    return [{"name": f"gate {one}", "combine": "and", "conditions": [condition]} for one in range(number)]


def test_gates_with_too_many_corners_for_a_file_are_refused_at_once() -> None:
    request = {"features": [], "gates": gates(8, 500)}
    with pytest.raises(RtdcError, match=r"4000 corners, too many for a file with 2000000 events\. At most 1000"):
        population.describe(request, Column(2_000_000), 2_000_000)
    assert len(population.describe(request, Column(1000), 1000)["gates"]) == 9


def test_too_many_numbers_for_a_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population, "MOST_VALUES", 5000)
    with pytest.raises(RtdcError, match="request fewer"):
        population.describe({"features": ["a", "b", "c"], "gates": []}, Column(2000), 2000)
    assert population.describe({"features": ["a", "b"], "gates": []}, Column(2000), 2000)["events"] == 2000


@pytest.mark.parametrize(("low", "high"), [(-1.7e308, 1.7e308), (0.0, 5e-324), (1.0, 1.0 + 1e-15)])
def test_features_whose_bins_cannot_be_told_apart_have_no_counts_and_others_do(low: float, high: float) -> None:
    request = {"ranges": {"area_um": [low, high, 80], "deform": [0.0, 10.0, 5]}, "gates": []}
    (found,) = population.histograms(request, Column(10), 10)["gates"]
    assert set(found["counts"]) == {"deform"}
    assert sum(found["counts"]["deform"]) == 10
