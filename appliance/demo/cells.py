"""Shapes and pictures of synthetic cells: what a deformed cell in the channel looks like to the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.spatial
from dclab.features.contour import get_contour
from dclab.features.inert_ratio import cont_moments_cv, get_inert_ratio_raw

Array = npt.NDArray[Any]

#: Pixels around the cell that its halo reaches.
MARGIN = 6


@dataclass(frozen=True)
class Population:
    """A kind of particle. Areas in µm²; `softness` scales the deformation; `signal` are typical fluorescence maxima."""

    fraction: float
    area: float
    area_spread: float
    softness: float
    signal: tuple[float, float, float]
    contrast: float = 1.0


KINDS: dict[str, tuple[Population, ...]] = {
    "beads": (Population(1.0, 55.0, 0.03, 0.10, (900.0, 400.0, 150.0), 1.2),),
    "cell line": (
        Population(0.93, 95.0, 0.18, 1.0, (2500.0, 350.0, 120.0)),
        Population(0.07, 40.0, 0.25, 0.6, (300.0, 1500.0, 120.0), 0.8),
    ),
    "blood": (
        Population(0.62, 30.0, 0.12, 2.6, (120.0, 90.0, 80.0), 0.7),
        Population(0.24, 48.0, 0.10, 0.9, (700.0, 2200.0, 150.0)),
        Population(0.14, 75.0, 0.12, 1.1, (2600.0, 500.0, 900.0), 1.1),
    ),
}


@dataclass(frozen=True)
class Template:
    """A drawn cell: brightness relative to the background, its mask, and its features in pixels."""

    patch: Array
    mask: Array
    features: dict[str, float]


def sample(kind: str, count: int, channel_width: float, in_channel: bool, rng: np.random.Generator) -> dict[str, Array]:
    """→ {population, area [µm²], deform [1]} of `count` cells; larger and softer cells are deformed more."""
    populations = KINDS[kind]
    which = rng.choice(len(populations), size=count, p=[p.fraction for p in populations])
    mean = np.array([p.area for p in populations])[which]
    spread = np.array([p.area_spread for p in populations])[which]
    softness = np.array([p.softness for p in populations])[which]
    largest = 0.6 * channel_width**2
    area = np.clip(mean * np.exp(rng.normal(0.0, spread)), 12.0, largest)
    # Close to the isoelasticity lines: deformation grows with the share of the channel that the cell fills.
    filled = np.sqrt(area) / channel_width
    flow = 0.16 * filled**1.5 if in_channel else 0.004
    deform = 0.004 + softness * flow * np.exp(rng.normal(0.0, 0.22, count))
    return {"population": which, "area": area, "deform": np.clip(deform, 0.003, 0.22)}


def draw(area_px: float, deform: float, contrast: float, pixel_size: float, rng: np.random.Generator) -> Template:
    """Draw a bullet-shaped cell of about `area_px` pixels and deformation. → the template, features from its mask."""
    half_x, half_y = _axes(area_px, deform)
    height = int(2 * half_y) + 2 * MARGIN + 3
    width = int(2 * half_x) + 2 * MARGIN + 3
    centre_x = width / 2 + rng.uniform(-0.5, 0.5)
    centre_y = height / 2 + rng.uniform(-0.5, 0.5)
    y, x = np.mgrid[0:height, 0:width]
    u = (x - centre_x) / half_x
    v = (y - centre_y) / half_y
    # The rear (left) is blunter than the front, as in the flow profile of the channel.
    v = v * (1.0 + 0.5 * min(0.5, 4 * deform) * u * 0.5)
    radius = np.hypot(u, v)
    mask = radius <= 1.0
    distance = (radius - 1.0) * min(half_x, half_y)
    rim = -34.0 * np.exp(-((distance + 1.0) ** 2) / 2.6)
    halo = 13.0 * np.exp(-((distance - 2.4) ** 2) / 3.0)
    grain = rng.normal(0.0, 2.5, mask.shape) * mask
    inside = (7.0 + 6.0 * np.exp(-(radius**2) / 0.15)) * mask
    patch = np.rint(contrast * (rim + halo + inside + grain)).astype(np.int16)
    return Template(patch, mask, _features(mask, pixel_size))


def _axes(area: float, deform: float) -> tuple[float, float]:
    """→ half axes [px] of the ellipse with this area and deformation (1 − circularity)."""
    ratios = np.linspace(1.0, 4.0, 301)
    a, b = np.sqrt(ratios), 1 / np.sqrt(ratios)
    h = ((a - b) / (a + b)) ** 2
    perimeter = np.pi * (a + b) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))
    ratio = float(np.interp(deform, 1 - 2 * np.pi / perimeter, ratios))
    scale = np.sqrt(area / np.pi)
    return float(scale * np.sqrt(ratio)), float(scale / np.sqrt(ratio))


def _features(mask: Array, pixel_size: float) -> dict[str, float]:
    contour = get_contour(mask)
    hull = contour[scipy.spatial.ConvexHull(contour).vertices]
    raw = cont_moments_cv(contour)
    convex = cont_moments_cv(hull)
    steps = np.diff(np.vstack([hull, hull[:1]]), axis=0)
    perimeter = float(np.hypot(steps[:, 0], steps[:, 1]).sum())
    size_x, size_y = np.ptp(contour, axis=0) + 1
    return {
        "area_cvx": float(convex["m00"]),
        "area_msd": float(raw["m00"]),
        "circ": float(2 * np.sqrt(np.pi * convex["m00"]) / perimeter),
        "centre_x": float(convex["m10"] / convex["m00"]),
        "centre_y": float(convex["m01"] / convex["m00"]),
        "size_x": float(size_x * pixel_size),
        "size_y": float(size_y * pixel_size),
        "inert_ratio_raw": float(get_inert_ratio_raw(contour)),
        "inert_ratio_cvx": float(get_inert_ratio_raw(hull)),
    }


def background(shape: tuple[int, int], channel_width_px: float, rng: np.random.Generator) -> Array:
    """→ empty channel (rows, columns) int16: grey level ~ 110, two dark walls, a slight slope of the illumination."""
    rows, columns = shape
    y = np.arange(rows)[:, None]
    wall = (rows - channel_width_px) / 2
    walls = sum(-38.0 * np.exp(-((y - edge) ** 2) / 4.0) for edge in (wall, rows - 1 - wall))
    slope = np.linspace(-4.0, 4.0, columns)[None, :] + rng.normal(0, 0.6, (1, columns))
    level: Array = np.rint(110.0 + walls + slope).astype(np.int16)
    return level
