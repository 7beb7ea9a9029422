"""Brightness inside the masks of many events at once, equal to the last bit to dclab's functions.

Means and percentiles of integers are exact whatever the order of summation. The standard deviation sums floats; there
each event keeps its own `np.add.reduce` over its pixels in their order, as `np.std` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from dclab.features import bright, bright_bc, bright_perc

from .features import Array

#: Up to this many grey levels, percentiles come from counting instead of sorting.
_COUNTED_LEVELS = 1024


def measure(
    wanted: Sequence[str], masks: Array, images: Array, backgrounds: Array | None, offset: Array | None
) -> dict[str, Array]:
    """→ {feature: float64 values} for the bright_* features in `wanted`; NaN for an empty mask.

    `masks` (events, rows, columns) bool; `images` and `backgrounds` of the same shape; those that are no integers are left to
    dclab, event by event. `offset` is subtracted
    from background-corrected levels. Memory: 16 bytes a mask pixel.
    """
    if any(stack is not None and stack.dtype.kind not in "iu" for stack in (images, backgrounds)):
        return _one_by_one(wanted, masks, images, backgrounds, offset)
    results: dict[str, Array] = {}
    counts = np.count_nonzero(masks, axis=(1, 2))
    plain = images[masks]
    if {"bright_avg", "bright_sd"} & set(wanted):
        results["bright_avg"], results["bright_sd"] = _mean_and_deviation(plain, counts)
    if backgrounds is not None and any(name.startswith(("bright_bc", "bright_perc")) for name in wanted):
        corrected = plain.astype(np.int64) - backgrounds[masks]
        if {"bright_bc_avg", "bright_bc_sd"} & set(wanted):
            average, results["bright_bc_sd"] = _mean_and_deviation(corrected, counts)
            results["bright_bc_avg"] = average if offset is None else average - offset
        if {"bright_perc_10", "bright_perc_90"} & set(wanted):
            for name, values in zip(("bright_perc_10", "bright_perc_90"), _percentiles(corrected, counts), strict=True):
                results[name] = values if offset is None else values - offset
    return {name: values for name, values in results.items() if name in wanted}


def _one_by_one(
    wanted: Sequence[str], masks: Array, images: Array, backgrounds: Array | None, offset: Array | None
) -> dict[str, Array]:
    results = {name: np.full(len(masks), np.nan) for name in wanted}
    for event in np.flatnonzero(masks.any(axis=(1, 2))):
        mask, image = masks[event], images[event]
        found = dict(zip(("bright_avg", "bright_sd"), bright.get_bright(mask, image), strict=True))
        if backgrounds is not None:
            behind, off = backgrounds[event], None if offset is None else offset[event]
            for names, values in (
                (("bright_bc_avg", "bright_bc_sd"), bright_bc.get_bright_bc(mask, image, behind, off)),
                (("bright_perc_10", "bright_perc_90"), bright_perc.get_bright_perc(mask, image, behind, off)),
            ):
                found |= dict(zip(names, values, strict=True))
        for name in wanted:
            results[name][event] = found.get(name, np.nan)
    return results


def _mean_and_deviation(values: Array, counts: Array) -> tuple[Array, Array]:
    """→ (mean, standard deviation) of each event's `values`, which are one event after the other."""
    average, deviation = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    present = np.flatnonzero(counts)
    if not len(present):
        return average, deviation
    sizes = counts[present]
    starts = np.cumsum(sizes) - sizes
    average[present] = np.add.reduceat(values.astype(np.int64), starts) / sizes
    squares = values - np.repeat(average[present], sizes)
    squares *= squares
    add = np.add.reduce
    ends = (starts + sizes).tolist()
    sums = [add(squares[start:end]) for start, end in zip(starts.tolist(), ends, strict=True)]
    deviation[present] = np.sqrt(np.array(sums) / sizes)
    return average, deviation


def _percentiles(values: Array, counts: Array) -> tuple[Array, Array]:
    """→ 10th and 90th percentile of each event's integer `values`, interpolated linearly as `np.percentile` does."""
    present = np.flatnonzero(counts)
    results = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    if not len(present):
        return results
    sizes = counts[present]
    ranked = _order_statistics(values, sizes)
    for result, share in zip(results, (10 / 100, 90 / 100), strict=True):
        position = (sizes - 1) * share
        below = np.floor(position)
        t = position - below
        a = ranked(below.astype(np.int64))
        b = ranked(np.minimum(below.astype(np.int64) + 1, sizes - 1))
        step = b - a
        result[present] = np.where(t >= 0.5, b - step * (1 - t), a + step * t)
    return results


def _order_statistics(values: Array, sizes: Array) -> Callable[[Array], Array]:
    """→ function that gives, for a rank in each event, the value of that rank. All `sizes` are positive."""
    low = int(values.min())
    span = int(values.max()) - low + 1
    keys = np.repeat(np.arange(len(sizes), dtype=np.int64) * span, sizes) + (values - low)
    if span <= _COUNTED_LEVELS:
        counted = np.bincount(keys, minlength=len(sizes) * span).reshape(len(sizes), span).cumsum(axis=1)
        return lambda rank: np.count_nonzero(counted <= rank[:, None], axis=1) + low
    # One sort for all: the event in the upper digits, the value in the lower ones.
    ordered = np.sort(keys) % span + low
    starts = np.cumsum(sizes) - sizes
    return lambda rank: ordered[starts + rank]
