"""Charts of several measurements as points and rectangles in the units of an SVG; the numbers are those of the readers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

WIDTH, PLOT = 720, 240
ROW = 30
_LEFT, _RIGHT, _FOOT, _HEAD = 12, 12, 26, 8


def ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Round numbers between `low` and `high`, about `wanted`."""
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


class Axis:
    """The horizontal axis that all series of a chart share."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def x(self, value: float) -> float:
        """Where a value stands; values outside stand at the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def marks(self) -> list[tuple[float, float]]:
        """Place and value of each tick."""
        return [(self.x(value), value) for value in ticks(self.low, self.high)]


def lines(axis: Axis, series: Sequence[Sequence[int]]) -> list[str]:
    """Histograms as the `points` of polylines, each as shares of its own events."""
    shares = [[count / (sum(counts) or 1) for count in counts] for counts in series]
    top = max((max(one, default=0.0) for one in shares), default=0.0) or 1.0
    found = []
    for one in shares:
        step = (axis.high - axis.low) / max(len(one), 1)
        places = []
        for number, share in enumerate(one):
            y = round(_HEAD + (1 - share / top) * (PLOT - _HEAD - _FOOT), 1)
            places += [f"{axis.x(axis.low + number * step)},{y}", f"{axis.x(axis.low + (number + 1) * step)},{y}"]
        found.append(" ".join(places))
    return found


def violin(axis: Axis, counts: Sequence[int], row: int) -> str:
    """A histogram mirrored at the middle of its row, as the `points` of a polygon."""
    top, middle = max(counts, default=0) or 1, row * ROW + ROW / 2
    step = (axis.high - axis.low) / max(len(counts), 1)
    half = [
        (axis.x(axis.low + (number + 0.5) * step), count / top * (ROW / 2 - 2)) for number, count in enumerate(counts)
    ]
    upper = [f"{x},{middle - size:.1f}" for x, size in half]
    lower = [f"{x},{middle + size:.1f}" for x, size in reversed(half)]
    return " ".join(upper + lower)


def box(axis: Axis, numbers: dict[str, Any], row: int) -> dict[str, float] | None:
    """10th to 90th percentile as a line, quartiles as a box, the median as a stroke; None without numbers."""
    if numbers.get("median") is None:
        return None
    left, right = axis.x(numbers["q25"]), axis.x(numbers["q75"])
    return {
        "low": axis.x(numbers["p10"]),
        "high": axis.x(numbers["p90"]),
        "x": left,
        "width": max(right - left, 1.0),
        "median": axis.x(numbers["median"]),
        "y": row * ROW + 7,
        "height": ROW - 14,
        "middle": row * ROW + ROW / 2,
        "top": row * ROW + 4,
        "bottom": row * ROW + ROW - 4,
    }
