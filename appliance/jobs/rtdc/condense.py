"""Condense a file: all scalar features, no images. The same content as dclab's `condense`, on all cores, in little memory."""

from __future__ import annotations

import json
import mmap
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from dclab import util
from dclab.cli import common
from dclab.rtdc_dataset import RTDCWriter

from appliance.model.messages import Message

from . import derive, features, packing, statistics
from .copying import COMPRESSION, copy_unchanged
from .errors import RtdcError, explained
from .opening import SafeRTDC, open_dataset
from .workers import Range, WorkerPool, event_ranges

RESULT = "condensed.rtdc"
#: The same before it is laid out for reading.
DRAFT = "draft.rtdc"
Progress = Callable[[float, str], None]


def condense(
    source: Path, scratch: Path, *, basins: list[dict[str, Any]], cores: int, name: str, progress: Progress
) -> dict[str, Any]:
    """Write `scratch/condensed.rtdc`. → {file, size, features, scalar_features, computed, basin_features, statistics, …}.

    `basins` are added to the file as upstream does; `name` stands in the log as the name of the source.
    Memory: ≤ 1 GB whatever the size of the file. Raises RtdcError.
    """
    path, draft = scratch / RESULT, scratch / DRAFT
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught, open_dataset(source) as dataset:
        warnings.simplefilter("always")
        with explained(Message("condensing the file")), h5py.File(draft, "w") as target:
            plan = Plan(dataset)
            derived = _Derived(source, dataset, plan.derived, scratch, cores)
            with derived:
                progress(0.02, Message("copy"))
                lost = copy_unchanged(dataset, target)
                _rename_old_logs(dataset, target)
                derived.finish(lambda done: progress(0.05 + 0.85 * done, Message("features")))
                progress(0.9, Message("write"))
                with RTDCWriter(target, mode="append", compression_kwargs=COMPRESSION) as writer:
                    lost += _write_features(dataset, target, writer, plan, derived)
                    added = write_basins(dataset, target, writer, basins, plan)
                    notes = [*derived.notes(), *dataset.parts.notes, *lost]
                    _write_logs(dataset, writer, plan, name, [*notes, *_warnings_log(caught)])
            found = answer(target, plan, added, len(dataset))
            packing.pack(target, path)
    progress(1.0, Message("done"))
    return found | {
        "file": RESULT,
        "size": path.stat().st_size,
        "notes": notes,
        "seconds": round(time.perf_counter() - started, 3),
    }


class Plan:
    """Which features are copied, which are computed, and what the log says about them."""

    def __init__(self, dataset: SafeRTDC) -> None:
        scalar = dataset.features_scalar
        loaded = [name for name in dataset.features_loaded if name in scalar]
        internal = {name for basin in dataset.basins_get_dicts() for name in basin["features"]}
        known = set(loaded) | {name for name in internal if features.is_scalar(name)}
        basin = [name for name in dataset.features_basin if name in scalar and name not in known]
        ancillary = [name for name in dataset.features_ancillary if name in scalar and name not in known]
        stored = set(dataset._events.keys()) | internal
        self.missing = sorted((set(loaded) | set(basin) | set(ancillary)) - stored)
        self.derived = [name for name in self.missing if name in derive.NEEDS]
        self.innate = list(dataset.features_innate)
        self.log = {
            "features_original_innate": self.innate,
            "features_basin": basin,
            "features_ancillary": ancillary,
        }


class _Derived:
    """The image-derived features of a file, computed by a crew into a memory map in the scratch folder."""

    def __init__(self, path: Path, dataset: SafeRTDC, names: list[str], scratch: Path, cores: int) -> None:
        self.names: list[str] = []
        self._crew: WorkerPool | None = None
        self._reason = ""
        given = None
        try:
            given = derive.sources(dataset, names) if names else None
        except RtdcError as exc:
            self._give_up(exc)
        if given is None:
            return
        self._lengths = derive.computable(given, names)
        self._total = max(self._lengths.values())
        if not self._total:
            return
        self.names = names
        ranges = event_ranges(self._total, given.event_bytes, align=_chunk_events(dataset))
        rows = len(names)
        table = scratch / "derived.f64"
        with table.open("wb+") as file:
            os.ftruncate(file.fileno(), max(1, rows * self._total * 8))
            self._map = mmap.mmap(file.fileno(), 0)
        self._values = np.frombuffer(self._map, dtype=np.float64, count=rows * self._total).reshape(rows, self._total)
        # One row a worker, so that none overwrites another's: events done, events lost.
        self._counts = np.frombuffer(mmap.mmap(-1, 16 * cores), dtype=np.int64).reshape(cores, 2)
        self._path = path
        self._dataset = dataset
        self._crew = WorkerPool(ranges, self._work, cores)

    def __enter__(self) -> _Derived:
        return self

    def __exit__(self, *_: object) -> None:
        if self._crew is not None:
            self._crew.__exit__()
            self._crew = None

    def _work(self, ranges: Iterator[Range], number: int) -> None:
        if number == 0:
            self._fill(self._dataset, ranges, number)
        else:
            # An HDF5 handle must not be shared by processes.
            with open_dataset(self._path) as dataset:
                self._fill(dataset, ranges, number)

    def _fill(self, dataset: SafeRTDC, ranges: Iterator[Range], number: int) -> None:
        given = derive.sources(dataset, self.names)
        for start, stop in ranges:
            found, lost = derive.compute(given, self.names, slice(start, stop))
            for row, name in enumerate(self.names):
                self._values[row, start:stop] = found[name]
            self._counts[number] += (stop - start, lost)

    def finish(self, progress: Callable[[float], None]) -> None:
        """Take part in the work and wait for its end."""
        if self._crew is not None:
            try:
                self._crew.take_part(lambda: progress(min(1.0, float(self._counts[:, 0].sum()) / max(1, self._total))))
            except RtdcError as exc:
                self._give_up(exc)

    def _give_up(self, exc: RtdcError) -> None:
        """Go on without these features when the file's images or contours are not fit for them. Raises other errors again."""
        if exc.kind not in ("features", "damaged"):
            raise exc
        self.names = []
        self._reason = exc.message

    def values(self, name: str, length: int) -> features.Array:
        """→ the computed feature, cut or filled up with NaN to `length` events."""
        row = self._values[self.names.index(name), : self._lengths[name]]
        full = np.full(length, np.nan)
        count = min(length, len(row))
        full[:count] = row[:count]
        return full.astype(np.float32) if name in derive.FLOAT32 else full

    def notes(self) -> list[str]:
        """→ a sentence about events without a usable contour or mask, if there are any."""
        if self._reason:
            return [
                Message("Features that need images or contours could not be computed: %(reason)s", reason=self._reason)
            ]
        lost = int(self._counts[:, 1].sum()) if self.names else 0
        return (
            [
                Message(
                    "%(lost)s of %(total)s events have an empty mask or no contour; their values are NaN.",
                    lost=lost,
                    total=self._total,
                )
            ]
            if lost
            else []
        )


def _chunk_events(dataset: SafeRTDC) -> int:
    for name in ("image", "mask"):
        data = dataset.h5file["events"].get(name)
        if isinstance(data, h5py.Dataset) and data.chunks:
            return int(data.chunks[0])
    return 1


def _write_features(
    dataset: SafeRTDC, target: h5py.File, writer: RTDCWriter, plan: Plan, derived: _Derived
) -> list[str]:
    """Store what the file lacks. → a sentence for each feature that cannot be computed."""
    notes = []
    for name in plan.missing:
        if name in target.get("events", {}) or name in target.get("basin_events", {}):
            continue
        if name in derive.NEEDS and name not in derived.names:
            continue
        try:
            with explained(Message("computing the feature '%(name)s'", name=name)):
                data = derived.values(name, len(dataset)) if name in derived.names else np.asarray(dataset[name][:])
                if len(data):
                    writer.store_feature(feat=name, data=data)
        except RtdcError as exc:
            notes.append(exc.message)
    return notes


def _rename_old_logs(dataset: SafeRTDC, target: h5py.File) -> None:
    logs = target["logs"]
    for name in ("dclab-condense", "dclab-condense-warnings"):
        if name in logs:
            renamed = f"{name}_{util.hashobj(dataset.config)}"
            if renamed not in logs:
                logs[renamed] = logs[name]
            del logs[name]


def _write_logs(dataset: SafeRTDC, writer: RTDCWriter, plan: Plan, name: str, notes: list[str]) -> None:
    log = json.loads("\n".join(common.get_command_log(paths=[dataset.path], custom_dict=plan.log)))
    log["files"][0]["name"] = name
    if notes:
        writer.store_log("dclab-condense-warnings", notes)
    writer.store_log("dclab-condense", json.dumps(log, sort_keys=True, indent=2).split("\n"))


def _warnings_log(caught: list[warnings.WarningMessage]) -> list[str]:
    kept = [item for item in caught if not issubclass(item.category, (DeprecationWarning, ResourceWarning))]
    return [str(line) for line in common.assemble_warnings(kept)]


def write_basins(
    dataset: SafeRTDC, target: h5py.File, writer: RTDCWriter, basins: list[dict[str, Any]], plan: Plan
) -> list[str]:
    """Store the requested basins in `target`, of which `dataset` is the original. → the features they add to those stored."""
    present = set(target["events"]) | set(target.get("basin_events", {}))
    lacking = sorted(set(plan.innate) - present)
    added: set[str] = set()
    for basin in basins:
        offered = basin.get("features")
        names = lacking if offered is None else sorted(str(name) for name in offered)
        if not names:
            continue
        writer.store_basin(
            basin_name=str(basin["name"]),
            basin_type=str(basin["type"]),
            basin_format=str(basin["format"]),
            basin_locs=[str(url) for url in basin["urls"]],
            basin_descr=basin.get("description"),
            basin_feats=names,
            basin_map=_basin_map(dataset, target, basin),
            basin_id=basin.get("identifier"),
            verify=False,
        )
        added.update(names)
    return sorted(added - present)


def _basin_map(dataset: SafeRTDC, target: h5py.File, basin: dict[str, Any]) -> tuple[str, features.Array] | None:
    mapping = basin.get("mapping", "same")
    if mapping == "same":
        return None
    given = basin.get("basinmap")
    if given is not None:
        return mapping, np.asarray(given, dtype=np.int64)
    if mapping in target["events"]:
        return mapping, np.asarray(target["events"][mapping][:], dtype=np.int64)
    if mapping not in dataset:
        raise RtdcError("basin", Message("The mapping '%(mapping)s' of a basin is not in the file.", mapping=mapping))
    return mapping, np.asarray(dataset[mapping][:], dtype=np.int64)


def answer(target: h5py.File, plan: Plan, added: list[str], events: int) -> dict[str, Any]:
    """What is told of a condensed file: {event_count, features, scalar_features, computed, basin_features, statistics, logs}."""
    stored = sorted(set(target["events"]) | set(target.get("basin_events", {})))
    lines = target["logs/dclab-condense"][:] if "dclab-condense" in target["logs"] else ()
    log = [line.decode("utf-8", "replace") for line in lines]
    return {
        "event_count": int(target.attrs.get("experiment:event count", events)),
        "features": stored,
        "scalar_features": [name for name in stored if features.is_scalar(name)],
        "computed": plan.missing,
        "basin_features": added,
        "statistics": {
            name: statistics.describe(target["events"][name][:]) for name in stored if name in target["events"]
        },
        "logs": {"dclab-condense": log},
    }
