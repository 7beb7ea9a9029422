"""Gates of all shapes: combined ones give dclab's numbers, polygon files select the same events, saved ones are whose they should be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest
from dclab.statistics import get_statistics

from tests.support.samples import synthetic
from tests.support.server import Appliance, Person

AREA = {"feature": "area_um", "min": 70, "max": 110}
DEFORM = {"feature": "deform", "min": 0.02, "max": 0.08}
POLYGON = {"x": "area_um", "y": "deform", "points": [[60, 0.03], [120, 0.02], [110, 0.09], [65, 0.07]]}
ELLIPSE = {"x": "area_um", "y": "bright_avg", "centre": [90, 95], "axes": [[18, 3], [-2, 9]]}
GATES = [
    {"name": "box", "conditions": [AREA, DEFORM], "colour": "#1b7fd0"},
    {"name": "poly", "conditions": [POLYGON]},
    {"name": "ellipse", "conditions": [ELLIPSE]},
    {"name": "one side", "conditions": [{"feature": "deform", "min": 0.05}]},
    {"name": "outside", "conditions": [{"gate": "box", "inverted": True}]},
    {"name": "either", "combine": "or", "conditions": [{"gate": "poly"}, {"gate": "ellipse"}]},
    {"name": "neither", "conditions": [{"gate": "either", "inverted": True}]},
    {"name": "nested", "conditions": [{"gate": "outside"}, {"gate": "poly"}, {"feature": "area_um", "max": 100}]},
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """A circle of Ada (admin), Edi (editor) and Max (member)."""
    appliance = Appliance(tmp_path_factory.mktemp("gates") / "data")
    ada = appliance.person("ada")
    ada.circle("lab")
    yield appliance
    appliance.stop()


@pytest.fixture(scope="module")
def people(lab: Appliance) -> dict[str, Person]:
    return {
        "ada": lab.person("ada2"),
        "edi": lab.member("circle", "lab", "edi", "editor"),
        "max": lab.member("circle", "lab", "max", "member"),
        "boss": lab.member("circle", "lab", "boss", "admin"),
        "eve": lab.person("eve"),
    }


@pytest.fixture(scope="module")
def measured(lab: Appliance, people: dict[str, Person]) -> tuple[str, str, Path]:
    """An active private dataset: its id, that of its file, and the file."""
    path = synthetic("--seed", "5", events=900)
    dataset = people["edi"].draft("lab", private=True)["id"]
    file = people["edi"].add(dataset, path, "M1.rtdc")["id"]
    lab.jobs_done(file)
    people["edi"].activate(dataset)
    return dataset, file, path


def polygons(path: Path, tmp_path: Path, text: str) -> tuple[Any, int, list[float]]:
    """The events that dclab selects with a polygon file: which, how many, and their mean area and deformation."""
    file = tmp_path / "gate.poly"
    file.write_text(text)
    dclab.PolygonFilter.clear_all_filters()
    with dclab.new_dataset(path) as ds:
        for one in dclab.PolygonFilter.import_all(file):
            ds.polygon_filter_add(one)
        ds.apply_filter()
        _header, values = get_statistics(ds, methods=["Mean"], features=["area_um", "deform"])
        return ds.filter.all.copy(), int(ds.filter.all.sum()), list(values)


def test_a_polygon_file_selects_in_dclab_the_events_that_the_statistics_are_of(
    people: dict[str, Person], measured: tuple[str, str, Path], tmp_path: Path
) -> None:
    edi, (_dataset, file, path) = people["edi"], measured
    (answer,) = edi.post("dcor_statistics", ids=[file], features=["area_um", "deform"], gates=GATES).result
    found = {one["name"]: one for one in answer["gates"]}
    selected = {}
    for name in ("box", "poly", "ellipse", "one side", "outside", "neither", "nested"):
        text = edi.post("dcor_gate_file", gates=GATES, gate=name).result
        selected[name], events, means = polygons(path, tmp_path, text)
        assert 0 < events < 900, name
        assert found[name]["events"] == events, name
        assert [found[name]["features"][one]["mean"] for one in ("area_um", "deform")] == means, name
    either = selected["poly"] | selected["ellipse"]
    assert found["either"]["events"] == int(either.sum())
    assert np.array_equal(selected["neither"], ~either)
    assert np.array_equal(selected["outside"], ~selected["box"])


def test_bounds_of_a_range_belong_to_it_in_the_polygon_file_as_well(
    people: dict[str, Person], measured: tuple[str, str, Path], tmp_path: Path
) -> None:
    edi, (_dataset, file, path) = people["edi"], measured
    with dclab.new_dataset(path) as ds:
        areas = np.sort(np.asarray(ds["area_um"][:], dtype=float))
    low, high = float(areas[10]), float(areas[-10])
    gates = [
        {
            "name": "edges",
            "conditions": [{"feature": "area_um", "min": low, "max": high}, {"feature": "deform", "min": 0}],
        }
    ]
    (answer,) = edi.post("dcor_statistics", ids=[file], gates=gates).result
    _which, events, _means = polygons(path, tmp_path, edi.post("dcor_gate_file", gates=gates, gate="edges").result)
    assert answer["gates"][1]["events"] == events == int(((areas >= low) & (areas <= high)).sum())


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        ([{"conditions": [{**POLYGON, "points": [[0, 0], [1, 1], [2, 2]]}]}], "lie on one line"),
        ([{"conditions": [{**POLYGON, "points": [[5, 0], [5, 1], [5, 3], [5, 2]]}]}], "lie on one line"),
        ([{"conditions": [{**ELLIPSE, "axes": [[1, 2], [2, 4]]}]}], "has no area"),
        ([{"conditions": [{**ELLIPSE, "axes": [[0, 0], [0, 1]]}]}], "has no area"),
        ([{"conditions": [{**ELLIPSE, "axes": [1, 2]}]}], "needs a 'centre' and two 'axes'"),
        ([{"conditions": [{"gate": "cells"}]}], "refers to the gate 'cells', which is not in the list"),
        ([{"name": "a", "conditions": [{"gate": "b"}]}, {"name": "b", "conditions": [{"gate": "a"}]}], "refers to itself"),
        ([{"conditions": [AREA], "combine": "xor"}], "must be 'and' or 'or'"),
        ([{"conditions": [AREA], "colour": "red"}], "not of the form #1b7fd0"),
        ([{"conditions": [{"feature": "area_um", "min": 10**400}]}], "is not a number"),
    ],
)  # fmt: skip
def test_gates_that_are_none_are_refused(people: dict[str, Person], gates: Any, words: str) -> None:
    answer = people["edi"].post("dcor_gate_file", gates=gates, gate="Gate 1")
    assert answer.status == 409
    assert words in answer.error["gates"][0]


def test_what_no_polygon_file_can_say_is_refused(people: dict[str, Person]) -> None:
    for name, words in (("either", "knows no 'or'"), ("nobody", "There is no gate 'nobody'")):
        answer = people["edi"].post("dcor_gate_file", gates=GATES, gate=name)
        assert answer.status == 409
        assert words in answer.error["gates"][0]
    both = [*GATES, {"name": "not nested", "conditions": [{"gate": "nested", "inverted": True}]}]
    assert people["edi"].post("dcor_gate_file", gates=both, gate="not nested").status == 409


def test_saved_gates_are_ones_own_until_they_are_shared(
    people: dict[str, Person], measured: tuple[str, str, Path]
) -> None:
    dataset = measured[0]
    edi, member, boss, eve = (people[name] for name in ("edi", "max", "boss", "eve"))
    before = edi.get("package_show", id=dataset).result
    mine = edi.post("dcor_gate_save", id=dataset, name="cells", gates=GATES).result
    assert (mine["own"], mine["shared"], mine["user"]) == (True, False, "edi")
    assert member.get("dcor_gate_list", id=dataset).result == []
    edi.post("dcor_gate_save", id=dataset, name="cells", gates=GATES[:1], shared=True)
    (seen,) = member.get("dcor_gate_list", id=dataset).result
    assert (seen["id"], seen["own"], seen["shared"], len(seen["gates"])) == (mine["id"], False, True, 1)
    assert seen["gates"][0]["colour"] == "#1b7fd0"
    assert edi.get("package_show", id=dataset).result == before
    assert member.post("dcor_gate_delete", id=mine["id"]).status == 403
    assert member.post("dcor_gate_save", id=dataset, name="ours", gates=GATES, shared=True).status == 403
    assert member.post("dcor_gate_save", id=dataset, name="mine", gates=GATES).status == 200
    assert eve.get("dcor_gate_list", id=dataset).status == 404
    assert eve.post("dcor_gate_delete", id=mine["id"]).status == 404
    assert eve.post("dcor_gate_save", id=dataset, name="x", gates=GATES).status == 404
    assert boss.post("dcor_gate_delete", id=mine["id"]).status == 200
    assert [one["name"] for one in member.get("dcor_gate_list", id=dataset).result] == ["mine"]


def test_a_collaborator_of_one_dataset_keeps_own_gates_but_sees_none_of_the_circle(
    people: dict[str, Person], measured: tuple[str, str, Path], lab: Appliance
) -> None:
    dataset, guest = measured[0], lab.person("guest")
    people["boss"].post("package_collaborator_create", id=dataset, user_id="guest", capacity="editor")
    people["edi"].post("dcor_gate_save", id=dataset, name="ours", gates=GATES, shared=True)
    assert guest.get("dcor_gate_list", id=dataset).result == []
    assert guest.post("dcor_gate_save", id=dataset, name="theirs", gates=GATES, shared=True).status == 403
    guest.post("dcor_gate_save", id=dataset, name="theirs", gates=GATES)
    assert [one["name"] for one in guest.get("dcor_gate_list", id=dataset).result] == ["theirs"]


def test_nobody_keeps_without_end(people: dict[str, Person], measured: tuple[str, str, Path]) -> None:
    dataset, member = measured[0], people["max"]
    for number in range(60):
        answer = member.post("dcor_gate_save", id=dataset, name=f"set {number}", gates=GATES[:1])
        if answer.status != 200:
            break
    assert "already have 50 gate sets here" in answer.error["name"][0]
    assert member.post("dcor_gate_save", id=dataset, name="set 3", gates=GATES).status == 200
    assert member.post("dcor_gate_save", id=dataset, name=" ", gates=[]).error.keys() >= {"name", "gates"}
    assert all_deleted(member, dataset)


def all_deleted(person: Person, dataset: str) -> bool:
    """Delete all of a person's sets again."""
    for one in person.get("dcor_gate_list", id=dataset).result:
        if one["own"]:
            assert person.post("dcor_gate_delete", id=one["id"]).status == 200
    return not any(one["own"] for one in person.get("dcor_gate_list", id=dataset).result)
