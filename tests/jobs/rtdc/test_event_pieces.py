"""The events of a gate in pieces: the same as at once, and the gate is tested once however many pieces there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest

from appliance.jobs.rtdc import gating, resampling
from appliance.jobs.rtdc.reader import ReaderCache, read
from tests.support.samples import synthetic

TRIANGLE = {"x": "area_um", "y": "deform", "points": [[20.0, 0.0], [400.0, 0.0], [200.0, 0.3]]}
GATES = [
    {"name": "inside", "combine": "and", "conditions": [{**TRIANGLE, "inverted": False}]},
    {
        "name": "lower half", "combine": "and",
        "conditions": [
            {"gate": "inside", "inverted": False},
            {"feature": "deform", "min": None, "max": 0.064, "inverted": False},
        ],
    },
]  # fmt: skip


def asked(cache: ReaderCache, path: Path, **changes: Any) -> dict[str, Any]:
    request = {
        "what": "rows",
        "features": ["deform", "area_um"],
        "gates": GATES,
        "gate": "lower half",
        "start": 0,
        "count": 7,
    }
    answer = read(request | changes, path, cache)
    assert isinstance(answer, dict)
    return answer


def pieces(cache: ReaderCache, path: Path, **changes: Any) -> list[dict[str, Any]]:
    found = [asked(cache, path, **changes)]
    while found[-1]["next"] is not None:
        found.append(asked(cache, path, **changes, start=found[-1]["next"]))
    return found


def test_pieces_are_the_events_of_the_gate_and_test_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache, tests = synthetic(events=130), ReaderCache(), []
    polygons = gating.points_in_poly
    monkeypatch.setattr(gating, "points_in_poly", lambda **places: tests.append(1) or polygons(**places))
    found = pieces(cache, path)
    with dclab.new_dataset(path) as dataset:
        area, deform = dataset["area_um"][:], dataset["deform"][:]
        inside = dclab.PolygonFilter(axes=("area_um", "deform"), points=TRIANGLE["points"]).filter(area, deform)
    wanted = np.flatnonzero(inside & (deform <= 0.064))
    assert len(found) > 3
    assert [number for piece in found for number in piece["events"]] == wanted.tolist()
    assert [value for piece in found for value in piece["values"][0]] == deform[wanted].tolist()
    assert tests == [1]
    cache.close()


def test_another_question_is_answered_by_itself() -> None:
    path, cache = synthetic(events=130), ReaderCache()
    first = asked(cache, path)
    every = asked(cache, path, gate="", features=["area_um"], count=1000)
    assert every["events"] == list(range(130))
    assert len(every["values"]) == 1
    assert asked(cache, path) == first
    cache.close()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each test of a polygon from now on."""
    tests: list[int] = []
    polygons = gating.points_in_poly
    monkeypatch.setattr(gating, "points_in_poly", lambda **places: tests.append(1) or polygons(**places))
    return tests


def test_more_events_than_are_kept_are_read_once_for_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = synthetic(events=130), ReaderCache()
    wanted = [one for piece in pieces(cache, path, gate="inside") for one in piece["events"]]
    tests = counted(monkeypatch)
    fitting = 40
    monkeypatch.setattr(resampling, "MOST_SELECTED", fitting * 3 * 8)
    cache.close()
    fresh = ReaderCache()
    found = pieces(fresh, path, gate="inside", count=4)
    assert [one for piece in found for one in piece["events"]] == wanted
    assert len(wanted) > 2 * fitting
    assert len(tests) <= len(wanted) // fitting + 1
    fresh.close()


def test_tables_made_at_once_do_not_read_again_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = synthetic(events=130), ReaderCache()
    tests = counted(monkeypatch)
    for start in range(0, 60, 10):
        for features in (["deform"], ["area_um"], ["deform", "area_um"]):
            assert asked(cache, path, features=features, gate="inside", start=start)["events"]
    assert len(tests) == 3
    cache.close()
