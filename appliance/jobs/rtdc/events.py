"""One event of a dataset: image, mask, background, contour, traces, with clear errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from appliance.model.messages import Message

from .derive import stored_contour
from .errors import RtdcError, explained
from .features import Array
from .opening import SafeRTDC
from .outlines import trace_one
from .parts import MAX_PIXELS


def image(dataset: SafeRTDC, event: int, name: str = "image") -> Array | None:
    """→ (rows, columns) uint8 picture of an event, or None if the file has none. Other depths are scaled to 8 bits."""
    if name not in dataset:
        return None
    picture = _read(dataset, name, event)
    if picture.dtype == np.uint8:
        return picture
    finite = np.where(np.isfinite(picture), picture, 0) if picture.dtype.kind == "f" else picture
    low, high = float(finite.min()), float(finite.max())
    scaled: Array = np.rint((finite - low) * (255.0 / (high - low) if high > low else 0.0)).astype(np.uint8)
    return scaled


def mask(dataset: SafeRTDC, event: int) -> Array | None:
    """→ (rows, columns) bool mask of an event, or None."""
    if "mask" not in dataset:
        return None
    picture: Array = _read(dataset, "mask", event) != 0
    return picture


def contour(dataset: SafeRTDC, event: int) -> Array | None:
    """→ (points, 2) x and y [px] of an event's contour (stored, else traced along the mask), or None."""
    group = dataset.h5file["events"].get("contour") if "contour" in dataset._events else None
    if group is not None:
        with explained(Message("reading the contour of event %(event)s", event=event)):
            points = stored_contour(group, event)
        return points if len(points) else None
    outline = mask(dataset, event)
    if outline is None:
        return None
    points = trace_one(outline)
    return points if len(points) else None


def trace(dataset: SafeRTDC, name: str, event: int) -> Array:
    """→ the samples of one fluorescence trace of an event. Raises RtdcError (`events`, `features`, `damaged`)."""
    if name not in dataset.parts.traces:
        raise RtdcError("features", Message("The trace '%(name)s' is not in the file.", name=name[:40]))
    data = dataset.h5file["events"]["trace"][name]
    _require(event, len(data))
    with explained(Message("reading the trace '%(name)s'", name=name)):
        return np.asarray(data[event])


def raw(dataset: SafeRTDC, name: str, event: int) -> Array:
    """→ an event of a non-scalar feature as it is stored (images and other stacks)."""
    return _read(dataset, name, event)


def _read(dataset: SafeRTDC, name: str, event: int) -> Array:
    with explained(Message("reading event %(event)s of '%(name)s'", event=event, name=name)):
        stack: Any = dataset[name]
        _require(event, len(stack))
        if int(np.prod(stack.shape[1:])) > MAX_PIXELS:
            raise RtdcError(
                "features",
                Message(
                    "The images of '%(name)s' are larger than %(max_pixels)s pixels.",
                    name=name,
                    max_pixels=f"{MAX_PIXELS:,}",
                ),
            )
        picture = np.asarray(stack[event])
    if picture.ndim != 2 or picture.size == 0:
        raise RtdcError("features", Message("The feature '%(name)s' does not contain images.", name=name))
    return picture


def _require(event: int, count: int) -> None:
    if not 0 <= event < count:
        raise RtdcError(
            "events", Message("There is no event %(event)s; the file contains %(count)s.", event=event, count=count)
        )
