"""Colours that stay distinguishable for colour-blind readers and in print, on a light background."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]

PAPER: Colour = (255, 255, 255)
INK: Colour = (33, 37, 41)
FAINT: Colour = (222, 226, 230)
MUTED: Colour = (73, 80, 87)
POINT: Colour = (0, 90, 156)
#: Contour on grey images: far from grey in every kind of colour vision.
CONTOUR: Colour = (255, 140, 0)
#: Fluorescence channels 1–3 (after Okabe and Ito).
CHANNELS: tuple[Colour, Colour, Colour] = ((0, 134, 97), (213, 94, 0), (124, 62, 156))

#: Stops of the density map in OKLab (lightness rises evenly): violet, blue, teal, green, yellow.
_STOPS = np.array(
    [
        [0.28, 0.040, -0.110],
        [0.42, -0.010, -0.115],
        [0.56, -0.075, -0.040],
        [0.70, -0.110, 0.060],
        [0.80, -0.070, 0.125],
        [0.90, -0.015, 0.160],
    ]
)


@cache
def density_map(steps: int = 256) -> npt.NDArray[np.uint8]:
    """→ (steps, 3) uint8 colours from sparse (dark violet) to dense (yellow), evenly rising in lightness."""
    where = np.linspace(0, 1, len(_STOPS))
    lab = np.stack([np.interp(np.linspace(0, 1, steps), where, _STOPS[:, c]) for c in range(3)], axis=1)
    return _srgb(lab)


def _srgb(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    lightness, a, b = lab.T
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.stack(
        [
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        ],
        axis=1,
    )
    linear = np.clip(linear, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    colours: npt.NDArray[np.uint8] = np.rint(encoded * 255).astype(np.uint8)
    return colours
