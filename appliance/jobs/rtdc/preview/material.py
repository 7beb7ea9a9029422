"""What a preview needs from a file: scalar columns, one event's pictures and traces."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from appliance.model.messages import Message

from .. import events, features
from ..errors import RtdcError, explained
from ..features import Array
from ..opening import SafeRTDC, open_dataset

#: The event that is shown, as upstream.
SHOWN_EVENT = 47
#: Cheap features that are computed when neither the file nor its condensed version stores them.
RAPID = ("area_um", "deform", "area_ratio", "aspect", "index", "time")
#: Of larger measurements this many events are taken, evenly spaced; bounds memory, files and time.
MAX_ROWS = 1_000_000


@dataclass
class Material:
    """Everything a preview is drawn from; missing parts are None or empty.

    `columns` hold one value for each event of the measurement or, when there are more than `MAX_ROWS`, for those in `rows`.
    """

    events: int
    rows: Array | None = None
    columns: dict[str, Array] = field(default_factory=dict)
    event: int = 0
    image: Array | None = None
    mask: Array | None = None
    contour: Array | None = None
    traces: dict[str, Array] = field(default_factory=dict)
    pixel_size: float | None = None
    sample_rate: float | None = None
    notes: list[str] = field(default_factory=list)


def gather(path: Path, condensed: Path | None) -> Material:
    """Read the material. A feature or event that cannot be read is left out with a note. Raises RtdcError."""
    with open_dataset(path) as dataset:
        material = Material(events=len(dataset), rows=evenly_spaced(len(dataset)))
        _columns(dataset, material)
        if condensed is not None:
            try:
                with open_dataset(condensed) as extra:
                    _columns(extra, material)
            except RtdcError as exc:
                material.notes.append(exc.message)
        _rapid(dataset, material)
        _one_event(dataset, material)
    return material


def _columns(dataset: SafeRTDC, material: Material) -> None:
    for name in features.stored(dataset):
        if not features.is_scalar(name) or name in material.columns or name.startswith("basinmap"):
            continue
        try:
            values = features.scalar(dataset, name)
        except RtdcError as exc:
            material.notes.append(exc.message)
            continue
        _keep(material, name, values)


def _keep(material: Material, name: str, values: Array) -> None:
    if values.shape == (material.events,) and values.dtype.kind in "iufb":
        material.columns[name] = values if material.rows is None else values[material.rows]


def evenly_spaced(events: int) -> Array | None:
    """→ numbers of the events that are taken, or None for all."""
    return None if events <= MAX_ROWS else (np.arange(MAX_ROWS, dtype=np.int64) * events) // MAX_ROWS


def _rapid(dataset: SafeRTDC, material: Material) -> None:
    for name in RAPID:
        if name in material.columns:
            continue
        try:
            with explained(Message("computing the feature '%(name)s'", name=name)):
                if name in dataset:
                    _keep(material, name, np.asarray(dataset[name][:]))
        except RtdcError as exc:
            material.notes.append(exc.message)


def _one_event(dataset: SafeRTDC, material: Material) -> None:
    if material.events == 0:
        return
    material.event = min(material.events - 1, SHOWN_EVENT)
    material.pixel_size = _positive(dataset.config["imaging"].get("pixel size"))
    material.sample_rate = _positive(dataset.config["fluorescence"].get("sample rate"))
    for name, read in (("image", events.image), ("mask", events.mask), ("contour", events.contour)):
        try:
            setattr(material, name, read(dataset, material.event))
        except RtdcError as exc:
            material.notes.append(exc.message)
    for name in ("fl1_raw", "fl2_raw", "fl3_raw"):
        if name in dataset.parts.traces:
            try:
                values = events.trace(dataset, name, material.event)
            except RtdcError as exc:
                material.notes.append(exc.message)
                continue
            if np.count_nonzero(np.isfinite(values)) > 1:
                material.traces[name] = values


def _positive(value: Any) -> float | None:
    number = float(value) if isinstance(value, (int, float, np.number)) else float("nan")
    return number if np.isfinite(number) and number > 0 else None
