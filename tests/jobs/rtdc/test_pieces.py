"""Pieces of data that HDF5 reads without an error although nothing is in them: never served as values."""

from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest

from appliance.jobs.rtdc import pieces, tasks
from tests.support.rtdc_damaged import in_pieces, overwrite

#: Dataset → as what the page calls it.
PARTS = {
    "events/area_um": "area_um",
    "events/fl1_max": "fl1_max",
    "events/image": "image",
    "events/mask": "mask",
    "events/trace/fl1_raw": "fl1_raw",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_with_a_zeroed_piece_is_left_out_and_told(part: str, tmp_path: Path, scratch: Path) -> None:
    path = in_pieces(tmp_path / "zeros.rtdc", part)
    overwrite(path, part, 2)
    answer = tasks.metadata({}, path, scratch)
    assert any(
        PARTS[part] in cue["message"] and pieces.DAMAGED in cue["message"] for cue in answer["integrity"]["cues"]
    )
    assert part.split("/")[-1] not in [*answer["features"], *answer["traces"]]
    sanity = tasks.sanity({}, path, scratch)
    assert (sanity["valid"], sanity["reasons"]) == (False, answer["integrity"]["sanity_errors"])
    assert f"'{part.split('/')[1]}' cannot be read" in sanity["reasons"][0], "it cannot be published for good"
    tasks.condense({"name": path.name}, path, scratch)
    tasks.preview({"condensed": None}, path, scratch)
    with h5py.File(scratch / "condensed.rtdc") as h5:
        if part == "events/fl1_max":
            assert "fl1_max" not in h5["events"]
        assert np.isfinite(h5["events/deform"][:]).all()


@pytest.mark.parametrize("part", ["fl1_max", "area_um"])
def test_a_damaged_feature_does_not_cost_the_metadata(part: str, tmp_path: Path, scratch: Path) -> None:
    path = in_pieces(tmp_path / "damaged.rtdc", f"events/{part}")
    overwrite(path, f"events/{part}", 1, b"\xff\x00\xff\x00")
    integrity = tasks.metadata({}, path, scratch)["integrity"]
    assert not integrity["sane"]
    assert any(f"'{part}' cannot be read" in reason for reason in integrity["sanity_errors"])


def _piece(path: Path, raw: bytes, **options: object) -> bool:
    with h5py.File(path, "w") as h5:
        made = h5.create_dataset("x", shape=(100_000,), dtype="u1", chunks=(100_000,), **options)
        made.id.write_direct_chunk((0,), raw)
    with h5py.File(path) as h5:
        return pieces.damaged(h5["x"].id, h5["x"].id.get_create_plist())


def _frame(path: Path, values: np.ndarray) -> bytes:
    """What the filter for Zstandard makes of these bytes."""
    with h5py.File(path, "w") as h5:
        made = h5.create_dataset("x", data=values, chunks=values.shape, **hdf5plugin.Zstd(clevel=5))
        return bytes(made.id.read_direct_chunk((0,))[1])


def test_short_and_empty_pieces_are_found(tmp_path: Path) -> None:
    path, zstd = tmp_path / "piece.h5", hdf5plugin.Zstd(clevel=5)
    noise = np.random.default_rng(1).integers(0, 9, 100_000).astype("u1")
    for length in (1, 200, 300, 70_000, 99_999):
        assert _piece(path, _frame(tmp_path / "frame.h5", noise[:length]), **zstd), length
    assert not _piece(path, _frame(tmp_path / "frame.h5", noise), **zstd)
    assert _piece(path, bytes(500), **zstd)
    assert _piece(path, bytes(10))
    assert not _piece(path, noise.tobytes())
    assert _piece(path, bytes(100_000), fletcher32=True), "the checksum lacks"
    assert _piece(path, bytes(500), compression="lzf")
    assert not _piece(path, zlib.compress(noise.tobytes()), compression="gzip"), "its own filter tells"


@pytest.mark.parametrize(
    "options",
    [
        dict(hdf5plugin.Zstd(clevel=1)),
        dict(hdf5plugin.Zstd(clevel=22), fletcher32=True),
        dict(hdf5plugin.Zstd(), shuffle=True, fletcher32=True),
        {"compression": "lzf"},
        {"compression": "lzf", "shuffle": True, "fletcher32": True},
        {"compression": "gzip"},
        {"shuffle": True},
        {"fletcher32": True},
        {"scaleoffset": 0},
        dict(hdf5plugin.Blosc2()),
        dict(hdf5plugin.Bitshuffle()),
        {},
    ],
)
@pytest.mark.parametrize("length", [1, 7, 255, 256, 257, 65_791, 65_792, 200_000])
@pytest.mark.parametrize("content", ["zeros", "noise"])
def test_sound_pieces_are_never_taken_for_damaged(
    content: str, length: int, options: dict[str, object], tmp_path: Path
) -> None:
    values = np.zeros(length, "u2")
    if content == "noise":
        values = np.random.default_rng(length).integers(0, 60_000, length).astype("u2")
    path = tmp_path / "sound.h5"
    with h5py.File(path, "w", userblock_size=512 * (length % 2)) as h5:
        h5.create_dataset("x", data=values, chunks=(max(1, length // 3),), **options)
        h5.create_dataset("never", shape=(length,), dtype="f8", chunks=(max(1, length // 3),), **options)
    with h5py.File(path) as h5:
        for name in ("x", "never"):
            assert not pieces.damaged(h5[name].id, h5[name].id.get_create_plist())
