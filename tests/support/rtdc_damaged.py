"""Damaged files after public reports: HDF5 opens them, and a part of them is lost. They join `REFUSED`."""

from __future__ import annotations

from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

from tests.support.rtdc import sound
from tests.support.rtdc_reported import REFUSED, refused

_BEFORE = frozenset(REFUSED)


def in_pieces(path: Path, part: str, **options: object) -> Path:
    """A sound file of 12 events one of whose datasets lies in pieces of 4, by default as dclab packs them. → its path."""
    sound(path, events=12, fluorescence=True)
    with h5py.File(path, "a") as h5:
        data = h5[part][:]
        del h5[part]
        packed = options or dict(hdf5plugin.Zstd(clevel=5), fletcher32=True)
        h5.create_dataset(part, data=data, chunks=(4, *data.shape[1:]), **packed)
    return path


def overwrite(path: Path, part: str, piece: int, content: bytes | None = None) -> None:
    """Put bytes in the middle of a piece of a dataset; zeros in the place of all of it without `content`."""
    with h5py.File(path) as h5:
        found = h5[part].id.get_chunk_info(piece)
    data = bytearray(path.read_bytes())
    content, start = (bytes(found.size), 0) if content is None else (content, found.size // 2)
    data[found.byte_offset + start : found.byte_offset + start + len(content)] = content
    path.write_bytes(data)


@refused("silx-kit/hdf5plugin#403: zeros in the place of a piece are read as whatever lies in memory", "cannot be read")
def zeros_for_a_piece_of_a_feature(path: Path) -> None:
    overwrite(in_pieces(path, "events/area_um"), "events/area_um", 1)


@refused("HDFGroup/hdf5_plugins#280: the same in images, where only a middle event is lost", "cannot be read")
def zeros_for_a_piece_of_the_images(path: Path) -> None:
    overwrite(in_pieces(path, "events/image"), "events/image", 1)


@refused("silx-kit/hdf5plugin#403: a piece unpacks to less than belongs there", "cannot be read")
def piece_of_another_dataset(path: Path) -> None:
    with h5py.File(in_pieces(path, "events/mask", **hdf5plugin.Zstd()), "a") as h5:
        short = h5.create_dataset("other", data=np.ones(9, "u1"), chunks=(9,), **hdf5plugin.Zstd())
        h5.flush()
        h5["events/mask"].id.write_direct_chunk((4, 0, 0), short.id.read_direct_chunk((0,))[1])


@refused("kiyo-masui/bitshuffle#127: the file opens, reading a part fails", "cannot be read")
def bytes_of_a_maximum_flipped(path: Path) -> None:
    overwrite(in_pieces(path, "events/fl1_max"), "events/fl1_max", 2, b"\xff\x00\xff\x00")


@refused("ovro-lwa/lwa-issues#207: the copy is shorter by some megabytes than what was recorded", "truncated")
def last_bytes_missing(path: Path) -> None:
    sound(path, events=12)
    path.write_bytes(path.read_bytes()[:-100])


@refused("h5py/h5py#1807: the end of the file was never written", "truncated")
def nine_tenths(path: Path) -> None:
    sound(path, events=12)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])


#: Names of the files of this module.
DAMAGED = [name for name in REFUSED if name not in _BEFORE]
