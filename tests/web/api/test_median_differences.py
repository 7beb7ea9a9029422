"""Differences of medians: dclab's medians, intervals like those of a bootstrap by drawing, groups, and the events for mixed models."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest
from dclab import lme4
from dclab.statistics import get_statistics

from appliance.jobs.rtdc.resampling import bootstrap_medians
from tests.support import samples
from tests.support.server import Appliance, Person

GATE = {"name": "cells", "conditions": [{"feature": "area_um", "min": 60, "max": 120}]}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, dict[str, Path]]]:
    """Ada with four measurements of different sizes: ids and paths."""
    appliance = Appliance(tmp_path_factory.mktemp("differences") / "data")
    ada = appliance.person("ada")
    ada.circle("lab")
    dataset = ada.draft("lab", private=True)["id"]
    paths = [samples.synthetic("--seed", str(seed), events=200 + seed) for seed in (31, 32, 33, 34)]
    files = {ada.add(dataset, path, f"D{n}.rtdc")["id"]: path for n, path in enumerate(paths)}
    for one in files:
        appliance.jobs_done(one)
    yield ada, files
    appliance.stop()


def values(path: Path, feature: str) -> Any:
    """The feature of the events in the gate, as dclab's filter has them."""
    with dclab.new_dataset(path) as ds:
        ds.config["filtering"]["area_um min"], ds.config["filtering"]["area_um max"] = 60, 120
        ds.apply_filter()
        return np.array(ds[feature][:][ds.filter.all])


@pytest.mark.parametrize("size", [1, 2, 7, 8, 51, 400])
def test_bootstrap_medians_have_the_distribution_of_drawn_ones(size: int) -> None:
    rng = np.random.default_rng(size)
    known = np.sort(rng.lognormal(size=size))
    exact = bootstrap_medians(known, 20_000, np.random.default_rng(1))
    drawn = np.median(rng.choice(known, size=(20_000, size)), axis=1)
    spread = np.std(drawn) or 1.0
    for share in (0.025, 0.25, 0.5, 0.75, 0.975):
        # the distribution functions agree: at a quantile of one, the other's share is the same (three standard errors and the steps of a small sample)
        at = np.quantile(drawn, share)
        for side in ("left", "right"):
            ours, theirs = (np.searchsorted(np.sort(one), at, side=side) / 20_000 for one in (exact, drawn))
            assert abs(ours - theirs) < 3 * np.sqrt(0.5 / 20_000) + 0.004, (share, side)
    assert abs(exact.mean() - drawn.mean()) < 0.05 * spread


def test_differences_are_those_of_dclabs_medians_and_intervals_those_of_a_bootstrap(
    furnished: tuple[Person, dict[str, Path]],
) -> None:
    ada, files = furnished
    first, second = list(files)[:2]
    answer = ada.post(
        "dcor_median_differences", ids=[first, second], features=["deform"], gates=[GATE], gate="cells"
    ).result
    assert (answer["level"], answer["draws"], answer["seed"]) == (0.95, 2000, 0)
    (found,) = answer["features"]
    medians = []
    for one in (first, second):
        with dclab.new_dataset(files[one]) as ds:
            ds.config["filtering"]["area_um min"], ds.config["filtering"]["area_um max"] = 60, 120
            ds.apply_filter()
            medians.append(float(get_statistics(ds, methods=["Median"], features=["deform"])[1][0]))
    assert [one["median"] for one in found["measurements"]] == medians
    reference, other = found["measurements"]
    assert reference["difference"] is None
    assert other["difference"] == medians[1] - medians[0]
    rng = np.random.default_rng(5)
    a, b = (values(files[one], "deform").astype(float) for one in (first, second))
    drawn = np.median(rng.choice(b, (20_000, len(b))), axis=1) - np.median(rng.choice(a, (20_000, len(a))), axis=1)
    wide = np.quantile(drawn, 0.975) - np.quantile(drawn, 0.025)
    assert other["low"] == pytest.approx(np.quantile(drawn, 0.025), abs=0.12 * wide)
    assert other["high"] == pytest.approx(np.quantile(drawn, 0.975), abs=0.12 * wide)
    assert answer == ada.get(
        "dcor_median_differences", ids=f"{first},{second}", features="deform", gates=json.dumps([GATE]), gate="cells"
    ).result  # fmt: skip
    again = ada.post(
        "dcor_median_differences", ids=[first, second], features=["deform"], gates=[GATE], gate="cells", seed=7
    )
    assert again.result["features"][0]["measurements"][1]["low"] != other["low"]


def test_groups_are_compared_by_pairs_by_measurements_or_by_events(furnished: tuple[Person, dict[str, Path]]) -> None:
    ada, files = furnished
    ids = list(files)
    roles = ["control", "treatment", "control", "treatment"]

    def asked(replicates: list[int | None], some: list[str] = ids) -> dict[str, Any]:
        groups = [
            {"id": i, "group": g, "replicate": r} for i, g, r in zip(ids, roles, replicates, strict=True) if i in some
        ]
        answer = ada.post("dcor_median_differences", ids=some, features=["area_um"], groups=groups).result
        return dict(answer["features"][0]["groups"])

    medians = []
    for path in files.values():
        with dclab.new_dataset(path) as ds:
            medians.append(float(np.median(ds["area_um"][:])))
    wanted = (medians[1] + medians[3]) / 2 - (medians[0] + medians[2]) / 2
    pairs, loose, single = asked([1, 1, 2, 2]), asked([None] * 4), asked([None] * 4, ids[:2])
    assert (pairs["kind"], pairs["pairs"]) == ("pairs", 2)
    assert (loose["kind"], loose["control"], loose["treatment"]) == ("measurements", 2, 2)
    assert single["kind"] == "events"
    for one in (pairs, loose):
        assert one["difference"] == pytest.approx(wanted, rel=1e-12)
        assert one["low"] <= one["difference"] <= one["high"]
    assert single["difference"] == pytest.approx(medians[1] - medians[0], rel=1e-12)


@pytest.mark.parametrize(
    ("asked", "key", "words"),
    [
        ({"gate": "none"}, "gate", "There is no gate"),
        ({"reference": "other"}, "reference", "Name one of the measurements"),
        ({"groups": {"a": 1}}, "groups", "must be a list"),
        ({"groups": [{"id": "x", "group": "control"}]}, "groups", "one of the measurements"),
        ({"groups": "[["}, "groups", "Not JSON"),
        ({"youngs_modulus": "{{"}, "youngs_modulus", "Not JSON"),
        ({"gates": "[["}, "gates", "Not JSON"),
        ({"seed": 2**40}, "seed", "A number of at most"),
        ({"features": ["../x"]}, "features", "not the name of a scalar feature"),
    ],
)
def test_what_makes_no_sense_is_refused(
    furnished: tuple[Person, dict[str, Path]], asked: dict[str, Any], key: str, words: str
) -> None:
    ada, files = furnished
    answer = ada.post("dcor_median_differences", **{"ids": list(files)[:2], **asked})
    assert answer.status == 409
    assert words in answer.error[key][0]
    first = next(iter(files))
    for role, replicate in (("other", "1"), ("control", "0"), ("control", "one")):
        answer = ada.post(
            "dcor_median_differences", ids=[first], groups=[{"id": first, "group": role, "replicate": replicate}]
        )
        assert answer.status == 409
        assert "must be" in answer.error["groups"][0]


def test_the_events_are_those_that_dclabs_mixed_model_takes(
    furnished: tuple[Person, dict[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, files = furnished
    roles, repetitions = ["control", "treatment", "control", "treatment"], [1, 1, 2, 2]
    query = "&".join(f"r={one}&role={role}&rep={rep}" for one, role, rep in zip(files, roles, repetitions, strict=True))
    text = ada.fetch(f"/compare/export.csv?{query}&f=deform&f=userdef3&g={json.dumps([GATE])}").text
    lines = list(csv.DictReader(io.StringIO(text)))
    monkeypatch.setattr(lme4.rsetup, "has_lme4", lambda: True)  # R itself is not needed for its input
    model = lme4.Rlme4(feature="deform")
    for path, role, repetition in zip(files.values(), roles, repetitions, strict=True):
        ds = dclab.new_dataset(path)
        ds.config["filtering"]["area_um min"], ds.config["filtering"]["area_um max"] = 60, 120
        ds.apply_filter()
        model.add_dataset(ds, role, repetition)
        mine = [one for one in lines if (one["group"], one["repetition"]) == (role, str(repetition))]
        assert {one["region"] for one in mine} == {ds.config["setup"]["chip region"]}
        assert [float(one["deform"]) for one in mine] == model.get_feature_data(role, repetition).tolist()
        assert [int(one["event"]) - 1 for one in mine] == np.flatnonzero(ds.filter.all).tolist()
        assert {one["userdef3"] for one in mine} == {""}
    assert len(lines) == sum(len(values(path, "deform")) for path in files.values())
    assert ada.appliance.nobody.fetch(f"/compare/export.csv?{query}").status_code in {403, 404}
    assert ada.fetch(f"/compare/export.csv?r={next(iter(files))}&role=boss").status_code == 409
    assert ada.fetch("/compare/export.csv").status_code == 409
