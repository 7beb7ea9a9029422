"""Sessions for DCscope: filters select the events of the gates; what filters cannot say is left out."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import dclab
import numpy as np
import pytest

from appliance.jobs.rtdc import gating
from appliance.model import dcscope_session, gates, polygon_file
from appliance.model.youngs_modulus import checked
from tests.support.samples import synthetic

BOX = {
    "name": "box",
    "conditions": [{"feature": "area_um", "min": 60}, {"feature": "deform", "min": 0.01, "max": 0.08}],
}
POLYGON = {
    "name": "poly",
    "conditions": [{"x": "area_um", "y": "deform", "points": [[60, 0.02], [120, 0.02], [90, 0.1]]}],
}
OUTSIDE = {"name": "out", "conditions": [{**POLYGON["conditions"][0], "inverted": True}, {"gate": "box"}]}  # type: ignore[dict-item]
ELLIPSE = {
    "name": "ellipse",
    "conditions": [{"x": "area_um", "y": "deform", "centre": [90, 0.05], "axes": [[25, 0], [0, 0.03]]}],
}
EITHER = {"name": "either", "combine": "or", "conditions": [{"gate": "box"}, {"gate": "poly"}]}
NOT = {"name": "not", "conditions": [{"gate": "box", "inverted": True}]}
ALL = gates.checked([BOX, POLYGON, OUTSIDE, ELLIPSE, EITHER, NOT])
SLOTS = [
    dcscope_session.Slot(f"{n:08x}-0000-4000-8000-000000000000", f"M{n}.rtdc", f"https://host.example/api/3/action/dcserv?id={n}", n)
    for n in (1, 3)
]  # fmt: skip


def contents(**more: Any) -> dict[str, Any]:
    """The files of a session, parsed."""
    options = {"gates": ALL, "axes": ("area_um", "deform"), "young": None} | more
    packed = dcscope_session.archive(SLOTS, **options)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_filters_select_the_events_of_the_gates() -> None:
    state = contents()["filters.sof"]
    assert [one["name"] for one in state["filters"]] == ["box", "poly", "out", "ellipse"]
    assert dcscope_session.inexpressible(ALL) == ["either", "not"]
    with dclab.new_dataset(synthetic("--seed", "61", events=400)) as ds:
        known = {name: np.asarray(ds[name][:]) for name in ("area_um", "deform")}
        wanted = gating.masks(ALL, known, len(ds))
        for one in state["filters"]:
            inside = np.ones(len(ds), dtype=bool)
            for feature, box in one["box filters"].items():
                inside &= (known[feature] >= box["start"]) & (known[feature] <= box["end"])
            for number in one["polygon filters"]:
                polygon = state["polygon filters"][number]
                made = dclab.PolygonFilter(
                    axes=(polygon["axis x"], polygon["axis y"]), points=polygon["points"], inverted=polygon["inverted"]
                )
                inside &= made.filter(known[polygon["axis x"]], known[polygon["axis y"]])
                dclab.PolygonFilter.remove(made.unique_id)
            assert inside.any()
            assert np.array_equal(inside, wanted[one["name"]])


def test_slots_are_addresses_and_the_first_filter_is_on() -> None:
    found = contents(young=checked({"lut": "HE-3D-FEM-22", "medium": "water", "temperature": 23}))
    assert [found[f"slot_{n}.json"]["path"] for n in (0, 1)] == [one.url for one in SLOTS]
    assert set(found["remarks.json"]["formats"].values()) == {"dcor"}
    (row, _other) = found["matrix.json"].values()
    assert [row[one["identifier"]] for one in found["filters.sof"]["filters"]] == [True, False, False, False]
    assert row[found["plot_0.json"]["identifier"]] is True
    modulus = found["slot_0.json"]["emodulus"]
    assert (modulus["emodulus lut"], modulus["emodulus medium"], modulus["emodulus temperature"]) == (
        "HE-3D-FEM-22",
        "water",
        23,
    )
    assert found["slot_0.json"]["color"] != found["slot_1.json"]["color"]


@pytest.mark.parametrize("some", [[], [EITHER | {"conditions": BOX["conditions"]}]])
def test_a_session_without_filters_is_one(some: list[dict[str, Any]]) -> None:
    assert contents(gates=gates.checked(some))["filters.sof"] == {"filters": [], "polygon filters": []}


def test_gates_that_name_others_many_times_are_written_out_once() -> None:
    last = {"name": "g0", "conditions": [{"feature": "area_um", "min": 60}, POLYGON["conditions"][0]]}
    chain = [last] + [{"name": f"g{n}", "conditions": [{"gate": f"g{n - 1}"}] * 10} for n in range(1, 20)]
    filters = contents(gates=gates.checked(chain))["filters.sof"]
    assert len(filters["filters"]) == 20
    assert len(filters["polygon filters"]) == 1
    assert [one["polygon filters"] for one in filters["filters"]] == [[0]] * 20


def ellipses(count: int, *, step: float = 1) -> list[dict[str, Any]]:
    """Gates of nine ellipses each, `count` in all; each gate is within the one before it."""
    every = [{"x": "a", "y": "b", "centre": [n * step, 0], "axes": [[1, 0], [0, 1]]} for n in range(count)]
    pieces = [every[start : start + 9] for start in range(0, count, 9)]
    return [
        {"name": str(n), "conditions": [*piece, *([{"gate": str(n - 1)}] if n else [])]}
        for n, piece in enumerate(pieces)
    ]


def test_polygons_stand_in_the_session_once_however_many_filters_use_them() -> None:
    asked = gates.checked(ellipses(72))
    filters = contents(gates=asked)["filters.sof"]
    assert len(filters["polygon filters"]) == 72
    assert len(filters["filters"][-1]["polygon filters"]) == 72
    assert len(dcscope_session.archive(SLOTS, asked, ("a", "b"), None)) < 100 * gates.MOST_CORNERS
    assert len(contents(gates=gates.checked(ellipses(180, step=0)))["filters.sof"]["polygon filters"]) == 1


def test_more_corners_than_a_file_may_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="23040 corners, at most 10000"):
        contents(gates=gates.checked(ellipses(180)))
    with pytest.raises(ValueError, match="23040 corners, at most 10000"):
        polygon_file.text(gates.checked(ellipses(180)), "19")
    text = polygon_file.text(gates.checked(ellipses(72)), "7")
    assert text.count("[Polygon ") == 72
    assert len(text) < 100 * gates.MOST_CORNERS
