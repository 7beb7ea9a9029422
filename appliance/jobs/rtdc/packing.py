"""The layout of condensed files: what a reader over the network needs, in few and small reads.

dclab fetches a remote file in ranges, one or more for each read of HDF5 (on a fast network it keeps none of them). HDF5 1.10's
format holds the attributes of the file in one object header and a feature in one chunk that needs no index: half as many reads as
the format that h5py writes by default, and a quarter of the bytes. Every h5py that dclab has required since 2018 reads it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from dclab.util import hashobj

from .copying import COMPRESSION

#: Bytes of a chunk; a feature of a million events is one. Memory: a chunk.
CHUNK = 8 << 20
#: Groups whose datasets nobody appends to.
_FIXED = ("/events/", "/basin_events/")
#: Attributes that stay in the header of their object, whatever their number.
_MOST_ATTRIBUTES = 65_535


def pack(source: h5py.File, path: Path, *, basins: Iterable[Mapping[str, Any]] | None = None) -> None:
    """Write all of `source` to `path`, which is replaced. Raises OSError, ValueError.

    :param basins: definitions instead of those in `source`.
    """
    with _created(path) as target:
        _copy_attributes(source, target)
        for name, item in source.items():
            if name != "basins" or basins is None:
                _copy(item, name, target)
        for definition in basins or ():
            lines = json.dumps(dict(definition), indent=2).split("\n")
            text = np.array([line.encode() for line in lines])
            target.require_group("basins").create_dataset(hashobj(lines), data=text, track_times=False)


@contextlib.contextmanager
def _created(path: Path) -> Iterator[h5py.File]:
    access, creation = h5py.h5p.create(h5py.h5p.FILE_ACCESS), h5py.h5p.create(h5py.h5p.FILE_CREATE)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    creation.set_attr_phase_change(_MOST_ATTRIBUTES, 0)
    with h5py.File(h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, fcpl=creation, fapl=access)) as file:
        yield file


def _copy(item: h5py.Group | h5py.Dataset, name: str, target: h5py.Group) -> None:
    if isinstance(item, h5py.Dataset):
        _copy_dataset(item, name, target)
        return
    made = target.create_group(name)
    _copy_attributes(item, made)
    for key, inner in item.items():
        _copy(inner, key, made)


def _copy_dataset(data: h5py.Dataset, name: str, target: h5py.Group) -> None:
    if not data.shape or 0 in data.shape or data.dtype.hasobject:
        made = target.create_dataset(name, data=data[()], dtype=data.dtype, track_times=False)
        _copy_attributes(data, made)
        return
    row = max(1, data.dtype.itemsize * int(np.prod(data.shape[1:])))
    rows = max(1, min(len(data), CHUNK // row))
    made = target.create_dataset(
        name,
        shape=data.shape,
        dtype=data.dtype,
        chunks=(rows, *data.shape[1:]),
        maxshape=data.shape if str(data.name).startswith(_FIXED) else data.maxshape,
        fletcher32=True,
        track_times=False,
        **COMPRESSION,
    )
    _copy_attributes(data, made)
    for start in range(0, len(data), rows):
        made[start : start + rows] = data[start : start + rows]


def _copy_attributes(source: h5py.Group | h5py.Dataset, target: h5py.Group | h5py.Dataset) -> None:
    for key, value in source.attrs.items():
        target.attrs[key] = value
