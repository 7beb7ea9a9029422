"""Batch computation of contours, shapes and brightness against dclab's functions, event by event."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from dclab.features import bright, bright_bc, bright_perc, inert_ratio, volume
from dclab.features.contour import NoValidContourFoundError, get_contour
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from appliance.jobs.rtdc import brightness, shapes
from appliance.jobs.rtdc.features import Array
from appliance.jobs.rtdc.outlines import Outlines, trace, trace_one

SINGLE = {
    "inert_ratio_cvx": inert_ratio.get_inert_ratio_cvx,
    "inert_ratio_prnc": inert_ratio.get_inert_ratio_prnc,
    "inert_ratio_raw": inert_ratio.get_inert_ratio_raw,
    "tilt": inert_ratio.get_tilt,
}


def dclab_contour(mask: Array) -> Array:
    """→ dclab's contour, without points where it finds none."""
    try:
        return get_contour(mask)  # type: ignore[no-any-return]
    except (IndexError, NoValidContourFoundError):
        return np.zeros((0, 2), dtype=int)


def blobs(count: int, rows: int, columns: int, seed: int) -> Array:
    """→ masks like those of cells: an ellipse with a ragged edge, sometimes with a hole or a second piece."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    masks = np.zeros((count, rows, columns), dtype=bool)
    for index in range(count):
        cy, cx = rng.uniform(0.2, 0.8) * rows, rng.uniform(0.1, 0.9) * columns
        a, b = rng.uniform(2, rows / 2.5, 2)
        radius = ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2
        masks[index] = radius + rng.normal(0, 0.15, radius.shape) < 1
        if index % 5 == 0:
            masks[index] &= radius > 0.1
        if index % 7 == 0:
            masks[index, rng.integers(0, rows), rng.integers(0, columns)] = True
    return masks


@settings(max_examples=300, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 5), st.integers(2, 9), st.integers(2, 9))))
def test_contours_of_any_masks(masks: Array) -> None:
    """Noise of every kind: holes, corners that touch, pieces, borders."""
    traced = trace(masks).split()
    for mask, contour in zip(masks, traced, strict=True):
        assert np.array_equal(contour, dclab_contour(mask))
        assert np.array_equal(trace_one(mask), dclab_contour(mask))


@pytest.mark.parametrize(("rows", "columns", "seed"), [(30, 60, 1), (80, 250, 2), (17, 200, 3)])
def test_contours_of_cells(rows: int, columns: int, seed: int) -> None:
    """More masks than one batch."""
    masks = blobs(150, rows, columns, seed)
    for contour, mask in zip(trace(masks).split(), masks, strict=True):
        assert np.array_equal(contour, dclab_contour(mask))


def test_no_masks_at_all() -> None:
    """Empty stacks and stacks of empty masks."""
    assert trace(np.zeros((0, 5, 5), bool)).counts.tolist() == []
    assert trace(np.zeros((3, 5, 5), bool)).counts.tolist() == [0, 0, 0]
    assert trace(np.ones((2, 1, 5), bool)).counts.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint16", "float64", "float32"])
@pytest.mark.parametrize("positions", ["float32", "float64"])
def test_shapes_equal_dclab_bit_by_bit(dtype: str, positions: str) -> None:
    """Every type of stored contours, both types of positions."""
    traced = trace(blobs(120, 40, 90, 4))
    outlines = Outlines(traced.points.astype(dtype), traced.counts)
    rng = np.random.default_rng(5)
    x = (rng.uniform(0, 90, 120) * 0.34).astype(positions)
    y = (rng.uniform(0, 40, 120) * 0.34).astype(positions)
    contours = outlines.split()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = shapes.inertia(outlines, list(SINGLE))
        for name, function in SINGLE.items():
            expected = np.array([_single(function, contour) for contour in contours])
            assert np.array_equal(found[name], expected, equal_nan=True), name
        assert np.array_equal(
            shapes.volumes(outlines, x, y, 0.34), volume.get_volume(contours, x, y, 0.34), equal_nan=True
        )


def _single(function, contour: Array) -> float:  # type: ignore[no-untyped-def]
    if not len(contour):
        return float("nan")
    try:
        return float(function(contour))
    except TypeError:
        # dclab's principal ratio stumbles over contours without an area.
        return float("nan")


def test_long_contours_use_blocks_of_summation() -> None:
    """numpy sums more than 128 numbers in halves; contours of 500 points must still agree."""
    y, x = np.mgrid[0:300, 0:400]
    rng = np.random.default_rng(6)
    masks = np.stack([((x - 200) / a) ** 2 + ((y - 150) / b) ** 2 < 1 for a, b in rng.uniform(60, 140, (12, 2))])
    outlines = trace(masks)
    assert outlines.counts.min() > 256
    contours = outlines.split()
    found = shapes.inertia(outlines, ["inert_ratio_prnc"])["inert_ratio_prnc"]
    assert np.array_equal(found, inert_ratio.get_inert_ratio_prnc(contours).astype(float))
    centre = np.full(12, 51.0), np.full(12, 68.0)
    expected = volume.get_volume(contours, centre[1], centre[0], 0.34)
    assert np.array_equal(shapes.volumes(outlines, centre[1], centre[0], 0.34), expected)


def test_absurd_coordinates_are_left_to_dclab() -> None:
    """Integers that would overflow: no crash, the same numbers."""
    contour = np.array([[0, 0], [2**40, 0], [2**40, 2**40], [0, 2**40]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = shapes.inertia(Outlines.joined([contour]), ["inert_ratio_raw", "tilt"])
        assert np.array_equal(found["tilt"], inert_ratio.get_tilt([contour]), equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(bool, (6, 7, 9)),
    hnp.arrays(np.uint8, (6, 7, 9)),
    hnp.arrays(np.uint8, (6, 7, 9)),
    st.booleans(),
)
def test_brightness_equals_dclab_bit_by_bit(masks: Array, images: Array, backgrounds: Array, with_offset: bool) -> None:
    """Any pixels; empty masks are NaN (dclab's percentiles stop there)."""
    offset = np.linspace(-3, 3, 6) if with_offset else None
    names = ["bright_avg", "bright_sd", "bright_bc_avg", "bright_bc_sd", "bright_perc_10", "bright_perc_90"]
    found = brightness.measure(names, masks, images, backgrounds, offset)
    filled = [index for index in range(6) if masks[index].any()]
    some = masks[filled], images[filled], backgrounds[filled]
    shift = None if offset is None else offset[filled]
    expected = dict(zip(names[:2], bright.get_bright(some[0], some[1]), strict=True))
    expected |= dict(zip(names[2:4], bright_bc.get_bright_bc(*some, bg_off=shift), strict=True))
    low, high = bright_perc.get_bright_perc(*some)
    expected |= {names[4]: low if shift is None else low - shift, names[5]: high if shift is None else high - shift}
    for name in names:
        assert np.array_equal(found[name][filled], expected[name]), name
        assert np.isnan(np.delete(found[name], filled)).all()


def test_percentiles_of_deep_images() -> None:
    """16-bit images have too many levels for counting."""
    rng = np.random.default_rng(7)
    masks = rng.random((20, 12, 15)) < 0.5
    images = rng.integers(0, 65536, masks.shape).astype(np.uint16)
    backgrounds = rng.integers(0, 65536, masks.shape).astype(np.uint16)
    found = brightness.measure(["bright_perc_10", "bright_perc_90"], masks, images, backgrounds, None)
    low, high = bright_perc.get_bright_perc(masks, images, backgrounds)
    assert np.array_equal(found["bright_perc_10"], low)
    assert np.array_equal(found["bright_perc_90"], high)
