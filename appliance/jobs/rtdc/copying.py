"""Copy what a condensed file takes over unchanged: attributes, logs, tables, scalar features, internal basins."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from dclab import definitions as dfn
from dclab.rtdc_dataset import RTDCWriter
from dclab.rtdc_dataset.copier import is_properly_compressed
from dclab.util import hashobj

from appliance.model.messages import Message

from . import features
from .errors import RtdcError, shown
from .opening import SafeRTDC
from .texts import Budget, lines

#: All logs of a file together, as text.
LOG_BYTES = 64_000_000
#: A log becomes a table of fixed-length strings; lines × longest line may take this much.
LOG_TABLE_BYTES = 512_000_000

#: Longer texts of metadata are stored as texts of variable length.
_LONG_TEXT = 10_000

COMPRESSION = hdf5plugin.Zstd(clevel=5)


def copy_unchanged(dataset: SafeRTDC, target: h5py.File) -> list[str]:
    """Do what dclab's `rtdc_copy(features="scalar")` does, but take over no basin that leaves the file.

    → a sentence for each part that could not be copied.
    """
    source, notes = dataset.h5file, list[str]()
    for key, value in dataset.metadata.raw.items():
        _copy_attribute(target, key, value, notes)
    internal = _copy_internal_basins(dataset, target)
    target.require_group("logs")
    budget = Budget(LOG_BYTES)
    for name in dataset.parts.logs:
        _tried(notes, "log", name, _copy_log, source["logs"], name, target["logs"], budget)
    if "tables" in source:
        target.require_group("tables")
        for name in dataset.parts.tables:
            _tried(notes, "table", name, _copy_table, source["tables"], name, target["tables"])
    events = target.require_group("events")
    for name in dataset._events:
        if dfn.feature_exists(name, scalar_only=True) and name not in internal:
            _tried(notes, "feature", name, _copy_scalar, source["events"], name, events)
    return notes


def _tried(
    notes: list[str],
    what: str,
    name: str,
    copy: Callable[..., Any],
    source: h5py.Group,
    key: str,
    target: h5py.Group,
    *more: Any,
) -> None:
    """Copy one part; if that fails, leave nothing of it behind and say so."""
    try:
        copy(source, key, target, *more)
    except RtdcError as exc:
        notes.append(
            Message(
                "The %(what)s '%(name)s' is not in the condensed file: %(message)s",
                what=what,
                name=shown(name),
                message=exc.message,
            )
        )
    except (OSError, RuntimeError, TypeError, ValueError, KeyError):
        notes.append(
            Message(
                "The %(what)s '%(name)s' is not in the condensed file: its data are damaged.",
                what=what,
                name=shown(name),
            )
        )
    else:
        return
    if key in target:
        del target[key]


def _copy_attribute(target: h5py.File, key: str, value: Any, notes: list[str]) -> None:
    if isinstance(value, str) and len(value) > _LONG_TEXT:  # beyond what HDF5 keeps in an object's header
        value = np.array(value.replace("\0", ""), dtype=h5py.string_dtype())
    try:
        target.attrs[key] = value
    except (OSError, RuntimeError, TypeError, ValueError):
        notes.append(
            Message("The metadata key '%(key)s' is not in the condensed file: its value is too large.", key=shown(key))
        )


def _copy_attributes(source: h5py.Dataset, target: h5py.Dataset) -> None:
    """Numbers and texts; references would point at nothing in another file."""
    for key in source.attrs:
        with contextlib.suppress(OSError, RuntimeError, TypeError, ValueError, KeyError):
            value = source.attrs[key]
            if isinstance(value, str | bytes) or (
                isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "iufbSU"
            ):
                target.attrs[key] = value


def copy_dataset(source: h5py.Group, name: str, target: h5py.Group) -> h5py.Dataset:
    """Do what dclab's `h5ds_copy` does with a dataset, but never by HDF5's own H5Ocopy. → the new dataset.

    That one (of HDF5 2.0) writes beyond its buffer when several compressed chunks of the dataset were read before.
    """
    data = source[name]
    if not is_properly_compressed(data) or data.dtype.hasobject:
        return _packed_anew(data, name, target)
    kind, space, properties = data.id.get_type().copy(), data.id.get_space(), data.id.get_create_plist()
    made = h5py.h5d.create(target.id, name.encode(), kind, space, properties)
    chunks: list[Any] = []
    data.id.chunk_iter(chunks.append)
    for chunk in chunks:
        unfiltered, content = data.id.read_direct_chunk(chunk.chunk_offset)
        made.write_direct_chunk(chunk.chunk_offset, content, unfiltered)
    copied = target[name]
    _copy_attributes(data, copied)
    return copied


def _packed_anew(data: h5py.Dataset, name: str, target: h5py.Group) -> h5py.Dataset:
    """Chunks as dclab chooses them, Zstandard and a checksum; memory: a chunk."""
    shape = data.shape
    if not shape or 0 in shape:
        copied = target.create_dataset(name, shape=shape, dtype=data.dtype)
    else:
        chunks = data.chunks or RTDCWriter.get_best_nd_chunks(item_shape=shape[1:], item_dtype=data.dtype)
        chunks = tuple(min(size, most) for size, most in zip(chunks, shape, strict=True))
        copied = target.create_dataset(
            name, shape=shape, dtype=data.dtype, chunks=chunks, fletcher32=True, **COMPRESSION
        )
        for start in range(0, len(data), chunks[0]):
            copied[start : start + chunks[0]] = data[start : start + chunks[0]]
    _copy_attributes(data, copied)
    return copied


def _copy_table(source: h5py.Group, name: str, target: h5py.Group) -> None:
    """A table without its columns of texts of variable length, which may all be one huge text."""
    data = source[name]
    if not data.dtype.hasobject:
        copy_dataset(source, name, target)
        return
    kept = [column for column in data.dtype.names if not data.dtype[column].hasobject]
    kind = np.dtype([(column, data.dtype[column]) for column in kept])
    fields, step = data.fields(kept), max(1, 1_000_000 // kind.itemsize)
    copied = target.create_dataset(
        name,
        shape=data.shape,
        dtype=kind,
        chunks=(min(step, len(data)), *data.shape[1:]),
        fletcher32=True,
        **COMPRESSION,
    )
    for start in range(0, len(data), step):
        copied[start : start + step] = np.asarray(fields[start : start + step]).astype(kind)
    _copy_attributes(data, copied)


def _copy_scalar(source: h5py.Group, name: str, target: h5py.Group) -> None:
    copied = copy_dataset(source, name, target)
    functions: dict[str, Callable[[features.Array], Any]] = {"min": np.nanmin, "max": np.nanmax, "mean": np.nanmean}
    missing = [key for key in functions if key not in copied.attrs]
    values = copied[:] if missing else np.zeros(0)
    if values.size:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of columns without any number
            for key in missing:
                copied.attrs[key] = functions[key](values)


def _copy_log(source: h5py.Group, name: str, target: h5py.Group, budget: Budget) -> None:
    data = source[name]
    if data.ndim == 0:
        target.create_dataset(name, data=np.array(next(lines(data)), dtype=h5py.string_dtype()).astype("S"))
        return
    if data.dtype.kind != "O":
        if not budget.take(data.nbytes):
            raise RtdcError(
                "log", Message("The logs are larger than %(log_bytes)s MB.", log_bytes=LOG_BYTES // 1000000)
            )
        copy_dataset(source, name, target)
        return
    found = []
    for index in range(len(data)):
        line = data[index]
        line = line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape")
        if not budget.take(len(line) + 1):
            raise RtdcError(
                "log", Message("The logs are larger than %(log_bytes)s MB.", log_bytes=LOG_BYTES // 1000000)
            )
        found.append(line)
    width = max(100, *(len(line) for line in found))
    if width * len(found) > LOG_TABLE_BYTES:
        raise RtdcError("log", Message("A log of the file has too many and too long lines."))
    chunks = tuple(min(size, len(found)) for size in data.chunks or RTDCWriter.get_best_nd_chunks((), data.dtype))
    copied = target.create_dataset(
        name, shape=data.shape, dtype=f"S{width}", chunks=chunks, fletcher32=True, **COMPRESSION
    )
    copied[:] = np.array(found, dtype=f"S{width}")
    _copy_attributes(data, copied)


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
