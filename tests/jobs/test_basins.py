"""Basins of condensed files: which ones, and that files of one dataset find each other."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from appliance.jobs import basins
from appliance.store import jobs

from .conftest import Appliance

SITE = "https://dcor.example.org"


def resource(name: str = "A.rtdc") -> dict[str, str]:
    return {"id": "11111111-2222-4333-8444-555555555555", "dataset_id": "d", "name": name}


def test_original_is_reached_by_api_and_public_ones_by_http() -> None:
    private, public = (
        basins.of_resource(SITE, resource(), public=False),
        basins.of_resource(SITE, resource(), public=True),
    )
    assert [basin["format"] for basin in private] == ["dcor"]
    assert private[0]["urls"] == [f"{SITE}/api/3/action/dcserv?id=11111111-2222-4333-8444-555555555555"]
    assert [basin["format"] for basin in public] == ["dcor", "http"]
    assert public[1]["urls"][0].endswith("/download/a.rtdc")


@pytest.mark.parametrize(
    ("mapping", "identifier", "candidate", "expected"),
    [
        ("same", "m1", "m1", True),
        ("same", "m1-cut", "m1", False),
        ("basinmap0", "m1-cut", "m1", True),
        ("basinmap0", "other", "m1", False),
        ("basinmap0", None, "m1", False),
        ("same", "m1", None, False),
    ],
)
def test_a_source_is_found_by_identifier(
    mapping: str, identifier: str | None, candidate: str | None, expected: bool
) -> None:
    assert basins.matches({"identifier": "m1", "mapping": mapping}, identifier, candidate) is expected


def test_siblings_offer_all_they_have() -> None:
    sibling = {
        "id": "x",
        "name": "source.rtdc",
        "identifier": "m1",
        "features": ["image", "deform"],
        "condensed_features": ["deform", "volume"],
    }
    found = basins.of_siblings(SITE, "m1-cut", [{"identifier": "m1", "mapping": "basinmap0"}], [sibling])
    assert [(basin["name"], basin["mapping"], basin["features"]) for basin in found] == [
        ("DCOR intra-dataset for source.rtdc", "basinmap0", ["deform", "image", "volume"])
    ]


@pytest.fixture
def derived(measurement: Path, tmp_path: Path) -> Path:
    """A file with every second event of `measurement` and a file basin that names it by a path of the uploader's disk."""
    path = tmp_path / "derived.rtdc"
    with h5py.File(measurement) as source, h5py.File(path, "w") as h5:
        h5.attrs.update(source.attrs)
        identifier = _identifier(measurement)
        h5.attrs["experiment:run identifier"] = f"{identifier}-cut"
        chosen = np.arange(0, 60, 2)
        h5.attrs["experiment:event count"] = len(chosen)
        for name in ("deform", "area_um"):
            h5.create_dataset(f"events/{name}", data=source["events"][name][:][chosen])
        h5.create_dataset("events/basinmap0", data=chosen)
        definition = {
            "type": "file", "format": "hdf5", "name": "source", "description": "", "features": ["image"], "identifier": identifier,
            "mapping": "basinmap0", "paths": ["C:\\data\\measurement.rtdc"], "perishable": False, "key": "k",
        }  # fmt: skip
        text = json.dumps(definition)
        h5.create_dataset("basins/k", data=np.array([text.encode()], dtype=f"S{len(text)}"))
        h5.require_group("logs")
    return path


def _identifier(path: Path) -> str:
    import dclab

    with dclab.new_dataset(path) as ds:
        return str(ds.get_measurement_identifier())


def _basins(path: Path) -> dict[str, dict[str, object]]:
    with h5py.File(path) as h5:
        found = [json.loads(" ".join(line.decode() for line in h5["basins"][key][:])) for key in h5.get("basins", ())]
    return {basin["name"]: basin for basin in found if basin["type"] == "remote"}


@pytest.mark.parametrize("source_first", [True, False])
def test_derived_file_leads_to_its_source_whatever_the_order(
    appliance: Appliance, measurement: Path, derived: Path, source_first: bool
) -> None:
    dataset_id = appliance.dataset()
    files = [(measurement, "renamed.rtdc"), (derived, "derived.rtdc")]
    ids = {name: appliance.add(dataset_id, path, name) for path, name in (files if source_first else files[::-1])}
    appliance.run_all()
    with appliance.db.read() as conn:
        assert jobs.counts(conn)["failed"] == 0
    found = _basins(appliance.depot.path(ids["derived.rtdc"], "condensed"))
    assert "DCOR intra-dataset for renamed.rtdc" in found
    basin = found["DCOR intra-dataset for renamed.rtdc"]
    assert basin["mapping"] == "basinmap0"
    assert basin["urls"] == [f"{appliance.settings.site_url}/api/3/action/dcserv?id={ids['renamed.rtdc']}"]
    assert {"image", "mask"} <= set(basin["features"])  # type: ignore[arg-type]
    assert list(_basins(appliance.depot.path(ids["renamed.rtdc"], "condensed"))) == ["DCOR dcserv"]


def test_a_source_uploaded_later_is_found(appliance: Appliance, measurement: Path, derived: Path) -> None:
    dataset_id = appliance.dataset()
    second = appliance.add(dataset_id, derived)
    appliance.run_all()
    assert not _basins(appliance.depot.path(second, "condensed")), "it lacks nothing that its original has"
    appliance.add(dataset_id, measurement)
    appliance.run_all()
    assert f"DCOR intra-dataset for {measurement.name}" in _basins(appliance.depot.path(second, "condensed"))


def test_inference_can_be_switched_off(appliance: Appliance, measurement: Path, derived: Path) -> None:
    appliance.settings = appliance.settings.replace(**{"jobs.intra_dataset_basins": False})
    dataset_id = appliance.dataset()
    appliance.add(dataset_id, measurement)
    second = appliance.add(dataset_id, derived)
    appliance.run_all()
    assert not any(name.startswith("DCOR intra") for name in _basins(appliance.depot.path(second, "condensed")))
