"""What the metadata task reads out of files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import dclab
import h5py
import numpy as np
import pytest

from appliance.jobs.rtdc import contents, personal, tasks
from appliance.jobs.rtdc.errors import translate
from appliance.jobs.rtdc.statistics import describe
from tests.support import rtdc
from tests.support.rtdc_odd import ODD


def test_features_and_identifier_equal_those_of_dclab(real_file: Path, scratch: Path) -> None:
    """All real files: features, event count, identifier, configuration."""
    answer = tasks.metadata({}, real_file, scratch)
    json.dumps(answer, allow_nan=False)
    with dclab.new_dataset(real_file) as ds:
        assert answer["features"] == sorted(ds.features_innate)
        assert answer["event_count"] == len(ds)
        assert answer["identifier"] == ds.get_measurement_identifier()
        reference = {section: values for section, values in ds.config.as_dict(pop_filtering=True).items() if values}
        assert answer["config"] == reference
        assert answer["logs"] == {name: list(ds.logs[name]) for name in ds.logs}
        assert answer["traces"] == (sorted(ds["trace"]) if "trace" in ds else [])
    assert answer["integrity"]["sane"]


def test_calibration_beads() -> None:
    """The upstream test file: 34 features, fluorescence, keys of the catalogue with their types."""
    path = next((path for path in rtdc_files() if path.stem == "calibration_beads_47"), None)
    if path is None:
        pytest.skip("no real measurements here")
    answer = tasks.metadata({}, path, path.parent)
    assert len(answer["features"]) == 34
    assert answer["format"] == "RT-FDC"
    dc = answer["dc"]
    assert dc["dc:experiment:event count"] == 47
    assert dc["dc:experiment:date"] == "2018-12-11"
    assert dc["dc:setup:channel width"] == 20.0
    assert dc["dc:online_contour:no absdiff"] is True
    assert dc["dc:fluorescence:sample rate"] == 312500
    assert isinstance(dc["dc:fluorescence:sample rate"], int)
    assert not any("area_um" in key for key in dc)


def rtdc_files() -> list[Path]:
    """Real files, where there are any."""
    from tests.support import samples

    return samples.real()


def test_synthetic_file(made: Path, scratch: Path) -> None:
    """Everything at once, as JSON."""
    answer = tasks.metadata({}, made, scratch)
    json.dumps(answer, allow_nan=False)
    assert answer["event_count"] == 120
    assert answer["format"] == "RT-FDC"
    assert set(answer["scalar_features"]) < set(answer["features"])
    columns, rows = answer["tables"]["cytoshot_monitor"]
    assert columns[0] == "time"
    assert len(rows) == 60
    assert all(isinstance(value, float) for value in rows[0])
    assert answer["statistics"]["deform"]["count"] == 120
    assert answer["personal"] == []
    assert answer["file_basins"] == answer["stripped_basins"] == []


def test_without_fluorescence(tmp_path: Path, scratch: Path) -> None:
    """The format follows from the features."""
    path = rtdc.sound(tmp_path / "plain.rtdc", fluorescence=False)
    answer = tasks.metadata({}, path, scratch)
    assert answer["format"] == "RT-DC"
    assert answer["traces"] == []


def test_numbers_that_json_cannot_hold_are_left_out(tmp_path: Path, scratch: Path) -> None:
    """NaN in metadata, tables and statistics."""
    path = tmp_path / "nan.rtdc"
    ODD["all_nan"](path, tmp_path)
    with h5py.File(path, "a") as h5:
        table = np.zeros(3, dtype=[("a", "f8"), ("b", "i4")])
        table["a"][1] = np.nan
        h5["tables/holes"] = table
    answer = tasks.metadata({}, path, scratch)
    json.dumps(answer, allow_nan=False)
    assert "dc:setup:temperature" not in answer["dc"]
    assert "temperature" not in answer["config"]["setup"]
    assert answer["tables"]["holes"] == [["a", "b"], [[0.0, 0.0], [None, 0.0], [0.0, 0.0]]]
    assert answer["statistics"]["deform"] == describe(np.array([np.nan] * 12))
    assert answer["statistics"]["deform"]["nan"] == 12


def test_event_count_is_filled_in(tmp_path: Path, scratch: Path) -> None:
    """A file without the key."""
    path = rtdc.sound(tmp_path / "uncounted.rtdc")
    with h5py.File(path, "a") as h5:
        del h5.attrs["experiment:event count"]
    answer = tasks.metadata({}, path, scratch)
    assert answer["config"]["experiment"]["event count"] == 12
    assert answer["dc"]["dc:experiment:event count"] == 12


def test_of_long_logs_the_catalogue_keeps_the_beginning_and_a_file_has_all(tmp_path: Path, scratch: Path) -> None:
    """9 MB of log lines."""
    path = tmp_path / "long.rtdc"
    ODD["long_log"](path, tmp_path)
    answer = tasks.metadata({}, path, scratch)
    assert answer["contents"]["logs"]["lengths"]["long"] == 90_000
    assert not answer["contents"]["logs"]["whole"]
    assert len(json.dumps(answer)) < 2_000_000
    assert answer["logs"]["long"][1] == f"{1:090d}"
    whole = json.loads((scratch / "logs.json").read_bytes())
    assert whole["long"] == [f"{index:090d}" for index in range(90_000)]
    assert set(whole) == set(answer["logs"])


def test_what_is_too_large_to_be_sent_is_named(tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No part of it is left to be taken for the whole."""
    monkeypatch.setitem(contents.WHOLE_BYTES, "logs", 5_000_000)
    path = tmp_path / "long.rtdc"
    ODD["long_log"](path, tmp_path)
    answer = tasks.metadata({}, path, scratch)
    assert answer["contents"]["logs"]["over"] == 5_000_000
    assert (scratch / "logs.json").read_bytes() == b""
    assert answer["contents"]["tables"] == {"lengths": {"cytoshot_monitor": 60}, "whole": True, "over": None}


def test_statistics_of_known_numbers() -> None:
    """Values, not-a-numbers and an empty column."""
    found = describe(np.array([1.0, 2.0, 3.0, 4.0, np.nan, np.inf]))
    assert (found["min"], found["max"], found["mean"], found["median"]) == (1.0, 4.0, 2.5, 2.5)
    assert math.isclose(found["sd"], math.sqrt(1.25))
    assert (found["count"], found["nan"]) == (4, 2)
    assert describe(np.zeros(0))["mean"] is None
    assert describe(np.array([True, False, True]))["max"] == 1.0


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mail to jane.doe@clinic.example.org", "e-mail address"),
        (r"C:\Users\jdoe\Desktop\data.rtdc", "path containing a user name"),
        ("saved in /home/mueller/exp", "path containing a user name"),
        ("Geburtsdatum: 12.03.1971", "birth date"),
        ("DOB 1971-03-12", "birth date"),
        ("Patient ID: 12345-A", "patient number"),
        ('"operator": "Jane Doe"', "person's name"),
        ("seen by Dr. Schmidt", "title and name"),
        ("Versichertennummer A123456789", "insurance or record number"),
    ],
)
def test_personal_data_are_found(text: str, kind: str) -> None:
    """Typical free texts of a laboratory."""
    found = personal.report({}, {"log": ["harmless", text]}, {}, [])
    assert kind in {finding["kind"] for finding in found}
    assert all(finding["where"] == "log log" for finding in found)


def test_personal_data_in_metadata_and_tables() -> None:
    """A sample that is named after a person; a column; no false alarm for ordinary names."""
    config = {"experiment": {"sample": "Jane Doe", "date": "2024-05-17"}, "setup": {"medium": "CellCarrierB"}}
    found = personal.report(config, {}, {"t": (["a@b.example"], ["x"])}, [])
    assert [finding["where"] for finding in found] == ["metadata experiment:sample", "column of table t"]
    assert personal.report({"experiment": {"sample": "calibration beads 47"}}, {}, {}, []) == []


def test_hostile_text_does_not_slow_the_report() -> None:
    """Long lines of what patterns begin with."""
    lines = ["a" * 100_000 + "@", "/home/" * 20_000, "Patient ID " * 10_000]
    assert len(personal.report({}, {"log": lines * 20}, {}, [])) <= personal.MAX_FINDINGS


@pytest.mark.parametrize(("key", "value"), [("imaging:pixel size", "wide"), ("setup:chip identifier", 7)])
def test_a_value_of_the_wrong_type_is_left_out_and_named(
    tmp_path: Path, scratch: Path, key: str, value: object
) -> None:
    path = rtdc.sound(tmp_path / "a.rtdc")
    with h5py.File(path, "a") as h5:
        h5.attrs[key] = value
    answer = tasks.metadata({}, path, scratch)
    section, _, name = key.partition(":")
    assert name not in answer["config"][section]
    expected = f"The metadata key '{key}' is left out: its value is of the wrong type."
    assert expected in [cue["message"] for cue in answer["integrity"]["cues"]]


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        (KeyError("Unable to synchronously open object (message not aligned)"), "damaged", "The file is damaged"),
        (OSError("Can't synchronously read data (bad version for B-tree)"), "damaged", "The file is damaged"),
        (OSError("Can't synchronously read data (memory allocation failed for chunk)"), "memory", "memory"),
        (OSError("Unable to synchronously open file (bad /srv/dcor/x.rtdc)"), "damaged", "The file is damaged"),
        (KeyError("deform"), "damaged", "something unexpected"),
        (AttributeError("'NoneType' object has no attribute 'attrs'"), "damaged", "something unexpected"),
        (IndexError("tuple index out of range"), "damaged", "something unexpected"),
        (UnicodeDecodeError("utf-8", b"\xe4", 0, 1, "invalid"), "damaged", "something unexpected"),
    ],
)
def test_what_libraries_say_becomes_a_sentence_with_a_remedy(said: Exception, kind: str, told: str) -> None:
    error = translate(said, "reading the metadata")
    assert error.kind == kind
    assert told in error.message
    assert kind == "memory" or "upload it again" in error.message
    for word in ("synchronously", "NoneType", "utf-8", "tuple", "/srv", "B-tree", "KeyError"):
        assert word not in error.message
