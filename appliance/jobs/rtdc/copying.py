"""Copy what a condensed file takes over unchanged: attributes, logs, tables, scalar features, internal basins."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from dclab import definitions as dfn
from dclab.rtdc_dataset import RTDCWriter
from dclab.rtdc_dataset.copier import h5ds_copy, is_properly_compressed
from dclab.util import hashobj

from . import features
from .errors import RtdcError
from .opening import SafeRTDC
from .texts import Budget

#: All logs of a file together, as text.
LOG_BYTES = 64_000_000
#: A log becomes a table of fixed-length strings; lines × longest line may take this much.
LOG_TABLE_BYTES = 512_000_000

COMPRESSION = hdf5plugin.Zstd(clevel=5)


def copy_unchanged(dataset: SafeRTDC, target: h5py.File) -> None:
    """Do what dclab's `rtdc_copy(features="scalar")` does, but take over no basin that leaves the file.

    Raises RtdcError (`log`) for logs beyond the limits.
    """
    source = dataset.h5file
    for key, value in source.attrs.items():
        target.attrs[key] = value
    internal = _copy_internal_basins(dataset, target)
    target.require_group("logs")
    budget = Budget(LOG_BYTES)
    for name in source.get("logs", {}):
        _copy_log(source["logs"], name, target["logs"], budget)
    if "tables" in source:
        target.require_group("tables")
        for name in source["tables"]:
            copy_dataset(source["tables"], name, target["tables"])
    events = target.require_group("events")
    for name in sorted(source["events"]):
        if dfn.feature_exists(name, scalar_only=True) and name not in internal and name in dataset._events:
            _copy_scalar(source["events"], name, events)


def copy_dataset(source: h5py.Group, name: str, target: h5py.Group) -> h5py.Dataset:
    """Do what dclab's `h5ds_copy` does with a dataset, but never by HDF5's own H5Ocopy. → the new dataset.

    That one (of HDF5 2.0) writes beyond its buffer when several compressed chunks of the dataset were read before.
    """
    data = source[name]
    if not isinstance(data, h5py.Dataset) or not is_properly_compressed(data) or data.dtype.hasobject:
        return h5ds_copy(source, name, target, recursive=False)
    kind, space, properties = data.id.get_type().copy(), data.id.get_space(), data.id.get_create_plist()
    made = h5py.h5d.create(target.id, name.encode(), kind, space, properties)
    chunks: list[Any] = []
    data.id.chunk_iter(chunks.append)
    for chunk in chunks:
        unfiltered, content = data.id.read_direct_chunk(chunk.chunk_offset)
        made.write_direct_chunk(chunk.chunk_offset, content, unfiltered)
    copied = target[name]
    copied.attrs.update(data.attrs)
    return copied


def _copy_scalar(source: h5py.Group, name: str, target: h5py.Group) -> None:
    copied = copy_dataset(source, name, target)
    functions: dict[str, Callable[[features.Array], Any]] = {"min": np.nanmin, "max": np.nanmax, "mean": np.nanmean}
    missing = [key for key in functions if key not in copied.attrs]
    if missing:
        values = copied[:]
        for key in missing:
            copied.attrs[key] = functions[key](values)


def _copy_log(source: h5py.Group, name: str, target: h5py.Group, budget: Budget) -> None:
    data = source[name]
    if not isinstance(data, h5py.Dataset) or h5py.check_string_dtype(data.dtype) is None or data.ndim != 1:
        raise RtdcError("log", "A log of the file is not a list of text lines.")
    if not len(data):
        return
    if data.dtype.kind != "O":
        if not budget.take(data.nbytes):
            raise RtdcError("log", f"The logs are larger than {LOG_BYTES // 1_000_000} MB.")
        copy_dataset(source, name, target)
        return
    lines = []
    for index in range(len(data)):
        line = data[index]
        if not budget.take(len(line) + 1):
            raise RtdcError("log", f"The logs are larger than {LOG_BYTES // 1_000_000} MB.")
        lines.append(line)
    width = max(100, *(len(line) for line in lines))
    if width * len(lines) > LOG_TABLE_BYTES:
        raise RtdcError("log", "A log of the file has too many and too long lines.")
    chunks = tuple(min(size, len(lines)) for size in data.chunks or RTDCWriter.get_best_nd_chunks((), data.dtype))
    copied = target.create_dataset(
        name, shape=data.shape, dtype=f"S{width}", chunks=chunks, fletcher32=True, **COMPRESSION
    )
    copied[:] = np.array(lines, dtype=f"S{width}")
    copied.attrs.update(data.attrs)


def _copy_internal_basins(dataset: SafeRTDC, target: h5py.File) -> set[str]:
    """Copy the scalar features of internal basins with their definition. → names that are thereby dealt with."""
    source = dataset.h5file
    done: set[str] = set()
    for basin in dataset.basins_get_dicts():
        names = [
            name
            for name in basin["features"]
            if dfn.feature_exists(name, scalar_only=True) and isinstance(source["basin_events"].get(name), h5py.Dataset)
        ]
        if not names:
            continue
        for name in names:
            if name not in target.require_group("basin_events"):
                copy_dataset(source["basin_events"], name, target["basin_events"])
        done.update(names)
        mapping = basin["mapping"]
        if mapping != "same" and mapping in source["events"]:
            done.add(mapping)
            if mapping not in target.require_group("events"):
                copy_dataset(source["events"], mapping, target["events"])
        _write_definition(target, basin | {"features": names})
    return done


def _write_definition(target: h5py.File, basin: dict[str, Any]) -> None:
    lines = json.dumps(basin, indent=2).split("\n")
    key = hashobj(lines)
    if key not in target.require_group("basins"):
        with RTDCWriter(target) as writer:
            writer.write_text(target["basins"], key, lines)
