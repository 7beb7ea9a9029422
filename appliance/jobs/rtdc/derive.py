"""Scalar features computed from masks, images and contours, event range by event range.

The formulas are dclab's own functions, called on arrays in memory instead of single events read from HDF5, and each
contour is computed once instead of once a feature. Values are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from dclab.features import bright, bright_bc, bright_perc, inert_ratio, volume
from dclab.features.contour import NoValidContourFoundError, get_contour

from appliance.security.hdf5_preflight import HostileFile, check_dataset

from .errors import RtdcError
from .features import Array
from .opening import Sealed_HDF5

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

_NO_CONTOUR = np.zeros((0, 2), dtype=int)


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


def sources(dataset: Sealed_HDF5, wanted: Sequence[str]) -> Sources:
    """→ the ingredients for the `wanted` features, without reading image data."""
    needs = frozenset().union(*(NEEDS[name] for name in wanted))
    stored_contour = dataset.h5file["events"].get("contour") if "contour" in dataset._events else None
    needs_mask = "mask" in needs or ("contour" in needs and stored_contour is None)
    has_offset = "image_bg" in needs and "bg_off" in dataset
    return Sources(
        mask=dataset["mask"] if needs_mask else None,
        image=dataset["image"] if "image" in needs else None,
        image_bg=dataset["image_bg"] if "image_bg" in needs else None,
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


def compute(given: Sources, wanted: Sequence[str], events: slice) -> dict[str, Array]:
    """→ {feature: values of the events in the range}; NaN where an event has no valid contour or an empty mask.

    Memory: the range's images and masks, once.
    """
    size = events.stop - events.start
    results = {name: np.full(size, np.nan) for name in wanted}
    masks = _masks(given.mask, events) if given.mask is not None else None
    _brightness(given, wanted, events, masks, results)
    if any("contour" in NEEDS[name] for name in wanted):
        _shapes(given, wanted, events, _contours(given, masks, events), results)
    return results


def _masks(stack: Any, events: slice) -> Array:
    return np.asarray(stack[events], dtype=bool)


def _contours(given: Sources, masks: Array | None, events: slice) -> list[Array]:
    """→ one contour an event; without points where there is none."""
    if given.contour is not None:
        return [stored_contour(given.contour, index) for index in range(events.start, events.stop)]
    return [trace_contour(mask) for mask in masks] if masks is not None else []


def trace_contour(mask: Array) -> Array:
    """→ (points, 2) contour along a two-dimensional mask as dclab traces it; no points for an empty mask."""
    try:
        return get_contour(mask)  # type: ignore[no-any-return]
    except (IndexError, NoValidContourFoundError):
        return _NO_CONTOUR


def stored_contour(group: h5py.Group, index: int) -> Array:
    """→ (points, 2) contour of an event from the file, checked before it is read. Raises RtdcError."""
    name = str(index)
    link = group.get(name, getlink=True)
    if link is None:
        return _NO_CONTOUR
    if not isinstance(link, h5py.HardLink):
        raise RtdcError("forbidden", f"The contour of event {index} is a link.")
    data = group[name]
    try:
        check_dataset(data.id, data.name)
    except HostileFile as exc:
        raise RtdcError("forbidden", str(exc)) from exc
    points = data[:]
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "iuf":
        raise RtdcError("features", f"The contour of event {index} is not a list of points.")
    return points  # type: ignore[no-any-return]


def _brightness(
    given: Sources, wanted: Sequence[str], events: slice, masks: Array | None, results: dict[str, Array]
) -> None:
    names = {name for name in wanted if name.startswith("bright_")}
    if not names or masks is None:
        return
    images = np.asarray(given.image[events])
    count = min(len(masks), len(images))
    if names & {"bright_avg", "bright_sd"}:
        average, deviation = bright.get_bright(mask=masks, image=images, ret_data="avg,sd")
        _put(results, "bright_avg", average, count)
        _put(results, "bright_sd", deviation, count)
    if names - {"bright_avg", "bright_sd"}:
        backgrounds = np.asarray(given.image_bg[events])
        count = min(count, len(backgrounds))
        offset = given.bg_off[events][:count] if given.bg_off is not None else None
        if names & {"bright_bc_avg", "bright_bc_sd"}:
            average, deviation = bright_bc.get_bright_bc(masks, images, backgrounds, ret_data="avg,sd")
            _put(results, "bright_bc_avg", average if offset is None else average - offset, count)
            _put(results, "bright_bc_sd", deviation, count)
        if names & {"bright_perc_10", "bright_perc_90"}:
            low, high = bright_perc.get_bright_perc(masks, images, backgrounds)
            _put(results, "bright_perc_10", low if offset is None else low - offset, count)
            _put(results, "bright_perc_90", high if offset is None else high - offset, count)


def _put(results: dict[str, Array], name: str, values: Array, count: int) -> None:
    if name in results:
        results[name][:count] = values[:count]


def _shapes(
    given: Sources, wanted: Sequence[str], events: slice, contours: list[Array], results: dict[str, Array]
) -> None:
    present = [index for index, contour in enumerate(contours) if len(contour)]
    some = [contours[index] for index in present]
    if not some:
        return
    simple = {
        "inert_ratio_cvx": inert_ratio.get_inert_ratio_cvx,
        "inert_ratio_prnc": inert_ratio.get_inert_ratio_prnc,
        "inert_ratio_raw": inert_ratio.get_inert_ratio_raw,
        "tilt": inert_ratio.get_tilt,
    }
    for name, function in simple.items():
        if name in results:
            results[name][present] = function(some)
    if "volume" in results and given.pos_x is not None and given.pos_y is not None:
        x, y = given.pos_x[events], given.pos_y[events]
        here = [index for index in present if index < min(len(x), len(y))]
        if here:
            found = [contours[index] for index in here]
            single = len(here) == 1
            values = volume.get_volume(
                found[0] if single else found,
                x[here][0] if single else x[here],
                y[here][0] if single else y[here],
                given.pixel_size,
            )
            results["volume"][here] = values
