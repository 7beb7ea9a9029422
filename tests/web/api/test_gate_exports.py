"""The events of a gate as files: dclab opens them and finds the events that its own filters select; nobody else gets them; they expire."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest

from tests.support.samples import synthetic
from tests.support.server import Appliance, Person, wait_for

GATES = [
    {"name": "box", "conditions": [{"feature": "area_um", "min": 70, "max": 110}, {"feature": "deform", "max": 0.06}]},
    {"name": "not box", "conditions": [{"gate": "box", "inverted": True}]},
    {"name": "none", "conditions": [{"feature": "area_um", "min": 1e9}]},
    {"name": "missing", "conditions": [{"feature": "userdef7", "min": 1}]},
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    appliance = Appliance(tmp_path_factory.mktemp("exports") / "data")
    yield appliance
    appliance.stop()


@pytest.fixture(scope="module")
def measured(lab: Appliance) -> tuple[Person, str, Path]:
    """Ada, the id of an active measurement of hers, and the file."""
    ada, path = lab.person("ada"), synthetic("--seed", "5", events=400)
    ada.circle("lab")
    dataset = ada.draft("lab", private=True)["id"]
    file = ada.add(dataset, path, "M1.rtdc")["id"]
    lab.jobs_done(file)
    ada.activate(dataset)
    return ada, file, path


def made(person: Person, file: str, gate: str, form: str) -> dict[str, Any]:
    """Ask for an export and wait for its end."""
    answer = person.post("dcor_gate_export", id=file, gates=GATES, gate=gate, format=form)
    assert answer.status == 200, answer.error

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = person.get("dcor_gate_export_show", id=answer.result["id"]).result
        return found if found["state"] in ("done", "failed") else None

    return wait_for(ended, seconds=90)


def by_dclab(path: Path) -> Any:
    """What dclab's own filters select of the box."""
    with dclab.new_dataset(path) as ds:
        ds.config["filtering"]["area_um min"], ds.config["filtering"]["area_um max"] = 70, 110
        ds.config["filtering"]["deform min"], ds.config["filtering"]["deform max"] = -1, 0.06
        ds.apply_filter()
        return ds.filter.all.copy()


def test_dclab_opens_the_exported_events(measured: tuple[Person, str, Path], tmp_path: Path) -> None:
    ada, file, path = measured
    inside = by_dclab(path)
    for gate, wanted in (("box", inside), ("not box", ~inside)):
        found = made(ada, file, gate, "rtdc")
        assert (found["state"], found["events"]) == ("done", int(wanted.sum()))
        assert found["name"] == f"M1_{gate}.rtdc"
        answer = ada.fetch(found["url"])
        assert answer.status_code == 200
        assert len(answer.content) == found["size"]
        target = tmp_path / f"{gate}.rtdc"
        target.write_bytes(answer.content)
        with dclab.new_dataset(path) as ds, dclab.new_dataset(target) as some:
            assert len(some) == int(wanted.sum())
            for feature in set(ds.features_innate) & set(ds.features_scalar):
                assert np.array_equal(some[feature][:], ds[feature][:][wanted]), feature
            numbers = np.flatnonzero(wanted)
            for place in (0, len(numbers) // 2, len(numbers) - 1):
                for feature in ("image", "mask"):
                    assert np.array_equal(some[feature][place], ds[feature][int(numbers[place])])
                for name in ds["trace"]:
                    assert np.array_equal(some["trace"][name][place], ds["trace"][name][int(numbers[place])])
            assert some.config["setup"]["chip region"] == ds.config["setup"]["chip region"]
        assert ada.post("dcor_gate_export_delete", id=found["id"]).status == 200
        assert ada.fetch(found["url"]).status_code == 404


@pytest.mark.parametrize(("form", "separator"), [("csv", ","), ("tsv", "\t")])
def test_texts_hold_the_same_numbers(measured: tuple[Person, str, Path], form: str, separator: str) -> None:
    ada, file, path = measured
    found = made(ada, file, "box", form)
    rows = list(csv.DictReader(io.StringIO(ada.fetch(found["url"]).text), delimiter=separator))
    with dclab.new_dataset(path) as ds:
        inside = by_dclab(path)
        assert len(rows) == int(inside.sum()) == found["events"]
        for feature in ("area_um", "deform", "bright_avg", "time"):
            values = ds[feature][:][inside]
            assert [values.dtype.type(row[feature]) for row in rows] == list(values)


def test_what_cannot_be_exported_says_why(measured: tuple[Person, str, Path]) -> None:
    ada, file, _path = measured
    assert made(ada, file, "none", "rtdc")["error"] == "No event is in the gate."
    assert made(ada, file, "missing", "csv")["error"] == "The file lacks a feature that the gate needs."
    for more, key in (({"format": "xls"}, "format"), ({"gate": "nobody"}, "gate"), ({"gates": [{}]}, "gates")):
        answer = ada.post("dcor_gate_export", **{"id": file, "gates": GATES, "gate": "box", **more})
        assert answer.status == 409
        assert key in answer.error


def test_an_export_belongs_to_whoever_asked_for_it_and_ends_with_the_right(
    measured: tuple[Person, str, Path], lab: Appliance
) -> None:
    ada, file, _path = measured
    eve = lab.member("circle", "lab", "eve", "member")
    found = made(eve, file, "box", "csv")
    assert eve.fetch(found["url"]).status_code == 200
    assert ada.fetch(found["url"]).status_code == 404
    assert ada.get("dcor_gate_export_show", id=found["id"]).status == 404
    assert lab.nobody.fetch(found["url"]).status_code in (403, 404)
    ada.post("organization_member_delete", id="lab", username="eve")
    assert eve.fetch(found["url"]).status_code == 404
    assert eve.get("dcor_gate_export_show", id=found["id"]).status == 404


def test_exports_expire_and_are_limited(measured: tuple[Person, str, Path], lab: Appliance) -> None:
    ada, file, _path = measured
    answers = [ada.post("dcor_gate_export", id=file, gates=GATES, gate="box", format="csv") for _ in range(12)]
    assert answers[-1].status == 429
    assert "already have 10 exports" in answers[-1].message
    first = next(one.result for one in answers if one.status == 200)
    wait_for(lambda: ada.get("dcor_gate_export_show", id=first["id"]).result["state"] == "done", seconds=90)
    with lab.context.db.write() as tx:
        tx.execute("UPDATE gate_export SET expires = '2020-01-01T00:00:00.000000'")
    assert ada.fetch(f"/gate-export/{first['id']}").status_code == 404
    assert ada.post("dcor_gate_export", id=file, gates=GATES, gate="box").status == 200
    assert (
        len(ada.get("package_show", id=ada.get("resource_show", id=file).result["package_id"]).result["resources"]) == 1
    )
