"""Scalar features computed from masks, images and contours, event range by event range.

Each range is read once, each contour is traced once (dclab does it once a feature), and the formulas run over all events
of the range together. Values are equal to the last bit to those of dclab.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from appliance.jobs.rtdc.preflight import HostileFile, check_dataset
from appliance.model.messages import Message

from . import brightness, shapes
from .errors import RtdcError
from .features import Array
from .opening import SafeRTDC
from .outlines import Outlines, trace

#: feature → what has to be read for it.
NEEDS: dict[str, frozenset[str]] = {
    "bright_avg": frozenset({"image", "mask"}),
    "bright_sd": frozenset({"image", "mask"}),
    "bright_bc_avg": frozenset({"image", "image_bg", "mask"}),
    "bright_bc_sd": frozenset({"image", "image_bg", "mask"}),
    "bright_perc_10": frozenset({"image", "image_bg", "mask"}),
    "bright_perc_90": frozenset({"image", "image_bg", "mask"}),
    "inert_ratio_cvx": frozenset({"contour"}),
    "inert_ratio_prnc": frozenset({"contour"}),
    "inert_ratio_raw": frozenset({"contour"}),
    "tilt": frozenset({"contour"}),
    "volume": frozenset({"contour", "pos_x", "pos_y"}),
}
#: dclab stores this one as float32 ("for compatibility with opencv").
FLOAT32 = {"inert_ratio_prnc"}

_NO_CONTOUR = np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True)
class Sources:
    """Where the ingredients lie in an open dataset. `contour` is None when contours come from the masks."""

    mask: Any
    image: Any
    image_bg: Any
    contour: h5py.Group | None
    pos_x: Array | None
    pos_y: Array | None
    bg_off: Array | None
    pixel_size: float

    @property
    def event_bytes(self) -> int:
        """Uncompressed bytes read for one event."""
        stacks = [stack for stack in (self.mask, self.image, self.image_bg) if stack is not None]
        return max(1024, sum(int(np.prod(stack.shape[1:])) for stack in stacks))


def sources(dataset: SafeRTDC, wanted: Sequence[str]) -> Sources:
    """→ the ingredients for the `wanted` features, without reading image data."""
    needs = frozenset().union(*(NEEDS[name] for name in wanted))
    stored_contour = dataset.h5file["events"].get("contour") if "contour" in dataset._events else None
    needs_mask = "mask" in needs or ("contour" in needs and stored_contour is None)
    has_offset = "image_bg" in needs and "bg_off" in dataset
    stacks = {"mask": needs_mask, "image": "image" in needs, "image_bg": "image_bg" in needs}
    pictures = {name: dataset[name] if needed else None for name, needed in stacks.items()}
    sizes = {tuple(stack.shape[1:]) for stack in pictures.values() if stack is not None}
    if len(sizes) > 1:
        raise RtdcError("features", Message("Images, backgrounds and masks are not of the same size."))
    return Sources(
        **pictures,
        contour=stored_contour if "contour" in needs else None,
        pos_x=np.asarray(dataset["pos_x"][:]) if "pos_x" in needs else None,
        pos_y=np.asarray(dataset["pos_y"][:]) if "pos_y" in needs else None,
        bg_off=np.asarray(dataset["bg_off"][:]) if has_offset else None,
        pixel_size=float(dataset.config["imaging"].get("pixel size", np.nan)),
    )


def computable(given: Sources, wanted: Sequence[str]) -> dict[str, int]:
    """→ {feature: number of events it can be computed for}; shorter ingredients shorten the feature, as in dclab."""
    contours = len(given.contour) if given.contour is not None else _length(given.mask)
    lengths = {"mask": _length(given.mask), "image": _length(given.image), "image_bg": _length(given.image_bg)}
    lengths |= {"contour": contours, "pos_x": _length(given.pos_x), "pos_y": _length(given.pos_y)}
    return {name: min(lengths[need] for need in NEEDS[name]) for name in wanted}


def _length(stack: Any) -> int:
    return len(stack) if stack is not None else 0


def compute(given: Sources, wanted: Sequence[str], events: slice) -> tuple[dict[str, Array], int]:
    """→ ({feature: values of the events in the range}, number of events without a contour or with an empty mask).

    Those events have NaN. Memory: about four times the range's images and masks.
    """
    size = events.stop - events.start
    lost = np.zeros(size, dtype=bool)
    results = {name: np.full(size, np.nan) for name in wanted}
    masks = read_masks(given.mask, events) if given.mask is not None else None
    if masks is not None:
        lost[: len(masks)] = ~masks.any(axis=(1, 2))
    bright = [name for name in wanted if name.startswith("bright_")]
    if bright and masks is not None:
        _brightness(given, bright, events, masks, results)
    if any("contour" in NEEDS[name] for name in wanted):
        outlines = _outlines(given, masks, events)
        lost[: len(outlines.counts)] |= outlines.counts == 0
        _put(results, shapes.inertia(outlines, wanted))
        if "volume" in results:
            _volume(given, outlines, events, results)
    return results, int(np.count_nonzero(lost))


def read_masks(stack: Any, events: slice) -> Array:
    """→ (events, rows, columns) bool; without dclab's wrapper, which would copy once more."""
    source = getattr(stack, "h5dataset", stack)
    masks: Array = np.asarray(source[events]) != 0
    return masks


def _outlines(given: Sources, masks: Array | None, events: slice) -> Outlines:
    if given.contour is not None:
        stop = min(events.stop, len(given.contour))
        return Outlines.joined([stored_contour(given.contour, index) for index in range(events.start, stop)])
    return trace(masks) if masks is not None else Outlines.joined([])


def stored_contour(group: h5py.Group, index: int) -> Array:
    """→ (points, 2) contour of an event from the file, checked before it is read. Raises RtdcError."""
    name = str(index)
    link = group.get(name, getlink=True)
    if link is None:
        return _NO_CONTOUR
    if not isinstance(link, h5py.HardLink):
        raise RtdcError("forbidden", Message("The contour of event %(index)s is a link.", index=index))
    data = group[name]
    try:
        check_dataset(data.id, data.name)
    except HostileFile as exc:
        raise RtdcError("forbidden", str(exc)) from exc
    points = data[:]
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "iuf":
        raise RtdcError("features", Message("The contour of event %(index)s is not a list of points.", index=index))
    return points  # type: ignore[no-any-return]


def _brightness(given: Sources, wanted: Sequence[str], events: slice, masks: Array, results: dict[str, Array]) -> None:
    plain = [name for name in wanted if name in ("bright_avg", "bright_sd")]
    corrected = [name for name in wanted if name not in plain]
    images = np.asarray(given.image[events])
    backgrounds = np.asarray(given.image_bg[events]) if corrected else None
    count = min(len(masks), len(images))
    full = count if backgrounds is None else min(count, len(backgrounds))
    offset = given.bg_off[events][:full] if given.bg_off is not None else None
    for names, size in ((wanted, full),) if full == count else ((plain, count), (corrected, full)):
        behind = backgrounds[:full] if backgrounds is not None and size == full else None
        _put(results, brightness.measure(names, masks[:size], images[:size], behind, offset))


def _volume(given: Sources, outlines: Outlines, events: slice, results: dict[str, Array]) -> None:
    if given.pos_x is None or given.pos_y is None:
        return
    x, y = given.pos_x[events], given.pos_y[events]
    count = min(len(x), len(y), len(outlines.counts))
    kept = Outlines(outlines.points, outlines.counts[:count])
    _put(results, {"volume": shapes.volumes(kept, x[:count], y[:count], given.pixel_size)})


def _put(results: dict[str, Array], found: dict[str, Array]) -> None:
    for name, values in found.items():
        results[name][: len(values)] = values
