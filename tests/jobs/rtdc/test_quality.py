"""The verdict on a measurement: a good, a drifting and a broken one, and what each check sees."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import dclab
import h5py
import numpy as np
import pytest

from appliance.demo import synthetic
from appliance.jobs.rtdc import tasks
from appliance.model.verdict import Finding, Judgement, judge
from appliance.settings import Settings
from appliance.store.verdicts import integrity

LIMITS = dataclasses.asdict(Settings().verdict)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good measurement of 400 events."""
    path = tmp_path_factory.mktemp("quality") / "good.rtdc"
    synthetic.write(path, events=400, seed=5, shape=(40, 80), channel_width=10.0, kind="beads", contours=False)
    return path


@pytest.fixture
def copy(sample: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    path = tmp_path / "copy.rtdc"
    path.write_bytes(sample.read_bytes())
    return path


def judged(path: Path) -> Judgement:
    """The verdict as the job and the server make it."""
    answer = tasks.metadata({}, path, path.parent)
    measures = json.loads(json.dumps(answer["quality"], allow_nan=False))
    return judge(measures | {"integrity": integrity(answer["integrity"])}, LIMITS)


def change(path: Path, **columns: Any) -> None:
    """Put other values into scalar features."""
    with h5py.File(path, "a") as h5:
        for name, values in columns.items():
            old = h5["events"][name][:] if name in h5["events"] else np.zeros(len(h5["events/deform"]))
            new = values(old) if callable(values) else values
            if name in h5["events"]:
                del h5["events"][name]
            h5["events"].create_dataset(name, data=np.asarray(new, dtype=np.float64))


def finding(path: Path, check: str) -> Finding:
    """What a check says that must have something to say."""
    found = [one for one in judged(path).findings if one.check == check]
    return max(found, key=lambda one: one.grade != "good")


def test_a_good_measurement_is_good_in_every_check(sample: Path) -> None:
    found = judged(sample)
    assert found.grade == "good"
    checked = {one.check for one in found.findings}
    assert checked >= {"file", "events", "rate", "brightness", "focus", "outlines", "border", "saturation", "frames"}
    assert all(len(one.series) > 2 for one in found.findings if one.check in {"rate", "brightness", "focus"})


def test_a_drifting_measurement_is_to_be_looked_at(copy: Path) -> None:
    change(copy, bright_avg=lambda old: old * np.linspace(1, 1.4, len(old)))
    found = judged(copy)
    assert found.grade == "look"
    assert [one.check for one in found.of_grade("look")] == ["brightness"]
    assert finding(copy, "brightness").values["drift"] == pytest.approx(0.32 / 1.2, abs=0.02)


def test_a_lost_focus_shows_in_the_images(copy: Path) -> None:
    with h5py.File(copy, "a") as h5:
        images = h5["events/image"][:].astype(float)
        for number in range(200, 400):  # the second half is blurred
            for _ in range(6):
                images[number] = (
                    images[number]
                    + np.roll(images[number], 1, 0)
                    + np.roll(images[number], -1, 0)
                    + np.roll(images[number], 1, 1)
                    + np.roll(images[number], -1, 1)
                ) / 5
        h5["events/image"][:] = images.astype(np.uint8)
    assert (finding(copy, "focus").what, finding(copy, "focus").grade) == ("drifts", "look")


def test_clogging_pauses_and_bursts(copy: Path) -> None:
    slower = np.concatenate([np.arange(300) * 20, 6000 + np.arange(100) * 150]).astype(float)
    change(copy, frame=slower, time=slower / 2000)
    assert finding(copy, "rate").what == "fell"
    paused = np.arange(400) * 200.0 + np.where(np.arange(400) >= 200, 60_000, 0)
    change(copy, frame=paused, time=paused / 2000)
    found = [one for one in judged(copy).findings if one.check == "rate" and one.what == "pause"]
    assert found[0].values["seconds"] == pytest.approx(30.1)
    dense = np.sort(np.concatenate([np.linspace(0, 60_000, 300), np.linspace(30_000, 30_300, 100)]))
    change(copy, frame=np.rint(dense), time=dense / 2000)
    assert any(one.what in {"burst", "rose", "fell"} for one in judged(copy).of_grade("look"))


def test_events_at_random_moments_are_no_pause_and_no_clogging(copy: Path) -> None:
    """Slow, irregular measurements are the rule with beads: one event in ten seconds, at random."""
    frames = np.cumsum(np.random.default_rng(7).exponential(20_000, 400))
    change(copy, frame=np.rint(frames), time=frames / 2000)
    assert finding(copy, "rate").grade == "good"


@pytest.mark.parametrize(
    ("check", "what", "columns"),
    [
        ("outlines", "many", {"area_ratio": lambda old: np.where(np.arange(len(old)) % 2, 1.3, old)}),
        ("border", "many", {"pos_x": lambda old: np.where(np.arange(len(old)) % 2, 0.5, old)}),
        ("saturation", "many", {"fl2_max": lambda old: np.where(np.arange(len(old)) % 10, old, 32767)}),
        ("temperature", "drifts", {"temp": lambda old: np.linspace(22, 28, len(old))}),
        ("flow", "drifts", {"flow_rate": lambda old: np.linspace(0.06, 0.09, len(old))}),
        ("frames", "lost", {"index_online": lambda old: np.arange(len(old)) * 2.0}),
        ("frames", "backwards", {"frame": lambda old: np.roll(old, 100)}),
        ("values", "missing", {"deform": lambda old: np.where(np.arange(len(old)) % 2, np.nan, old)}),
    ],
)
def test_each_check_sees_its_fault(copy: Path, check: str, what: str, columns: dict[str, Any]) -> None:
    change(copy, **columns)
    assert (finding(copy, check).what, finding(copy, check).grade) == (what, "look")
    assert judged(copy).grade == "look"


def test_events_that_stand_there_twice(copy: Path) -> None:
    twice = lambda old: np.repeat(old[::2], 2)  # noqa: E731
    change(copy, frame=twice, pos_x=twice, pos_y=twice, deform=twice, area_msd=twice)
    assert finding(copy, "frames").values["count"] == 200


def test_most_outlines_poor_is_not_to_be_used(copy: Path) -> None:
    change(copy, area_ratio=lambda old: old * 0 + 1.4)
    found = judged(copy)
    assert (found.grade, [one.check for one in found.of_grade("bad")]) == ("bad", ["outlines"])


def test_a_broken_file_is_not_to_be_used(copy: Path) -> None:
    with h5py.File(copy, "a") as h5:
        short = h5["events/deform"][:-10]
        del h5["events/deform"]
        h5["events"].create_dataset("deform", data=short)
    found = judged(copy)
    assert found.grade == "bad"
    assert found.of_grade("bad")[0].check == "file"


def test_a_column_that_cannot_be_read_costs_its_check_only(copy: Path) -> None:
    with h5py.File(copy, "a") as h5:
        del h5["events/temp"]
        h5["events"].create_dataset("temp", data=np.full(400, b"warm"))
    assert {one.check for one in judged(copy).findings} >= {"rate", "brightness", "outlines"}


def test_few_events_condemn_no_file(tmp_path: Path) -> None:
    path = tmp_path / "few.rtdc"
    synthetic.write(path, events=20, seed=2, shape=(40, 80), channel_width=10.0, kind="beads")
    change(path, area_ratio=lambda old: old * 0 + 1.4)
    assert judged(path).grade == "look"


def test_no_events_are_nothing_to_use() -> None:
    assert judge({"events": 0, "integrity": {"sane": True}}, LIMITS).grade == "bad"


def test_limits_are_those_of_the_settings(sample: Path) -> None:
    answer = tasks.metadata({}, sample, sample.parent)
    assert judge(answer["quality"], LIMITS | {"least_events": 1000}).grade == "look"


def test_real_files_are_judged_and_numbers_are_those_of_dclab(real_file: Path, scratch: Path) -> None:
    measures = tasks.metadata({}, real_file, scratch)["quality"]
    assert judge(measures, LIMITS).findings
    with dclab.new_dataset(real_file) as ds:
        assert measures["events"] == len(ds)
        assert measures["brightness"]["median"] == float(np.median(ds["bright_avg"][:].astype(np.float64)))
        assert measures["outlines"]["porous"] == np.mean(ds["area_ratio"][:] > 1.05)
        times = ds["time"][:]
        assert measures["rate"]["duration"] == pytest.approx(times.max() - times.min(), rel=1e-6)
