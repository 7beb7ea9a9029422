"""Condensed files equal those of dclab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dclab
import h5py
import numpy as np
import pytest

from appliance.jobs.rtdc import copying, tasks
from appliance.jobs.rtdc.errors import RtdcError
from appliance.jobs.rtdc.opening import open_dataset
from tests.jobs.rtdc.conftest import dclab_condense
from tests.support import rtdc
from tests.support.rtdc_odd import ODD

DCSERV = {
    "name": "DCOR dcserv",
    "type": "remote",
    "format": "dcor",
    "urls": ["https://dcor.example.org/api/3/action/dcserv?id=9cb58618-afd2-48f1-b279-6344ffd60995"],
    "description": "Original access via DCOR API",
}


def condense(path: Path, scratch: Path, **request: Any) -> tuple[Path, dict[str, Any]]:
    """Run the task. → (condensed file, answer)."""
    answer = tasks.condense({"name": path.name, **request}, path, scratch)
    json.dumps(answer, allow_nan=False)
    return scratch / answer["file"], answer


def assert_same_content(mine: Path, reference: Path) -> None:
    """Features, logs, tables, attributes, compression: bit by bit, but for the logs that hold date and warnings."""
    with h5py.File(mine) as ours, h5py.File(reference) as theirs:
        assert dict(ours.attrs) == dict(theirs.attrs)
        for group in ("events", "basin_events", "tables", "logs"):
            names = set(theirs.get(group, {})) - {"dclab-condense-warnings"}
            assert set(ours.get(group, {})) - {"dclab-condense-warnings"} == names
            for name in names - {"dclab-condense"}:
                assert_same_dataset(ours[group][name], theirs[group][name])
        assert condense_log(ours) == condense_log(theirs)


def assert_same_dataset(mine: h5py.Dataset, reference: h5py.Dataset) -> None:
    """Type, bits, attributes and filters; chunks are ours (test_packing)."""
    assert mine.dtype == reference.dtype
    assert mine[:].tobytes() == reference[:].tobytes(), mine.name
    assert filters(mine) == filters(reference)
    assert set(mine.attrs) == set(reference.attrs)
    for key, value in reference.attrs.items():
        assert np.array_equal(mine.attrs[key], value, equal_nan=not isinstance(value, str)), (mine.name, key)


def filters(dataset: h5py.Dataset) -> list[tuple[int, Any]]:
    """→ filter codes with their parameters."""
    plist = dataset.id.get_create_plist()
    return [(plist.get_filter(n)[0], plist.get_filter(n)[2]) for n in range(plist.get_nfilters())]


def condense_log(h5: h5py.File) -> dict[str, Any]:
    """→ the log without what differs between two runs."""
    log = json.loads(b"\n".join(h5["logs/dclab-condense"][:]))
    del log["utc"]
    return log  # type: ignore[no-any-return]


@pytest.mark.parametrize("cores", [1, 2])
def test_real_files(real_file: Path, scratch: Path, tmp_path: Path, cores: int) -> None:
    """Every real file, alone and with a helper process."""
    mine, _ = condense(real_file, scratch, cores=cores)
    assert_same_content(mine, dclab_condense(real_file, tmp_path / "reference.rtdc"))


@pytest.mark.parametrize("cores", [1, 3])
def test_synthetic_file(made: Path, scratch: Path, tmp_path: Path, cores: int) -> None:
    """All image-derived features that a modern file lacks."""
    mine, answer = condense(made, scratch, cores=cores)
    assert_same_content(mine, dclab_condense(made, tmp_path / "reference.rtdc"))
    assert {"volume", "bright_bc_avg", "bright_perc_90", "inert_ratio_prnc", "tilt", "index", "time"} <= set(
        answer["computed"]
    )


def test_everything_is_computed_when_nothing_is_stored(tmp_path: Path, scratch: Path) -> None:
    """A file with images, positions and little else; float64 positions; a background offset."""
    path = rtdc.sound(tmp_path / "bare.rtdc", events=80, shape=(60, 120), channel_width=14.0, kind="cell line")
    with h5py.File(path, "a") as h5:
        for name in ("bright_avg", "bright_sd", "inert_ratio_raw", "inert_ratio_cvx", "deform", "area_um", "aspect"):
            del h5["events"][name]
        for name in ("pos_x", "pos_y"):
            values = h5["events"][name][:].astype(float)
            del h5["events"][name]
            h5["events"][name] = values
        h5["events/bg_off"] = np.linspace(-1, 1, 80)
    mine, answer = condense(path, scratch, cores=2)
    assert {"bright_avg", "inert_ratio_cvx", "inert_ratio_raw", "deform", "area_um"} <= set(answer["computed"])
    assert_same_content(mine, dclab_condense(path, tmp_path / "reference.rtdc"))


def test_stored_contours_are_used(tmp_path: Path, scratch: Path) -> None:
    """Contours in the file win over those that could be traced, also in a narrow integer type."""
    path = rtdc.sound(tmp_path / "contours.rtdc", contours=True)
    with h5py.File(path, "a") as h5:
        for name in list(h5["events/contour"]):
            points = h5["events/contour"][name][:].astype(np.uint16)
            del h5["events/contour"][name]
            h5["events/contour"][name] = points
    mine, _ = condense(path, scratch)
    assert_same_content(mine, dclab_condense(path, tmp_path / "reference.rtdc"))


def test_defective_features_are_computed_anew(tmp_path: Path, scratch: Path) -> None:
    """Volumes of old dclab versions are wrong, and float32 times too coarse."""
    path = rtdc.sound(tmp_path / "old.rtdc", attributes={"setup:software version": "dclab 0.30.0"})
    with h5py.File(path, "a") as h5:
        h5["events/volume"] = np.full(12, 17.0)
        h5["events/time"] = np.arange(12, dtype=np.float32)
    mine, answer = condense(path, scratch)
    assert {"time", "volume"} <= set(answer["computed"])
    assert_same_content(mine, dclab_condense(path, tmp_path / "reference.rtdc"))


def test_shorter_masks_shorten_the_features(tmp_path: Path, scratch: Path) -> None:
    """As in dclab the rest is NaN."""
    path = tmp_path / "short.rtdc"
    ODD["shorter_masks"](path, tmp_path)
    mine, _ = condense(path, scratch, cores=2)
    with h5py.File(mine) as h5:
        assert np.isnan(h5["events/volume"][:]).tolist() == [False] * 9 + [True] * 3


def test_empty_masks_give_nan_and_a_note(tmp_path: Path, scratch: Path) -> None:
    """dclab stops at such an event; we go on and say so in the warnings log."""
    path = tmp_path / "empty.rtdc"
    ODD["empty_masks"](path, tmp_path)
    mine, answer = condense(path, scratch, cores=2)
    assert answer["notes"] == ["3 of 12 events have an empty mask or no contour; their values are NaN."]
    with h5py.File(mine) as h5:
        for name in ("volume", "tilt", "bright_bc_avg", "bright_perc_10"):
            assert np.flatnonzero(np.isnan(h5["events"][name][:])).tolist() == [3, 4, 5]
        assert b"3 of 12 events" in h5["logs/dclab-condense-warnings"][0]


def test_condensing_twice_renames_the_log(made: Path, scratch: Path, tmp_path: Path) -> None:
    """As dclab does: the older log keeps a name with the hash of the metadata."""
    once, _ = condense(made, scratch)
    again = once.rename(tmp_path / "again.rtdc")
    mine, _ = condense(again, scratch)
    assert_same_content(mine, dclab_condense(again, tmp_path / "reference.rtdc"))


def test_basins_lead_to_what_is_missing(made: Path, scratch: Path) -> None:
    """The basin without a feature list names exactly the features left behind; dclab reads it."""
    mine, answer = condense(made, scratch, basins=[DCSERV])
    assert answer["basin_features"] == ["image", "image_bg", "mask", "trace"]
    with dclab.new_dataset(mine, enable_basins=False) as ds:
        (basin,) = ds.basins_get_dicts()
    assert basin["urls"] == DCSERV["urls"]
    assert basin["features"] == ["image", "image_bg", "mask", "trace"]
    assert (basin["type"], basin["format"], basin["mapping"]) == ("remote", "dcor", "same")
    assert basin["perishable"] is False


def test_mapped_basins_bring_their_mapping(tmp_path: Path, scratch: Path) -> None:
    """An intra-dataset basin with a mapping from the file itself."""
    path = rtdc.sound(tmp_path / "derived.rtdc")
    with h5py.File(path, "a") as h5:
        h5["events/basinmap0"] = np.arange(12)[::-1].astype(np.uint64)
    basin = DCSERV | {"mapping": "basinmap0", "identifier": "abc", "features": ["image", "volume"]}
    mine, _ = condense(path, scratch, basins=[basin])
    with h5py.File(mine) as h5:
        assert h5["events/basinmap0"][:].tolist() == list(range(12))[::-1]
        (text,) = (b"\n".join(h5["basins"][key][:]) for key in h5["basins"])
    assert json.loads(text)["mapping"] == "basinmap0"
    with pytest.raises(RtdcError, match="basinmap3"):
        condense(path, scratch, basins=[basin | {"mapping": "basinmap3"}])


def test_internal_basins_are_copied(tmp_path: Path, scratch: Path) -> None:
    """A file that stores a feature once for several events."""
    path = rtdc.sound(tmp_path / "internal.rtdc")
    with h5py.File(path, "a") as h5, dclab.RTDCWriter(h5) as writer:
        writer.store_basin(
            basin_name="internal",
            basin_type="internal",
            basin_format="h5dataset",
            basin_locs=["basin_events"],
            basin_feats=["userdef1", "userdef2"],
            basin_map=np.array([0, 0, 1, 1, 2, 2] * 2),
            internal_data={"userdef1": np.arange(3.0), "userdef2": np.arange(3.0) * 2},
        )
    answer = tasks.metadata({}, path, scratch)
    assert {"userdef1", "userdef2"} <= set(answer["features"])
    assert answer["basins_internal"][0]["mapping"] == "basinmap0"
    mine, _ = condense(path, scratch)
    assert_same_content(mine, dclab_condense(path, tmp_path / "reference.rtdc"))
    with dclab.new_dataset(mine) as ds:
        assert ds["userdef2"][:].tolist() == [0, 0, 2, 2, 4, 4] * 2


def test_variable_length_logs_become_fixed(tmp_path: Path, scratch: Path) -> None:
    """As dclab does."""
    path = tmp_path / "old.rtdc"
    ODD["variable_length_log"](path, tmp_path)
    mine, _ = condense(path, scratch)
    assert_same_content(mine, dclab_condense(path, tmp_path / "reference.rtdc"))


def test_emodulus_is_computed_when_the_file_asks_for_it(tmp_path: Path, scratch: Path) -> None:
    """A "calculation" section in the metadata."""
    calculation = {
        "calculation:emodulus lut": "LE-2D-FEM-19",
        "calculation:emodulus medium": "CellCarrier",
        "calculation:emodulus temperature": 23.0,
        "calculation:emodulus viscosity model": "buyukurganci-2022",
    }
    path = rtdc.sound(tmp_path / "stiff.rtdc", attributes=calculation)
    mine, answer = condense(path, scratch)
    assert "emodulus" in answer["computed"]
    assert_same_content(mine, dclab_condense(path, tmp_path / "reference.rtdc"))


def test_progress_rises_to_one(made: Path, scratch: Path) -> None:
    """Fractions never fall; the stages are named."""
    seen: list[tuple[float, str]] = []
    tasks.condense({"cores": 2}, made, scratch, progress=lambda fraction, stage: seen.append((fraction, stage)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert seen[-1] == (1.0, "done")


def test_the_log_names_the_resource(made: Path, scratch: Path) -> None:
    """Not the file's name in the depot."""
    mine, answer = condense(made, scratch)
    with h5py.File(mine) as h5:
        assert condense_log(h5)["files"][0]["name"] == "made.rtdc"
    tasks.condense({"name": "M1_sample.rtdc"}, made, scratch)
    with h5py.File(scratch / "condensed.rtdc") as h5:
        assert condense_log(h5)["files"][0]["name"] == "M1_sample.rtdc"
    assert "dclab-condense" in answer["logs"]


def test_statistics_cover_computed_features(made: Path, scratch: Path) -> None:
    """So that pages know the volume without opening a file."""
    _, answer = condense(made, scratch)
    assert answer["statistics"]["volume"]["count"] == 120
    assert answer["event_count"] == 120


def test_fewer_results_than_one_on_damage(tmp_path: Path, scratch: Path) -> None:
    """A damaged image chunk fails the job with a reason; what a failed job leaves is not published."""
    path = rtdc.sound(tmp_path / "damaged.rtdc")
    rtdc.damage_image(path)
    with pytest.raises(RtdcError, match="damaged"):
        condense(path, scratch, cores=2)


def test_features_of_several_chunks_are_copied_after_they_were_read(tmp_path: Path) -> None:
    """HDF5 2.0 writes beyond its buffer when it copies them itself: files of more than 262,144 events crashed the job."""
    source, target = tmp_path / "long.rtdc", tmp_path / "copy.h5"
    events, rng = 600_000, np.random.default_rng(0)
    with h5py.File(source, "w") as h5:
        rtdc.sound_attributes(h5, events)
        for name in ("pos_x", "pos_y"):
            values = rng.normal(size=events).astype(np.float32)
            h5["events"].create_dataset(name, data=values, chunks=(131_072,), fletcher32=True, **copying.COMPRESSION)

    def read_and_copy() -> bool:
        with open_dataset(source) as dataset, h5py.File(target, "w") as h5:
            first = [dataset[name][:] for name in ("pos_x", "pos_y")]
            copying.copy_unchanged(dataset, h5)
            return all(
                np.array_equal(h5["events"][name][:], one) for name, one in zip(h5["events"], first, strict=True)
            )

    assert rtdc.run_forked(read_and_copy) == {"answer": True}
    with h5py.File(source) as ours, h5py.File(target) as copied:
        for name in ("pos_x", "pos_y"):
            assert copied["events"][name].maxshape == ours["events"][name].maxshape
            assert filters(copied["events"][name]) == filters(ours["events"][name])
