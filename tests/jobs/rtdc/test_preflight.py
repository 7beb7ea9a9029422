"""What the pre-flight walk refuses, and what it lets through."""

from __future__ import annotations

import resource
from pathlib import Path

import h5py
import pytest

from appliance.jobs.rtdc import tasks
from appliance.jobs.rtdc.errors import RtdcError
from appliance.jobs.rtdc.preflight import HostileFile, Limits, inspect
from tests.support import rtdc
from tests.support.rtdc_hostile import HOSTILE, STRANGE
from tests.support.rtdc_odd import ODD

#: What the reason has to mention, where it is about more than "this file is broken".
REASONS = {
    "external_storage_feature": "external storage",
    "external_storage_log": "external storage",
    "external_storage_relative": "external storage",
    "external_storage_contour": "external storage",
    "nested_external_storage": "external storage",
    "external_link_feature": "external link",
    "external_link_group": "external link",
    "soft_link_through_external": "link",
    "virtual_dataset": "virtual dataset",
    "virtual_dataset_unlimited": "virtual dataset",
    "giant_attributes": "attribute",
    "not_hdf5": "not an HDF5 file",
    "no_events_group": "not an RT-DC file",
    "truncated": "truncated",
    "unclosed": "did not close it",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_files_are_refused_with_a_reason(name: str, tmp_path: Path, scratch: Path) -> None:
    """Pre-flight or, for what only a reader can see, the metadata task says why; no path of the server is in it."""
    secret = rtdc.plant_secret(tmp_path)
    path = tmp_path / "upload.rtdc"
    HOSTILE[name](path, secret)
    result = rtdc.run_forked(lambda: (tasks.preflight({}, path, scratch), tasks.metadata({}, path, scratch)))
    assert "message" in result, result
    assert REASONS.get(name, "") in result["message"]
    assert "upload it again" in result["message"] or "repair it" in result["message"] or "Upload" in result["message"]
    assert str(tmp_path) not in result["message"]
    assert "\n" not in result["message"]


#: Most memory [bytes] and processor time [s] of a task on a file that announces much and holds little.
MEMORY, SECONDS = 1_500_000_000, 60


@pytest.mark.parametrize("name", sorted(STRANGE))
def test_strange_files_cost_their_strange_part_only(name: str, tmp_path: Path, scratch: Path) -> None:
    """Metadata, condensed file and preview within bounds of memory and time, or an end with a reason; the rest is read."""
    path = tmp_path / "upload.rtdc"
    STRANGE[name](path, rtdc.plant_secret(tmp_path))

    def work() -> list[str]:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY + rtdc.address_space(), MEMORY + rtdc.address_space()))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        found = tasks.metadata({}, path, scratch)
        tasks.condense({}, path, scratch)
        tasks.preview({}, path, scratch)
        assert sum(one.stat().st_size for one in scratch.iterdir()) < 300_000_000
        return list(found["features"])

    result = rtdc.run_forked(work, 240.0)
    assert {"area_um"} & set(result.get("answer", ())) or name in ("announces_800_gb", "bad_metadata_type"), result
    assert "answer" in result, result


@pytest.mark.parametrize("task", ["metadata", "condense", "preview"])
@pytest.mark.parametrize("name", ["external_storage_feature", "external_link_feature", "virtual_dataset"])
def test_every_task_looks_first(name: str, task: str, tmp_path: Path, scratch: Path) -> None:
    """A task that is run without the pre-flight task before it refuses all the same."""
    path = tmp_path / "upload.rtdc"
    HOSTILE[name](path, rtdc.plant_secret(tmp_path))
    with pytest.raises(RtdcError) as caught:
        getattr(tasks, task)({}, path, scratch)
    assert caught.value.kind == "forbidden"


def test_a_stored_contour_is_checked_when_it_is_read(tmp_path: Path, scratch: Path) -> None:
    """Other tasks than the first skip the thousands of contours; the one that leads outside is refused at its use."""
    secret = rtdc.plant_secret(tmp_path)
    path = tmp_path / "upload.rtdc"
    HOSTILE["external_storage_contour"](path, secret)
    with pytest.raises(RtdcError, match="external storage"):
        tasks.metadata({}, path, scratch)
    with pytest.raises(RtdcError, match="external storage"):
        tasks.condense({}, path, scratch)
    with pytest.raises(RtdcError, match="external storage"):
        tasks.read({"what": "feature", "feature": "contour", "event": 5}, path, scratch)


def test_sound_files_pass(made: Path, scratch: Path) -> None:
    """The walk counts what it saw."""
    answer = tasks.preflight({}, made, scratch)
    assert answer["ok"]
    assert answer["stripped_basins"] == []
    assert answer["declared_bytes"] > 120 * 3 * 80 * 250


def test_real_files_pass(real_file: Path, scratch: Path) -> None:
    """Nothing in real measurements looks hostile."""
    assert tasks.preflight({}, real_file, scratch)["ok"]


def test_soft_link_to_a_feature_passes(tmp_path: Path, scratch: Path) -> None:
    """Soft links are fine where they end inside the file."""
    path = tmp_path / "linked.rtdc"
    ODD["soft_link_inside"](path, tmp_path)
    assert tasks.preflight({}, path, scratch)["ok"]
    assert "userdef0" in tasks.metadata({}, path, scratch)["features"]


def test_foreign_basins_are_reported_and_never_followed(tmp_path: Path, scratch: Path) -> None:
    """File and URL basins are listed with a reason and are not in the condensed file."""
    path = tmp_path / "basins.rtdc"
    ODD["file_basin"](path, rtdc.plant_secret(tmp_path))
    stripped = tasks.preflight({}, path, scratch)["stripped_basins"]
    assert {basin["name"] for basin in stripped} == {"b1", "b2", "b3"}
    assert all("not followed" in basin["reason"] for basin in stripped)
    tasks.condense({}, path, scratch)
    with h5py.File(scratch / "condensed.rtdc") as h5:
        assert not len(h5.get("basins", {}))
    assert b"/etc/passwd" not in (scratch / "condensed.rtdc").read_bytes()


def test_limits_can_be_set(small: Path) -> None:
    """`inspect` takes other limits."""
    with h5py.File(small) as h5, pytest.raises(HostileFile, match="too many objects"):
        inspect(h5, limits=Limits(objects=5))
