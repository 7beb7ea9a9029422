"""The events of a gate as a file of their own: as ``.rtdc`` by dclab's own export, or the scalar features as text."""

from __future__ import annotations

import contextlib
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from dclab import definitions as dfn
from dclab.rtdc_dataset import RTDCWriter
from dclab.rtdc_dataset.export import store_filtered_feature

from appliance.model import gates as rules
from appliance.model.messages import Message

from . import features, gating
from .copying import COMPRESSION
from .errors import RtdcError, explained
from .features import Array
from .opening import SafeRTDC, open_dataset
from .reader import scalar

RESULT = "selected"
_LINES = 10_000
Progress = Callable[[float, str], None]


def select(request: dict[str, Any], source: Path, scratch: Path, progress: Progress) -> dict[str, Any]:
    """Write ``selected.rtdc``, ``.csv`` or ``.tsv``. → {events, file}.

    Request: `gates` (`model.gates`), `gate` (the name of one), `format`, `condensed` (path of that file). Raises RtdcError
    `features` when the file lacks a feature of the gate, `events` when no event is in it.
    """
    form = str(request["format"])
    target = scratch / f"{RESULT}.{form}"
    with open_dataset(source) as dataset, _opened(request.get("condensed")) as condensed:
        progress(0.02, Message("gate"))
        inside = _inside(request, dataset, condensed)
        if form == "rtdc":
            _rtdc(dataset, condensed, inside, target, progress)
        else:
            _text(dataset, condensed, inside, target, "," if form == "csv" else "\t", progress)
    progress(1.0, Message("done"))
    return {"events": int(inside.sum()), "file": target.name}


@contextlib.contextmanager
def _opened(path: str | None) -> Iterator[SafeRTDC | None]:
    if path is None:
        yield None
        return
    with open_dataset(Path(path)) as dataset:
        yield dataset


def _inside(request: dict[str, Any], dataset: SafeRTDC, condensed: SafeRTDC | None) -> Array:
    events = len(dataset)
    names = rules.features(request["gates"])
    known, _missing = gating.columns(names, lambda name: scalar(name, dataset, condensed), events)
    inside = gating.masks(request["gates"], known, events)[request["gate"]]
    if inside is None:
        raise RtdcError("features", Message("The file lacks a feature that the gate needs."))
    if not inside.any():
        raise RtdcError("events", Message("No event is in the gate."))
    return inside


def _scalars(dataset: SafeRTDC, condensed: SafeRTDC | None) -> list[str]:
    """Names of the stored scalar features, those of the condensed file included."""
    names = {
        name
        for one in (dataset, condensed)
        if one is not None
        for name in features.stored(one)
        if features.is_scalar(name) and not name.startswith("basinmap")
    }
    return sorted(names)


def _rtdc(dataset: SafeRTDC, condensed: SafeRTDC | None, inside: Array, target: Path, progress: Progress) -> None:
    """As dclab's `Export.hdf5` with filters: metadata with a run identifier of its own, logs, tables, features without contours.

    (That function itself removes the file that it writes to, which the sandbox does not permit.)
    """
    innate = [one for one in dataset.features_innate if one != "contour" and not one.startswith("basinmap")]
    more = [one for one in _scalars(dataset, condensed) if one not in innate]
    with warnings.catch_warnings(), explained(Message("writing the events")), h5py.File(target, "w") as h5:
        warnings.simplefilter("ignore")
        with RTDCWriter(h5, mode="append", compression_kwargs=COMPRESSION) as writer:
            writer.store_metadata(_metadata(dataset))
            for name in dataset.logs:
                writer.store_log(f"src_{name}", dataset.logs[name])
            for name in dataset.tables:
                writer.store_table(f"src_{name}", dataset.tables[name])
            for place, name in enumerate(innate):
                progress(0.05 + 0.85 * place / len(innate), name)
                if len(dataset[name]) >= len(inside) or name == "trace":
                    store_filtered_feature(writer, name, dataset[name], inside)
            for name in more:
                values = scalar(name, dataset, condensed)
                if len(values) == len(inside):
                    writer.store_feature(name, values[inside])


def _metadata(dataset: SafeRTDC) -> dict[str, dict[str, Any]]:
    found = {one: dict(dataset.config[one]) for one in [*dfn.CFG_METADATA, "user"] if one in dataset.config}
    identifier = f"{dataset.get_measurement_identifier()}_dcor-{uuid.uuid4().hex[:7]}"
    found.setdefault("experiment", {})["run identifier"] = identifier
    return found


def _text(
    dataset: SafeRTDC, condensed: SafeRTDC | None, inside: Array, target: Path, separator: str, progress: Progress
) -> None:
    names, columns = [], []
    for name in _scalars(dataset, condensed):
        values = scalar(name, dataset, condensed)
        if len(values) == len(inside):
            names.append(name)
            columns.append(values[inside])
    count = int(inside.sum())
    with explained(Message("writing the events")), target.open("w", encoding="utf-8", newline="") as file:
        file.write(separator.join(names) + "\r\n")
        for start in range(0, count, _LINES):
            rows = zip(*(_shown(column[start : start + _LINES]) for column in columns), strict=True)
            file.writelines(separator.join(row) + "\r\n" for row in rows)
            progress(0.05 + 0.9 * start / count, Message("write"))


def _shown(values: Array) -> list[str]:
    """The shortest texts that give the same numbers in the feature's own precision; "" where there is none."""
    return ["" if not np.isfinite(value) else str(value) for value in values]
