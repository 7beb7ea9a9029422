"""The generator of synthetic measurements."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import dclab
import h5py
import numpy as np
import pytest
from dclab.rtdc_dataset import check_dataset

from appliance.demo import cells, synthetic


@pytest.mark.parametrize("kind", sorted(cells.KINDS))
def test_dclab_finds_nothing_wrong(kind: str, tmp_path: Path) -> None:
    """No violation and no alert, for every kind of sample."""
    path = tmp_path / "made.rtdc"
    synthetic.write(path, events=60, kind=kind)
    violations, alerts, _ = check_dataset(path)
    assert violations == []
    assert alerts == []


@pytest.mark.parametrize(
    "options",
    [
        {"images": False},
        {"fluorescence": False},
        {"logs": False, "tables": False},
        {"background": False, "contours": True},
        {"chip_region": "reservoir"},
        {"events": 1},
        {"shape": (40, 80), "channel_width": 10.0, "kind": "beads"},
    ],
)
def test_parts_can_be_left_out(options: dict[str, object], tmp_path: Path) -> None:
    """What is left is still sound."""
    path = tmp_path / "made.rtdc"
    summary = synthetic.write(path, **{"events": 20, **options})  # type: ignore[arg-type]
    violations, _, _ = check_dataset(path)
    assert violations == []
    assert ("image" in summary["features"]) == bool(options.get("images", True))
    assert ("trace" in summary["features"]) == bool(options.get("fluorescence", True))
    assert ("contour" in summary["features"]) == bool(options.get("contours", False))


def test_the_same_arguments_give_the_same_file(tmp_path: Path) -> None:
    """Byte by byte; another seed gives another file."""
    paths = [tmp_path / f"{n}.rtdc" for n in range(3)]
    for path, seed in zip(paths, (5, 5, 6), strict=True):
        synthetic.write(path, events=15, seed=seed)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes() != paths[2].read_bytes()


def test_features_fit_the_pictures(tmp_path: Path) -> None:
    """Area, position and brightness are those of mask and image; contours are those that dclab traces."""
    path = tmp_path / "made.rtdc"
    synthetic.write(path, events=30, contours=True)
    with dclab.new_dataset(path) as ds, h5py.File(path, locking=False) as h5:
        for event in range(0, 30, 7):
            mask, image = ds["mask"][event], ds["image"][event]
            assert ds["bright_avg"][event] == pytest.approx(image[mask].mean(), rel=1e-6)
            assert ds["pos_x"][event] == pytest.approx(np.argwhere(mask)[:, 1].mean() * 0.34, abs=0.3)
            assert ds["area_um"][event] == pytest.approx(mask.sum() * 0.34**2, rel=0.15)
            traced = dclab.features.contour.get_contour(mask)
            assert np.array_equal(np.unique(h5[f"events/contour/{event}"][:], axis=0), np.unique(traced, axis=0))


def test_larger_cells_are_deformed_more(tmp_path: Path) -> None:
    """Along the isoelasticity lines in the channel; hardly at all in the reservoir."""
    synthetic.write(tmp_path / "channel.rtdc", events=400, images=False)
    synthetic.write(tmp_path / "reservoir.rtdc", events=400, images=False, chip_region="reservoir")
    with h5py.File(tmp_path / "channel.rtdc") as h5:
        area, deform = h5["events/area_um"][:], h5["events/deform"][:]
    assert np.corrcoef(area, deform)[0, 1] > 0.4
    with h5py.File(tmp_path / "reservoir.rtdc") as h5:
        assert np.median(h5["events/deform"][:]) < np.median(deform) / 2


def test_many_events_reuse_cells_but_differ(tmp_path: Path) -> None:
    """More events than drawn cells: no two points of the scatter plot fall together."""
    path = tmp_path / "many.rtdc"
    synthetic.write(path, events=2 * synthetic.MAX_TEMPLATES, images=False, fluorescence=False)
    with h5py.File(path) as h5:
        assert len(np.unique(h5["events/area_um"][:])) > 1.9 * synthetic.MAX_TEMPLATES


def test_no_events_are_refused(tmp_path: Path) -> None:
    """With a reason."""
    with pytest.raises(ValueError, match="at least one event"):
        synthetic.write(tmp_path / "none.rtdc", events=0)


def test_command_line(tmp_path: Path) -> None:
    """Runs in a process of its own and prints what it made."""
    path = tmp_path / "made.rtdc"
    command = [sys.executable, "-m", "appliance.demo.synthetic", str(path), "--events", "10", "--kind", "beads"]
    done = subprocess.run([*command, "--sample", "Beads A"], check=True, capture_output=True, text=True)
    summary = json.loads(done.stdout)
    assert summary["events"] == 10
    assert summary["bytes"] == path.stat().st_size
    with h5py.File(path) as h5:
        assert h5.attrs["experiment:sample"] == "Beads A"
