"""Inertia ratios, tilt and volume of many contours at once, equal to the last bit to dclab's functions.

Sums of integers are exact in any order, so moments of pixel contours may be summed freely. Sums of floats are not: numpy
adds in an order that depends on the number of summands. Therefore contours are grouped by length, and each group is
summed along the rows of a table, which adds like the single sums do. What does not fit (contours of floats, coordinates
so large that integers would not be exact) is left to dclab, event by event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import scipy.spatial
from dclab.features import inert_ratio

from .features import Array
from .outlines import Outlines

#: Up to here float64 holds every integer.
_EXACT = 2**52
_FLT_EPSILON = 1.19209e-07
_DBL_EPSILON = 2.2204460492503131e-16
_ONE_BY_ONE: dict[str, Callable[[list[Array]], Array]] = {
    "inert_ratio_cvx": inert_ratio.get_inert_ratio_cvx,
    "inert_ratio_prnc": inert_ratio.get_inert_ratio_prnc,
    "inert_ratio_raw": inert_ratio.get_inert_ratio_raw,
    "tilt": inert_ratio.get_tilt,
}


def inertia(outlines: Outlines, wanted: Sequence[str]) -> dict[str, Array]:
    """→ {feature: float64 values} for those of inert_ratio_cvx, _prnc, _raw and tilt in `wanted`; NaN without contour."""
    results = {name: np.full(len(outlines.counts), np.nan) for name in _ONE_BY_ONE if name in wanted}
    present = np.flatnonzero(outlines.counts)
    if not results or not len(present):
        return results
    some = Outlines(outlines.points, outlines.counts[present])
    raw = _moments(some)
    if raw is None:
        contours = some.split()
        for name, values in results.items():
            values[present] = _ONE_BY_ONE[name](contours)
        return results
    if "inert_ratio_raw" in results:
        results["inert_ratio_raw"][present] = raw.ratio()
    if "tilt" in results:
        with np.errstate(invalid="ignore"):
            tilt = np.abs(0.5 * np.arctan2(-2 * raw.mu11, raw.mu20 - raw.mu02))
        results["tilt"][present] = np.where(raw.valid, tilt, np.nan)
    if "inert_ratio_prnc" in results:
        results["inert_ratio_prnc"][present] = _principal(some, raw)
    if "inert_ratio_cvx" in results:
        results["inert_ratio_cvx"][present] = _convex(some)
    return results


class _Moments:
    """Central second moments of contours, from their sums; `valid` where dclab finds an area."""

    def __init__(self, a00: Array, a10: Array, a01: Array, a20: Array, a11: Array, a02: Array) -> None:
        self.valid = np.abs(a00) > _FLT_EPSILON
        sign = np.where(a00 < 0, -1.0, 1.0)
        m00, m10, m01 = a00 * (0.5 * sign), a10 * (sign / 6), a01 * (sign / 6)
        m20, m11, m02 = a20 * (sign / 12), a11 * (sign / 24), a02 * (sign / 12)
        with np.errstate(divide="ignore", invalid="ignore"):
            cx = np.where(m00 > _DBL_EPSILON, m10 / m00, 0)
            cy = np.where(m00 > _DBL_EPSILON, m01 / m00, 0)
            self.mu20 = m20 - m10 * cx
            self.mu11 = m11 - m10 * cy
            self.mu02 = m02 - m01 * cy

    def ratio(self) -> Array:
        """→ sqrt(mu20 / mu02), NaN where there is no area."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.valid, np.sqrt(self.mu20 / self.mu02), np.nan)


def _terms(x: Array, y: Array, following: Array) -> Iterator[Array]:
    """Yield the summands of a00, a10, a01, a20, a11, a02 (OpenCV's contour moments, as dclab writes them)."""
    xi_1, yi_1 = x[following], y[following]
    dxy = xi_1 * y - x * yi_1
    xii_1, yii_1 = xi_1 + x, yi_1 + y
    yield dxy
    yield dxy * xii_1
    yield dxy * yii_1
    yield dxy * (xi_1 * xii_1 + x**2)
    yield dxy * (xi_1 * (yii_1 + yi_1) + x * (yii_1 + y))
    yield dxy * (yi_1 * yii_1 + y**2)


def _following(outlines: Outlines) -> Array:
    """→ for each point the index of the next one on its closed contour."""
    following = np.arange(1, len(outlines.points) + 1)
    following[outlines.starts + outlines.counts - 1] = outlines.starts
    return following


def _moments(outlines: Outlines) -> _Moments | None:
    """→ moments of contours that all have points, or None where integers do not do."""
    if outlines.points.dtype.kind not in "iu":
        return None
    points = outlines.points.astype(np.int64)
    if np.abs(points).max() > 2**15:
        return None
    longest = int(outlines.counts.max())
    sums = []
    for term in _terms(points[:, 0], points[:, 1], _following(outlines)):
        if int(np.abs(term).max()) * longest > _EXACT:
            return None
        sums.append(np.add.reduceat(term, outlines.starts))
    return _Moments(*sums)


def _principal(outlines: Outlines, raw: _Moments) -> Array:
    """Principal inertia ratio: turn each contour upright, then its ratio; float32 as in dclab."""
    owner = np.repeat(np.arange(len(outlines.counts)), outlines.counts)
    with np.errstate(invalid="ignore"):
        orient = 0.5 * np.arctan2(2 * raw.mu11, raw.mu02 - raw.mu20)
    turned = outlines.points.astype(np.float64)
    rho = np.sqrt(turned[:, 0] ** 2 + turned[:, 1] ** 2)
    phi = np.arctan2(turned[:, 1], turned[:, 0]) + orient[owner] + np.pi / 2
    x, y = rho * np.cos(phi), rho * np.sin(phi)
    moments = _Moments(*(_row_sums(term, outlines) for term in _terms(x, y, _following(outlines))))
    ratio = np.where(raw.valid, moments.ratio(), np.nan)
    return ratio.astype(np.float32)


def _row_sums(values: Array, outlines: Outlines) -> Array:
    """→ sum of each event's values, added in the order of `np.sum` on the single event."""
    sums = np.empty(len(outlines.counts))
    for length, events in _groups(outlines.counts):
        sums[events] = values[outlines.starts[events, None] + np.arange(length)].sum(axis=1)
    return sums


def _groups(counts: Array) -> Iterator[tuple[int, Array]]:
    """Yield (length, numbers of the events with contours of that length)."""
    order = np.argsort(counts, kind="stable")
    lengths, first = np.unique(counts[order], return_index=True)
    yield from zip(lengths.tolist(), np.split(order, first[1:]), strict=True)


def _convex(outlines: Outlines) -> Array:
    """Inertia ratio of the convex hulls. Moments of a polygon of pixels do not depend on where its list begins."""
    ratios = np.full(len(outlines.counts), np.nan)
    hulls, owners = [], []
    for index, contour in enumerate(outlines.split()):
        try:
            hulls.append(contour[scipy.spatial.ConvexHull(contour).vertices])
        except scipy.spatial.QhullError:
            continue
        owners.append(index)
    if hulls:
        moments = _moments(Outlines.joined(hulls))
        ratios[owners] = moments.ratio() if moments is not None else inert_ratio.get_inert_ratio_cvx(hulls)
    return ratios


def volumes(outlines: Outlines, pos_x: Array, pos_y: Array, pixel_size: float) -> Array:
    """→ volume [µm³] of each contour turned around the axis through its centroid; NaN below four points.

    dclab computes with single numbers, whose types numpy 1 and 2 mix differently; here each mixture is tried on one
    number first and then done with that type.
    """
    results = np.full(len(outlines.counts), np.nan)
    if not len(outlines.points):
        return results
    centres = [np.array([value / pixel_size for value in position]) for position in (pos_x, pos_y)]
    kind = (outlines.points[:1, 0] - centres[0][0]).dtype
    centre_x, centre_y = (centre.astype(kind) for centre in centres)
    starts = outlines.starts
    for length, events in _groups(outlines.counts):
        if length < 4:
            continue
        points = outlines.points[starts[events, None] + np.arange(length)].astype(kind)
        z = points[..., 0] - centre_x[events, None]
        r = points[..., 1] - centre_y[events, None]
        right = _revolve(np.where(r < 0, r.dtype.type(0), r), z, pixel_size)
        left = np.where(r > 0, r.dtype.type(0), r) * -1
        results[events] = (right + _revolve(left[:, ::-1], z[:, ::-1], pixel_size)) / 2
    return results


def _revolve(r: Array, z: Array, scale: float) -> Array:
    """dclab's `vol_revolve` for a table of contours (events, points)."""
    # A contour whose ends fall together is closed already; one more cone would change the order of summation.
    closed = (r[:, -1] == r[:, 0]) & (z[:, -1] == z[:, 0])
    product = (r.dtype.type(0) * scale**3).dtype
    result = np.empty(len(r), dtype=product)
    for rows, ring in ((np.flatnonzero(closed), False), (np.flatnonzero(~closed), True)):
        if not len(rows):
            continue
        radius, height = r[rows], z[rows]
        if ring:
            radius = np.concatenate([radius, radius[:, :1]], axis=1)
            height = np.concatenate([height, height[:, :1]], axis=1)
        base = np.ascontiguousarray(radius[:, :-1])
        dr, dz = np.diff(radius, axis=1), np.diff(height, axis=1)
        cones = np.pi / 3 * dz * np.abs(3 * base**2 + 3 * base * dr + dr**2)
        result[rows] = cones.sum(axis=1).astype(product) * product.type(scale**3)
    return result
