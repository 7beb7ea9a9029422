"""A measurement written anew without what names people: features equal to the bit, texts only where a rule permits them.

Nothing of the former file is taken over as it lies there (no attribute, no name, no block of data), so what is left out is in no
corner of the copy either: free space, a user block, the padding of chunks, names of enumerated types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from dclab.rtdc_dataset import RTDCWriter
from dclab.util import hashobj

from appliance.model.messages import Message
from appliance.model.pseudonymised import RESULT

from . import texts
from .copying import COMPRESSION
from .errors import RtdcError, explained, shown
from .metadata import extract
from .opening import SafeRTDC, open_dataset
from .parts import number_columns
from .pseudonym_rules import Rules, known

LOG = "dcor-pseudonymised"
#: What stays at arrays: numbers about their values, and HDF5's mark of pictures.
_NUMBERS = ("min", "max", "mean")
_PICTURE = {"CLASS": b"IMAGE", "IMAGE_VERSION": b"1.2", "IMAGE_SUBCLASS": b"IMAGE_GRAYSCALE"}
_TRACE = re.compile(r"fl[123]_(?:raw|median)")
_ROOTS = ("events", "basin_events", "basins", "logs", "tables")
_BLOCK = 8 << 20
_MOST_SHOWN = 120
_MOST_CHANGES = 1000

Progress = Callable[[float, str], None]


@dataclass
class _Changes:
    """What is another thing in the copy, for the person who decides. :ivar counts: kind → how often, for the copy's own log."""

    told: list[dict[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, where: str, was: object = "", becomes: str = "") -> None:
        """Note one; `becomes` = "" means that it is left out."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if len(self.told) < _MOST_CHANGES:
            entry = {"where": shown(where), "was": shown(str(was)[:_MOST_SHOWN]), "becomes": shown(becomes)}
            self.told.append(entry)


def pseudonymise(request: dict[str, Any], source: Path, scratch: Path, progress: Progress) -> dict[str, Any]:
    """Write `pseudonymised.rtdc`, or with ``"write": false`` only say what would change.

    → {changes: [{where, was, becomes}], kept: [{where, was}], personal: findings of the report on the copy, features: their number}.
    Request: `sample`, `run`, `dates`, `keep`, `logs`, `tables`, `words` (see `pseudonym_rules.Rules`), `write`. Raises RtdcError
    `damaged` when a feature of the copy differs from that of the file.
    """
    with open_dataset(source, deep=True) as dataset:
        rules = Rules.parsed(request, dataset.metadata.raw)
        changes, kept = _Changes(), list[dict[str, str]]()
        attributes = dict(_metadata(dataset, rules, changes, kept))
        logs = dict(_logs(dataset, rules, changes))
        tables = dict(_tables(dataset, rules, changes))
        _left_out(dataset, changes)
        answer: dict[str, Any] = {"changes": changes.told, "kept": kept, "personal": [], "features": 0}
        if not request["write"]:
            return answer
        target = scratch / RESULT
        with explained(Message("writing the copy")), h5py.File(target, "w") as h5:
            for key, value in attributes.items():
                h5.attrs[key] = value
            _write_texts(h5, {**logs, LOG: _account(changes)}, tables)
            _write_basins(dataset, h5)
            arrays = list(_arrays(dataset))
            for number, (place, name) in enumerate(arrays):
                progress(0.02 + 0.68 * number / len(arrays), name)
                _write_array(dataset.h5file[place][name], h5.require_group(place), name)
        answer["features"] = _require_equal(dataset.h5file, target, arrays, progress)
    answer["personal"] = extract(target)["personal"]
    progress(1.0, Message("done"))
    return answer


# --- texts ------------------------------------------------------------------------------------------------------------


def _metadata(
    dataset: SafeRTDC, rules: Rules, changes: _Changes, kept: list[dict[str, str]]
) -> Iterator[tuple[str, Any]]:
    read = {key.lower(): key for key in dataset.metadata.raw}
    for key in dataset.h5file.attrs:
        if not isinstance(key, str) or read.get(key.lower()) != key or not known(key.lower()):
            changes.add("metadata", f"metadata {key}")
    for key in sorted(read):
        if not known(key):
            continue
        section, _, name = key.partition(":")
        value = dataset.config[section][name]
        becomes = rules.metadata(key, value)
        if becomes is None or (isinstance(value, str) and becomes != value):
            changes.add("metadata", f"metadata {key}", value, "" if becomes is None else str(becomes))
        elif isinstance(value, str):
            kept.append({"where": f"metadata {key}", "was": shown(value)})
        if becomes is not None:
            yield key, becomes
    if "experiment:run identifier" not in read:
        yield "experiment:run identifier", rules.run  # without one, dclab makes it of date and time


def _logs(dataset: SafeRTDC, rules: Rules, changes: _Changes) -> Iterator[tuple[str, list[str]]]:
    group = dataset.h5file.get("logs")
    for name in group if isinstance(group, h5py.Group) else ():
        if name not in dataset.parts.logs or not rules.keeps(name, rules.logs) or name == LOG:
            changes.add("log", f"log {name}")
            continue
        budget = texts.Budget(8_000_000)
        lines = texts.read_lines(group[name], budget)
        if budget.cut:
            raise RtdcError("log", Message("The log '%(name)s' is too long to be rewritten.", name=shown(name)))
        written = [rules.line(line) for line in lines]
        different = [(was, now) for was, now in zip(lines, written, strict=True) if was != now]
        for was, now in different:
            changes.add("line of a log", f"log {name}", was, now)
        yield name, written


def _tables(dataset: SafeRTDC, rules: Rules, changes: _Changes) -> Iterator[tuple[str, Any]]:
    group = dataset.h5file.get("tables")
    for name in group if isinstance(group, h5py.Group) else ():
        if name not in dataset.parts.tables or not rules.keeps(name, rules.tables):
            changes.add("table", f"table {name}")
            continue
        table = group[name]
        if table.dtype.names is None:
            yield name, np.asarray(table[()], _plain(table.dtype))
            continue
        columns = [one for one in number_columns(table) if not rules.suspicious(one)]
        for one in set(table.dtype.names) - set(columns):
            changes.add("column of a table", f"table {name}, column {one}")
        if columns:
            read = table.fields(columns)[:]
            made = np.zeros(read.shape, [(one, _plain(table.dtype[one])) for one in columns])
            for one in columns:
                made[one] = read[one]
            yield name, made


def _left_out(dataset: SafeRTDC, changes: _Changes) -> None:
    """Note whatever else of the file has no place in the copy."""
    h5 = dataset.h5file
    for name in h5:
        if name not in _ROOTS:
            changes.add("object", f"/{shown(str(name))}")
    for name in h5["events"]:
        if name not in dataset.parts.features:
            changes.add("object", f"events/{shown(str(name))}")
    for name in h5["events"]["trace"] if "trace" in dataset.parts.features else ():
        if name not in _traces(dataset):
            changes.add("object", f"events/trace/{shown(str(name))}")
    internal = {one["key"] for one in dataset.basins_get_dicts()}
    basins = h5.get("basins")
    for name in basins if isinstance(basins, h5py.Group) else ():
        if name not in internal:
            changes.add("basin", f"basin {shown(str(name))}")
    if h5.userblock_size:
        changes.add("user block", "user block", f"{h5.userblock_size} bytes")


def _account(changes: _Changes) -> list[str]:
    """The copy's own log: what was done, and nothing of what there was."""
    counted = [f"{kind}: {count} left out or changed" for kind, count in sorted(changes.counts.items())]
    return ["This file was written anew without texts that may name people. Features are equal to the bit.", *counted]


def _write_texts(h5: h5py.File, logs: dict[str, list[str]], tables: dict[str, Any]) -> None:
    for name, lines in logs.items():
        width = max(100, *(len(line.encode()) for line in lines))
        rows = np.array([line.encode() for line in lines], dtype=f"S{width}")
        h5.require_group("logs").create_dataset(name, data=rows, track_times=False, fletcher32=True, **COMPRESSION)
    for name, rows in tables.items():
        h5.require_group("tables").create_dataset(name, data=rows, track_times=False, fletcher32=True, **COMPRESSION)


# --- arrays -----------------------------------------------------------------------------------------------------------


def _traces(dataset: SafeRTDC) -> list[str]:
    return [name for name in dataset.parts.traces if _TRACE.fullmatch(name)]


def _arrays(dataset: SafeRTDC) -> Iterator[tuple[str, str]]:
    """(group, name) of everything that is numbers."""
    for name in dataset.parts.features:
        if name == "trace":
            yield from (("events/trace", one) for one in _traces(dataset))
        elif name == "contour":
            names = (one for one in dataset.h5file["events/contour"] if one.isascii() and one.isdigit())
            yield from (("events/contour", one) for one in sorted(names, key=int))
        else:
            yield "events", name
    used = {name for basin in dataset.basins_get_dicts() for name in basin["features"]}
    yield from (("basin_events", name) for name in sorted(used))


def _plain(kind: np.dtype[Any]) -> np.dtype[Any]:
    """The numbers alone: without names of values, which a type may hold."""
    return np.dtype(kind.str)


def _blocks(data: h5py.Dataset) -> Iterator[slice]:
    """Pieces of about 8 MiB, along its chunks."""
    row = max(1, data.dtype.itemsize * int(np.prod(data.shape[1:])))
    step = data.chunks[0] if data.chunks else 1
    rows = max(1, _BLOCK // row // step) * step
    return (slice(start, start + rows) for start in range(0, len(data), rows))


def _write_array(data: h5py.Dataset, group: h5py.Group, name: str) -> None:
    kind, shape = _plain(data.dtype), data.shape
    if 0 in shape:
        made = group.create_dataset(name, shape=shape, dtype=kind, track_times=False)
    else:
        chunks = data.chunks or RTDCWriter.get_best_nd_chunks(item_shape=shape[1:], item_dtype=kind)
        chunks = tuple(min(size, most) for size, most in zip(chunks, shape, strict=True))
        made = group.create_dataset(
            name, shape=shape, dtype=kind, chunks=chunks, fletcher32=True, track_times=False, **COMPRESSION
        )
        for piece in _blocks(data):
            made[piece] = data[piece]
    for key in data.attrs:
        if key in _NUMBERS:
            value = np.asarray(data.attrs[key])
            if value.dtype.kind in "iuf" and value.size == 1:
                made.attrs[key] = value.reshape(-1)[0]
    if data.ndim == 3 and "CLASS" in data.attrs:
        for key, mark in _PICTURE.items():
            made.attrs[key] = np.bytes_(mark)


def _write_basins(dataset: SafeRTDC, h5: h5py.File) -> None:
    """Definitions of the basins inside, without the words that people wrote into them."""
    for basin in dataset.basins_get_dicts():
        kept = {key: basin[key] for key in ("type", "format", "features", "mapping", "paths")}
        lines = json.dumps({"name": "internal", "description": "", **kept}, indent=2, sort_keys=True).split("\n")
        group, key = h5.require_group("basins"), hashobj(lines)
        if key not in group:
            group.create_dataset(key, data=np.array([line.encode() for line in lines]), track_times=False)


def _require_equal(h5: h5py.File, path: Path, arrays: list[tuple[str, str]], progress: Progress) -> int:
    """Compare every number of the copy with the file; → how many arrays there are."""
    with explained(Message("comparing the copy")), h5py.File(path, "r") as copy:
        for number, (place, name) in enumerate(arrays):
            progress(0.7 + 0.28 * number / len(arrays), name)
            was, made = h5[place][name], copy[place][name]
            same = was.shape == made.shape and all(was[one].tobytes() == made[one].tobytes() for one in _blocks(was))
            if not same:
                raise RtdcError(
                    "damaged",
                    Message("The feature '%(name)s' of the copy differs from that of the file.", name=shown(name)),
                )
    return len(arrays)
