"""Single features, traces, events and pictures."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import dclab
import h5py
import numpy as np
import pytest
from PIL import Image

from appliance.jobs.rtdc import reader, tasks
from appliance.jobs.rtdc.errors import RtdcError
from tests.support import rtdc


def ask(path: Path, **request: Any) -> Any:
    """Run the read task. → its answer after a round trip through JSON."""
    return json.loads(json.dumps(tasks.read(request, path, path.parent)))


def png(encoded: str) -> np.ndarray[Any, Any]:
    """→ pixels of a base64 PNG."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))


def test_version_1_answers_equal_dclab(real_file: Path) -> None:
    """Scalar and non-scalar features and traces of every real file."""
    with dclab.new_dataset(real_file) as ds:
        for name in ("area_um", "deform", "index"):
            assert np.array_equal(ask(real_file, what="feature", feature=name)["values"], ds[name][:])
        image = ask(real_file, what="feature", feature="image", event="2")["values"]
        assert np.array_equal(image, ds["image"][2])
        mask = ask(real_file, what="feature", feature="mask", event=2)["values"]
        assert np.array_equal(mask, ds["mask"][2])
        assert isinstance(mask[0][0], bool)
        contour = ask(real_file, what="feature", feature="contour", event=2)["values"]
        assert np.array_equal(contour, ds["contour"][2])
        if "trace" in ds:
            for request in ({"what": "trace"}, {"what": "feature", "feature": "trace"}):
                values = ask(real_file, trace="fl1_raw", event="2", **request)["values"]
                assert np.array_equal(values, ds["trace"]["fl1_raw"][2])


def test_computed_features_come_from_the_condensed_file(made: Path, scratch: Path) -> None:
    """The reader computes nothing from images itself."""
    with pytest.raises(RtdcError, match="Feature 'volume' unavailable!"):
        ask(made, what="feature", feature="volume")
    tasks.condense({}, made, scratch)
    condensed = scratch / "condensed.rtdc"
    volume = ask(made, what="feature", feature="volume", condensed=str(condensed))["values"]
    with h5py.File(condensed, locking=False) as h5:
        assert np.array_equal(volume, h5["events/volume"][:])
    pooled = ask(made, what="feature", feature="volume", files={"original": str(made), "condensed": str(condensed)})
    assert pooled["values"] == volume


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"what": "feature"}, "Please specify 'feature' parameter!"),
        ({"what": "feature", "feature": "peter"}, "Unknown feature name 'peter'!"),
        ({"what": "feature", "feature": "emodulus"}, "Feature 'emodulus' unavailable!"),
        ({"what": "feature", "feature": "image"}, "Please specify 'event' for non-scalar feature image!"),
        ({"what": "feature", "feature": "qpi_pha", "event": 0}, "Feature 'qpi_pha' unavailable!"),
        ({"what": "trace", "event": 1}, "Please specify 'trace' parameter!"),
        ({"what": "trace", "trace": "fl9", "event": 1}, "Feature 'trace/fl9' unavailable!"),
        ({"what": "feature", "feature": "image", "event": "x"}, "Invalid event 'x'!"),
        ({"what": "feature", "feature": "image", "event": 12}, "There is no event 12; the file contains 12."),
        ({"what": "feature", "feature": "image", "event": -1}, "There is no event -1; the file contains 12."),
        ({"what": "event", "event": 99}, "There is no event 99; the file contains 12."),
        ({"what": "event", "events": list(range(200))}, "Please ask for at most 100 events!"),
        ({"what": "everything"}, "Unknown kind of request 'everything'!"),
    ],
)
def test_wrong_requests(small: Path, request_: dict[str, Any], message: str) -> None:
    """In upstream's words."""
    with pytest.raises(RtdcError) as caught:
        tasks.read(request_, small, small.parent)
    assert caught.value.message == message


def test_an_event_with_everything(made: Path) -> None:
    """Scalars, traces, pictures and outline for the explorer."""
    found = ask(made, what="event", event=7)
    with dclab.new_dataset(made) as ds:
        assert found["features"]["deform"] == pytest.approx(float(ds["deform"][7]))
        assert found["traces"]["fl2_raw"] == ds["trace"]["fl2_raw"][7].tolist()
        assert np.array_equal(png(found["image"]), ds["image"][7])
        assert np.array_equal(png(found["image_bg"]), ds["image_bg"][7])
        assert np.array_equal(png(found["mask"]).astype(bool), ds["mask"][7])
        assert np.array_equal(found["contour"], ds["contour"][7])
    assert (found["width"], found["height"]) == (250, 80)
    assert found["pixel_size"] == 0.34


def test_several_events_and_pictures_only(small: Path) -> None:
    """In the order asked for."""
    several = ask(small, what="event", events=[3, 1])["events"]
    assert [event["event"] for event in several] == [3, 1]
    picture = ask(small, what="image", event=3)
    assert picture["image"] == several[0]["image"]
    assert "features" not in picture


def test_missing_parts_are_null(tmp_path: Path) -> None:
    """A file without pictures; a value that is not a number."""
    path = rtdc.sound(tmp_path / "bare.rtdc", images=False, fluorescence=False)
    with h5py.File(path, "a") as h5:
        h5["events/deform"][4] = np.nan
    found = ask(path, what="event", event=4)
    assert found["features"]["deform"] is None
    assert found["image"] is found["mask"] is found["contour"] is None
    assert found["traces"] == {}


def test_cache_keeps_the_latest_files_open(tmp_path: Path) -> None:
    """Least recently used goes; a replaced file is read anew."""
    paths = [rtdc.sound(tmp_path / f"{n}.rtdc", events=2 + n) for n in range(3)]
    cache = reader.ReaderCache(2)
    first = cache.get(paths[0])
    assert cache.get(paths[0]) is first
    cache.get(paths[1])
    cache.get(paths[2])
    assert len(cache) == 2
    assert not first.h5file
    rtdc.sound(tmp_path / "new.rtdc", events=9).replace(paths[2])
    values = reader.read({"what": "feature", "feature": "deform"}, paths[2], cache)["values"]
    assert len(values) == 9
    cache.close()
    assert len(cache) == 0


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """Without its path."""
    with pytest.raises(RtdcError, match="does not exist"):
        ask(tmp_path / "nothing.rtdc", what="event", event=0)
