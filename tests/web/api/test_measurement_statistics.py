"""`dcor_statistics` gives dclab's numbers, to the last digit, for all events and for gates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest
from dclab.statistics import get_statistics

from tests.support import samples
from tests.support.server import Appliance, Person

FEATURES = ["area_um", "deform", "bright_avg", "fl1_max"]
METHODS = {
    "Mean": "mean",
    "Median": "median",
    "Mode": "mode",
    "SD": "sd",
    "10th Percentile": "p10",
    "25th Percentile": "q25",
    "75th Percentile": "q75",
    "90th Percentile": "p90",
}
RANGE = {"name": "cells", "conditions": [{"feature": "area_um", "min": 70, "max": 110}]}
CORNERS = [[60, 0.03], [120, 0.03], [120, 0.09], [60, 0.09]]
POLYGON = {"name": "poly", "conditions": [{"x": "area_um", "y": "deform", "points": CORNERS}]}
BOTH = {"name": "both", "conditions": [*RANGE["conditions"], POLYGON["conditions"][0] | {"inverted": True}]}  # type: ignore[misc]


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, dict[str, Path]]]:
    """Ada with measurements of hers (and the real ones, where they are): their ids and paths."""
    appliance = Appliance(tmp_path_factory.mktemp("statistics") / "data")
    ada = appliance.person("ada")
    ada.circle("lab")
    dataset = ada.draft("lab", private=True)["id"]
    files = {}
    for number, path in enumerate([samples.synthetic("--seed", "3", events=300), *samples.measurements()]):
        files[ada.add(dataset, path, f"M{number}_{path.name}")["id"]] = path
    for one in files:
        appliance.jobs_done(one)
    yield ada, files
    appliance.stop()


def by_dclab(path: Path, gate: dict[str, Any] | None) -> tuple[int, dict[str, float]]:
    """Events and statistics of dclab, with its own filters."""
    with dclab.new_dataset(path) as ds:
        features = [name for name in FEATURES if name in ds]
        inside = np.ones(len(ds), dtype=bool)
        for one in gate["conditions"] if gate else []:
            if "points" in one:
                polygon = dclab.PolygonFilter(
                    axes=(one["x"], one["y"]), points=np.array(one["points"]), inverted=one.get("inverted", False)
                )
                inside &= polygon.filter(ds[one["x"]][:], ds[one["y"]][:])
                dclab.PolygonFilter.remove(polygon.unique_id)
            else:
                ds.config["filtering"][f"{one['feature']} min"] = one["min"]
                ds.config["filtering"][f"{one['feature']} max"] = one["max"]
        ds.filter.manual[:] = inside
        ds.apply_filter()
        header, values = get_statistics(ds, methods=list(METHODS), features=features)
        names = [(name, METHODS[method]) for name in features for method in METHODS]
        assert len(header) == len(names)
        return int(ds.filter.all.sum()), dict(zip(names, values, strict=True))


def test_all_numbers_are_those_of_dclab(furnished: tuple[Person, dict[str, Path]]) -> None:
    ada, files = furnished
    gates = [RANGE, POLYGON, BOTH]
    answer = ada.post("dcor_statistics", ids=list(files)[:12], features=FEATURES, gates=gates).result
    assert [one["id"] for one in answer] == list(files)[:12]
    compared = 0
    for one in answer:
        for gate, asked in zip(one["gates"], [None, *gates], strict=True):
            if gate["events"] is None:
                assert one["missing"]
                continue
            events, numbers = by_dclab(files[one["id"]], asked)
            assert gate["events"] == events
            for (feature, method), value in numbers.items():
                if feature in one["missing"]:
                    continue
                told = gate["features"][feature][method]
                assert (told == value) or (told is None and not np.isfinite(value)), (gate["name"], feature, method)
                compared += 1
    assert compared > 100


def test_share_rate_and_missing_features(furnished: tuple[Person, dict[str, Path]]) -> None:
    ada, files = furnished
    first, path = next(iter(files.items()))
    (answer,) = ada.get("dcor_statistics", ids=first, features="deform,userdef1", gates=json.dumps([RANGE])).result
    whole, gate = answer["gates"]
    with dclab.new_dataset(path) as ds:
        duration = float(ds["time"][-1] - ds["time"][0])
    assert answer["duration"] == pytest.approx(duration)
    assert whole["rate"] == pytest.approx(300 / duration)
    assert gate["share"] == gate["events"] / 300
    assert answer["missing"] == ["userdef1"]


@pytest.mark.parametrize(
    ("asked", "key", "words"),
    [
        ({"features": ["../etc"]}, "features", "is not the name of a scalar feature"),
        ({"gates": [{"name": "x", "conditions": []}]}, "gates", "needs between 1 and 10 conditions"),
        ({"gates": [{"conditions": [{"feature": "deform"}]}]}, "gates", "needs 'min' or 'max'"),
        ({"gates": [{"conditions": [{"feature": "deform", "min": 2, "max": 1}]}]}, "gates", "larger than its 'max'"),
        (
            {"gates": [{"conditions": [{"x": "area_um", "y": "deform", "points": [[0, 0], [1, 1]]}]}]},
            "gates",
            "needs between 3 and 500 corners",
        ),
        ({"gates": "[[["}, "gates", "Not JSON"),
        ({"youngs_modulus": "{{"}, "youngs_modulus", "Not JSON"),
        ({"ids": ["a"] * 13 + list("bcdefghijklmn")}, "ids", "Between 1 and 12 measurements"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    furnished: tuple[Person, dict[str, Path]], asked: dict[str, Any], key: str, words: str
) -> None:
    ada, files = furnished
    answer = ada.post("dcor_statistics", **{"ids": list(files)[:1], **asked})
    assert answer.status == 409
    assert words in answer.error[key][0]


def test_one_hidden_file_hides_all(furnished: tuple[Person, dict[str, Path]]) -> None:
    ada, files = furnished
    stranger = ada.appliance.person("eve")
    assert stranger.get("dcor_statistics", ids=next(iter(files))).status == 404
