"""Condensed files of another server: taken over with this server's basins where they are the measurement's, refused otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dclab
import h5py
import numpy as np
import pytest

from appliance.demo import synthetic
from appliance.jobs.rtdc import tasks
from appliance.jobs.rtdc.condense import RESULT
from appliance.jobs.rtdc.errors import RtdcError
from tests.jobs.rtdc.conftest import dclab_condense

BASIN = {
    "name": "here",
    "type": "remote",
    "format": "dcor",
    "urls": ["https://here.example.org/api/3/action/dcserv?id=x"],
}


@pytest.fixture
def condensed(made: Path, tmp_path: Path) -> Path:
    """What dclab makes of the measurement, with a basin that leads to the former server."""
    path = dclab_condense(made, tmp_path / "theirs.rtdc")
    with dclab.RTDCWriter(path, mode="append") as writer:
        writer.store_basin(
            "there", "remote", "dcor", ["https://there.example.org/x"], basin_feats=["image"], verify=False
        )
    return path


def adopt(source: Path, condensed: Path, scratch: Path) -> dict[str, Any]:
    return tasks.adopt({"condensed": str(condensed), "basins": [BASIN]}, source, scratch)


def test_all_is_taken_over_but_the_basins(made: Path, condensed: Path, scratch: Path) -> None:
    said = adopt(made, condensed, scratch)
    assert "image" in said["basin_features"]
    assert said["statistics"]["deform"]
    with h5py.File(condensed) as theirs, h5py.File(scratch / RESULT) as ours:
        assert set(ours["events"]) == set(theirs["events"]) == set(said["features"])
        for name, data in theirs["events"].items():
            np.testing.assert_array_equal(ours["events"][name][:], data[:])
        assert set(ours["logs"]) == set(theirs["logs"])
        text = b"\n".join(b"\n".join(data[:]) for data in ours["basins"].values())
    assert b"here.example.org" in text
    assert b"there.example.org" not in text


def _change(h5: h5py.File) -> None:
    h5["events/deform"][3] += 0.1


def _remove(h5: h5py.File) -> None:
    del h5["events/area_um"]


def _shorten(h5: h5py.File) -> None:
    for name in list(h5["events"]):
        data = h5["events"][name][:-1]
        del h5["events"][name]
        h5["events"][name] = data
    h5.attrs["experiment:event count"] -= 1


def _rename(h5: h5py.File) -> None:
    h5.attrs["experiment:sample"] = "Somebody else's"


@pytest.mark.parametrize("spoil", [_change, _remove, _shorten, _rename])
def test_one_that_is_not_the_measurements_is_refused(
    made: Path, condensed: Path, scratch: Path, spoil: Callable[[h5py.File], None]
) -> None:
    with h5py.File(condensed, "a") as h5:
        spoil(h5)
    with pytest.raises(RtdcError) as refused:
        adopt(made, condensed, scratch)
    assert refused.value.kind == "other"
    assert not (scratch / RESULT).exists()


def test_that_of_another_measurement_is_refused(made: Path, tmp_path: Path, scratch: Path) -> None:
    other = tmp_path / "other.rtdc"
    synthetic.write(other, events=30, seed=99)
    with pytest.raises(RtdcError):
        adopt(made, dclab_condense(other, tmp_path / "theirs.rtdc"), scratch)


def test_one_that_is_no_measurement_is_refused(made: Path, tmp_path: Path, scratch: Path) -> None:
    path = shutil.copy(Path(__file__), tmp_path / "theirs.rtdc")
    with pytest.raises(RtdcError):
        adopt(made, Path(path), scratch)
