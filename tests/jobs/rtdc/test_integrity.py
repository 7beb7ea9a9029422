"""Integrity cues and the sanity check that blocks activation."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest
from dclab.rtdc_dataset import check_dataset

from appliance.jobs.rtdc import statistics, tasks
from tests.support import rtdc
from tests.support.rtdc_odd import ODD


def test_cues_equal_those_of_dclab(real_file: Path, scratch: Path) -> None:
    """Violations are the same; alerts too but for logs, of which we give one cue a log instead of one a line."""
    violations, alerts, _ = check_dataset(real_file)
    cues = tasks.metadata({}, real_file, scratch)["integrity"]["cues"]
    assert sorted(cue["message"] for cue in cues if cue["level"] == "violation") == sorted(set(violations))
    mine = {cue["message"] for cue in cues if cue["level"] == "alert" and not cue["message"].startswith("Logs:")}
    assert mine == {alert for alert in alerts if not alert.startswith("Logs:")}


def test_sound_files_are_sane(made: Path, scratch: Path) -> None:
    """No violation, no alert."""
    integrity = tasks.metadata({}, made, scratch)["integrity"]
    assert integrity["sane"]
    assert {cue["level"] for cue in integrity["cues"]} == {"info"}
    assert tasks.sanity({}, made, scratch) == {"valid": True, "reasons": []}


def test_wrong_lengths_are_not_sane(tmp_path: Path, scratch: Path) -> None:
    """As upstream: wrong event count of a feature."""
    path = tmp_path / "short.rtdc"
    ODD["missing_events"](path, tmp_path)
    answer = tasks.sanity({}, path, scratch)
    assert not answer["valid"]
    assert any("'deform' (7 of 12)" in reason for reason in answer["reasons"])
    assert all(reason.startswith("Sanity check failed: ") for reason in answer["reasons"])


def test_wrong_region_of_interest_is_not_sane(tmp_path: Path, scratch: Path) -> None:
    """Image size against metadata."""
    path = rtdc.sound(tmp_path / "roi.rtdc", attributes={"imaging:roi size x": 17})
    answer = tasks.sanity({}, path, scratch)
    assert not answer["valid"]
    assert any("Mismatch [imaging] 'roi size x'" in reason for reason in answer["reasons"])


def test_absurd_event_count_needs_no_memory(tmp_path: Path, scratch: Path) -> None:
    """Twelve billion events in the metadata, twelve in the file."""
    path = tmp_path / "absurd.rtdc"
    ODD["wrong_event_count"](path, tmp_path)
    answer = tasks.metadata({}, path, scratch)
    assert answer["event_count"] == 12
    assert not answer["integrity"]["sane"]
    assert "12000000000" in answer["integrity"]["sanity_errors"][0]


def test_damaged_data_are_not_sane(tmp_path: Path, scratch: Path) -> None:
    """Bytes of a compressed image were overwritten: the checksum tells."""
    path = rtdc.sound(tmp_path / "damaged.rtdc")
    rtdc.damage_image(path)
    answer = tasks.sanity({}, path, scratch)
    assert not answer["valid"]
    assert any("'image' cannot be read" in reason for reason in answer["reasons"])


def test_unopenable_files_are_invalid_not_an_error(tmp_path: Path, scratch: Path) -> None:
    """Activation gets a reason."""
    path = tmp_path / "text.rtdc"
    path.write_text("hello")
    words = "This is not an HDF5 file. Upload the measurement as an .rtdc file; DCKit converts other formats."
    assert tasks.sanity({}, path, scratch) == {"valid": False, "reasons": [words]}


def test_missing_metadata_are_cues(tmp_path: Path, scratch: Path) -> None:
    """dclab's words, with section and key for the page."""
    path = rtdc.sound(tmp_path / "bare.rtdc")
    with h5py.File(path, "a") as h5:
        del h5.attrs["setup:medium"]
    cues = tasks.metadata({}, path, scratch)["integrity"]["cues"]
    cue = next(cue for cue in cues if cue["key"] == "medium")
    assert cue["level"] == "violation"
    assert cue["section"] == "setup"


def test_an_object_with_many_names_is_looked_at_once(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hard links cost an attacker nothing; the count is that of objects, and a column's numbers are made once."""
    path = rtdc.sound(tmp_path / "names.rtdc")
    with h5py.File(path, "a") as h5:
        h5["logs/plain"] = h5.create_dataset("loose", data=[b"one line"])
    (before,) = _compression(path, scratch)
    with h5py.File(path, "a") as h5:
        for number in range(300):
            h5[f"logs/plain {number}"] = h5["logs/plain"]
            h5[f"events/ml_score_{number:03d}"] = h5["events/deform"]
    looked: list[int] = []
    describe = statistics.describe
    monkeypatch.setattr(statistics, "describe", lambda values: looked.append(1) or describe(values))
    assert _compression(path, scratch) == [before]
    answer = tasks.metadata({}, path, scratch)
    assert answer["statistics"]["ml_score_007"] == answer["statistics"]["deform"]
    assert len(looked) < 2 * 60


def _compression(path: Path, scratch: Path) -> list[str]:
    cues = tasks.metadata({}, path, scratch)["integrity"]["cues"]
    return [cue["message"] for cue in cues if cue["message"].startswith("Compression")]
