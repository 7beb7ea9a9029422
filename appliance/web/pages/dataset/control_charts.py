"""Levey–Jennings charts as points and lines in the units of an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appliance.model.control_chart import Limits
from appliance.web.pages.dataset.compare_charts import ticks

WIDTH, HEIGHT = 720, 280
_LEFT, _RIGHT, _HEAD, _FOOT = 66, 58, 12, 30
_DATES = 5
_SIZE = 4.5


@dataclass(frozen=True)
class Point:
    """A median at a moment.

    :ivar flagged: it breaks a rule. :ivar reference: it is one of a reference sample.
    """

    when: datetime
    value: float
    reference: bool
    flagged: bool


class Chart:
    """The places of points, limits and ticks; all that is given has room in it."""

    def __init__(self, points: Sequence[Point], limits: Limits | None) -> None:
        self._points, self._limits = points, limits
        values = [one.value for one in points]
        if limits is not None:
            values += [limits.line(-3), limits.line(3)]
        low, high = min(values), max(values)
        margin = 0.04 * (high - low) or 0.05 * abs(high) or 1.0
        self._low, self._high = low - margin, high + margin
        self._first, self._last = min(one.when for one in points), max(one.when for one in points)

    def x(self, when: datetime) -> float:
        """Where a moment stands; the only one in the middle."""
        span = (self._last - self._first).total_seconds()
        share = (when - self._first).total_seconds() / span if span else 0.5
        return round(_LEFT + 8 + share * (WIDTH - _LEFT - _RIGHT - 16), 1)

    def y(self, value: float) -> float:
        """Where a value stands."""
        share = (value - self._low) / (self._high - self._low)
        return round(HEIGHT - _FOOT - share * (HEIGHT - _HEAD - _FOOT), 1)

    def value_ticks(self) -> list[tuple[float, float]]:
        """Place and value."""
        return [(self.y(value), value) for value in ticks(self._low, self._high)]

    def date_ticks(self) -> list[tuple[float, datetime]]:
        """Place and moment, each day once."""
        span = self._last - self._first
        moments = [self._first + span * number / (_DATES - 1) for number in range(_DATES)] if span else [self._first]
        days = (
            {one.date(): one for one in moments}
            if span >= timedelta(days=_DATES)
            else {self._first.date(): self._first}
        )
        return [(self.x(one), one) for one in days.values()]

    def lines(self) -> list[dict[str, Any]]:
        """The mean and 1, 2 and 3 SD on both sides: {y, deviations}."""
        if self._limits is None:
            return []
        return [{"y": self.y(self._limits.line(number)), "deviations": number} for number in range(-3, 4)]

    def trail(self) -> str:
        """The reference medians in their order, as the `points` of a polyline."""
        return " ".join(f"{self.x(one.when)},{self.y(one.value)}" for one in self._points if one.reference)

    def marks(self) -> list[dict[str, Any]]:
        """Each point {x, y, kind, diamond}: `kind` is "other", "reference" or "flagged"; a flagged one is a diamond, not only another colour."""
        found = []
        for one in self._points:
            x, y = self.x(one.when), self.y(one.value)
            kind = "flagged" if one.flagged else "reference" if one.reference else "other"
            corners = ((x, y - _SIZE * 1.5), (x + _SIZE * 1.5, y), (x, y + _SIZE * 1.5), (x - _SIZE * 1.5, y))
            diamond = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners) if one.flagged else ""
            found.append({"x": x, "y": y, "kind": kind, "diamond": diamond})
        return found
