"""The layout of condensed files: few and small reads for whoever reads them over the network."""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import numpy as np
import pytest
from dclab.rtdc_dataset.fmt_hdf5 import RTDC_HDF5

from appliance.jobs.rtdc import packing
from appliance.jobs.rtdc.condense import DRAFT, RESULT
from tests.jobs.rtdc.test_condense import condense


class _Counted(io.RawIOBase):
    """A file that counts how often it is read from: dclab makes a request of each such read, or several."""

    def __init__(self, path: Path) -> None:
        self._file, self.reads = path.open("rb"), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.reads += 1
        return self._file.readinto(buffer)  # type: ignore[attr-defined, no-any-return]


def _reads(path: Path) -> int:
    """How often a file is read from until all its scalar features are known."""
    with _Counted(path) as file, RTDC_HDF5(file) as dataset:
        for name in dataset.features_scalar:
            if name in dataset._events:
                dataset[name][:]
        return file.reads


def test_half_the_reads_and_the_bytes(made: Path, scratch: Path) -> None:
    condense(made, scratch)
    draft, packed = scratch / DRAFT, scratch / RESULT
    assert _reads(packed) <= 0.65 * _reads(draft)
    assert packed.stat().st_size <= 0.6 * draft.stat().st_size


def test_everything_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what takes several chunks, what is empty, and texts of any length."""
    monkeypatch.setattr(packing, "CHUNK", 1000)
    source, target = tmp_path / "a.h5", tmp_path / "b.h5"
    with h5py.File(source, "w") as h5:
        h5.attrs.update({f"setup:key {number}": number for number in range(300)})
        h5["events/deform"] = np.arange(1001) / 7
        h5["events/deform"].attrs["mean"] = 5.0
        h5.create_dataset("events/empty", shape=(0,), dtype="f4")
        h5["logs/a"] = np.array([b"one", b"two and more"])
        h5.create_dataset("logs/open", data=np.array([b"x"] * 9), maxshape=(None,), chunks=(3,))
        h5["logs/scalar"] = "text"
        h5["logs/long"] = ["x" * 70_000, "ä"]
        h5["tables/t"] = np.zeros(300, dtype=[("a", "f8"), ("b", "i4")])
        h5["basins/k"] = np.array([b"{}"])
    with h5py.File(source) as h5:
        packing.pack(h5, target)
        with h5py.File(target) as packed:
            assert dict(packed.attrs) == dict(h5.attrs)
            names: list[str] = []
            h5.visit(names.append)
            found: list[str] = []
            packed.visit(found.append)
            assert found == names
            for name in names:
                if isinstance(h5[name], h5py.Dataset):
                    assert packed[name].dtype == h5[name].dtype
                    np.testing.assert_array_equal(packed[name][()], h5[name][()], err_msg=name)
            assert dict(packed["events/deform"].attrs) == {"mean": 5.0}
            assert packed["logs/open"].maxshape == (None,), "programs append to logs"
