"""Preview pictures and explorer files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from appliance.jobs.rtdc import tasks
from appliance.jobs.rtdc.preview import binary, canvas, density, material, palette, text
from appliance.jobs.rtdc.preview.density import Range
from tests.support import rtdc


def preview(path: Path, scratch: Path, **request: Any) -> dict[str, Any]:
    """Run the task. → its answer."""
    answer = tasks.preview(request, path, scratch)
    json.dumps(answer, allow_nan=False)
    return answer


def read_columns(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """Read a columns file as a browser does: header, then byte ranges. → (header, {name: float32})."""
    data = path.read_bytes()
    header = binary.read_header(data[:65536])
    found = {}
    for column in header["columns"]:
        start = header["data_start"] + column["offset"]
        found[column["name"]] = np.frombuffer(data[start : start + 4 * header["rows"]], "<f4")
    return header, found


def test_real_files(real_file: Path, scratch: Path) -> None:
    """Every real file gives all five files and a text."""
    answer = preview(real_file, scratch)
    assert {path.name for path in scratch.iterdir()} == set(answer["files"].values())
    with Image.open(scratch / "preview.jpg") as picture:
        assert picture.format == "JPEG"
        assert picture.width >= 320
    with Image.open(scratch / "preview.webp") as picture:
        assert picture.size == (answer["width"], answer["height"])
    with Image.open(scratch / "thumb.webp") as picture:
        assert picture.width <= 320
        assert picture.height <= 240
    assert "Area: median" in answer["alt"]
    assert "deform" in answer["columns"]


def test_the_text_holds_the_numbers(made: Path, scratch: Path) -> None:
    """What the picture shows, for those who do not see it."""
    alt = preview(made, scratch)["alt"]
    assert alt.startswith("Overview of 120 events.")
    assert "Deformation: median" in alt
    assert "Image of event 48 with its contour, 250 × 80 pixels." in alt
    assert "FL-1 peak" in alt


def test_the_picture_is_light_and_not_empty(made: Path, scratch: Path) -> None:
    """A white background, and every panel drawn upon."""
    preview(made, scratch)
    with Image.open(scratch / "preview.jpg") as picture:
        grey = np.asarray(picture.convert("L"))
    assert np.median(grey) > 250
    rows = grey.shape[0]
    for part in (slice(0, rows // 3), slice(rows // 3, 2 * rows // 3), slice(2 * rows // 3, rows)):
        assert (grey[part] < 128).mean() > 0.005


def test_columns_come_from_file_and_condensed_file(made: Path, scratch: Path) -> None:
    """Computed features are in the explorer; values are those of the file in float32."""
    tasks.condense({}, made, scratch)
    answer = preview(made, scratch, condensed=str(scratch / "condensed.rtdc"))
    header, columns = read_columns(scratch / "columns.bin")
    assert header["rows"] == header["events"] == 120
    assert header["index"] is None
    assert header["data_start"] % 8 == 0
    assert set(columns) == set(answer["columns"])
    with h5py.File(scratch / "condensed.rtdc") as h5:
        for name in ("volume", "deform", "frame"):
            assert np.array_equal(columns[name], h5["events"][name][:].astype("<f4"))
    described = {column["name"]: column for column in header["columns"]}
    assert (described["volume"]["label"], described["volume"]["unit"]) == ("Volume", "µm³")
    assert described["deform"]["max"] == pytest.approx(float(columns["deform"].max()))


def test_large_measurements_are_thinned(tmp_path: Path, scratch: Path) -> None:
    """A million rows at most, evenly spaced, with their numbers; the picture tells the whole number."""
    events = 2_500_000
    path = tmp_path / "large.rtdc"
    with h5py.File(path, "w") as h5:
        rtdc.sound_attributes(h5, events)
        h5["events/area_um"] = np.arange(events, dtype=np.float32)
        h5["events/deform"] = np.arange(events, dtype=np.float32) / events
    answer = preview(path, scratch)
    assert answer["rows"] == material.MAX_ROWS
    assert answer["alt"].startswith("Overview of 2500000 events.")
    header, columns = read_columns(scratch / "columns.bin")
    data = (scratch / "columns.bin").read_bytes()
    index = np.frombuffer(data[header["data_start"] + header["index"]["offset"] :], "<u4")
    assert len(index) == material.MAX_ROWS
    assert np.array_equal(columns["area_um"], index.astype("<f4"))
    assert set(np.diff(index)) == {2, 3}


def test_density_maps_count_the_events(made: Path, scratch: Path) -> None:
    """Maps of common pairs; the counts add up."""
    answer = preview(made, scratch)
    assert ["area_um", "deform"] in answer["maps"]
    assert ["fl1_max", "fl2_max"] in answer["maps"]
    data = (scratch / "density.bin").read_bytes()
    header = binary.read_header(data)
    size = header["bins"] ** 2 * 2
    for entry in header["maps"]:
        start = header["data_start"] + entry["offset"]
        counts = np.frombuffer(data[start : start + size], "<u2")
        assert counts.sum() == entry["events"]
        assert counts.max() == entry["top"]
        assert entry["events"] >= 110


def test_nothing_to_plot(tmp_path: Path, scratch: Path) -> None:
    """Only a frame number: no panel, but files that are there."""
    path = tmp_path / "little.rtdc"
    with h5py.File(path, "w") as h5:
        rtdc.sound_attributes(h5, 5)
        h5["events/frame"] = np.arange(5)
    answer = preview(path, scratch)
    assert "nothing to plot" in answer["alt"]
    assert (scratch / "thumb.webp").stat().st_size


def test_damaged_headers_are_told() -> None:
    """Whoever reads the little formats learns when they are cut."""
    with pytest.raises(ValueError, match="not a columns"):
        binary.read_header(b"hello world, this is text")
    with pytest.raises(ValueError, match="cut"):
        binary.read_header(binary.COLUMNS_MAGIC + (1000).to_bytes(4, "little") + b"{}")


def test_density_map_rises_in_lightness() -> None:
    """So that it works in grey print and for colour-blind readers."""
    colours = palette.density_map().astype(float)
    lightness = colours @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > -0.5).all()
    assert lightness[-1] - lightness[0] > 150


@pytest.mark.parametrize(
    ("axis", "first"),
    [
        (Range(0, 1), "0"),
        (Range(1, 0), "0"),
        (Range(-3, 900), "0"),
        (Range(2.0, 2.0001), "2"),
        (Range(1, 1e4, True), "1"),
    ],
)
def test_ticks_lie_on_the_axis(axis: Range, first: str) -> None:
    """Round numbers between the ends, whichever way round they are."""
    marks = canvas.ticks(axis)
    assert len(marks) >= 2
    assert all(-1e-9 <= position <= 1 + 1e-9 for position, _ in marks)
    assert first in {name for _, name in marks}


def test_limits_of_difficult_values() -> None:
    """Constant, empty, infinite and enormous columns."""
    assert density.limits(np.array([np.nan, np.inf])) is None
    assert density.limits(np.array([-1.0, 0.0]), logarithmic=True) is None
    constant = density.limits(np.array([5.0, 5.0]))
    assert constant is not None
    assert constant.low < 5 < constant.high
    assert density.limits(np.array([1.7e308, -1.7e308])) is None


def test_labels_with_units_can_be_drawn() -> None:
    """The built-in font has no µ and no raised digits; the width counts them all the same."""
    assert text.measure("Volume [µm³]", 15)[0] > text.measure("Volume [m]", 15)[0]
