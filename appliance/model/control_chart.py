"""Levey–Jennings charts: control limits from repeated measurements of a reference, and the Westgard rules that a value breaks.

Sources: S. Levey, E. R. Jennings, "The use of control charts in the clinical laboratory", Am. J. Clin. Pathol. 20 (1950)
1059–1066; J. O. Westgard, P. L. Barry, M. R. Hunt, T. Groth, "A multi-rule Shewhart chart for quality control in clinical
chemistry", Clin. Chem. 27 (1981) 493–501 (rules 1-3s and 2-2s); number of values for the limits: CLSI guideline C24, at least 20.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Values, the oldest first, that the limits are made of; later ones are judged by them and do not move them.
BASELINE = 20
#: Fewer values have no standard deviation worth drawing.
LEAST = 3


@dataclass(frozen=True)
class Limits:
    """Mean and standard deviation (of a sample: n - 1) of the first `count` values, in the values' unit."""

    mean: float
    sd: float
    count: int

    @property
    def preliminary(self) -> bool:
        """Are they made of fewer values than they should be?"""
        return self.count < BASELINE

    def line(self, deviations: int) -> float:
        """The mean plus so many standard deviations."""
        return self.mean + deviations * self.sd

    def deviations(self, value: float) -> float | None:
        """How many standard deviations a value lies from the mean (z); None where all values were the same."""
        return (value - self.mean) / self.sd if self.sd else None


def limits(values: Sequence[float]) -> Limits | None:
    """Limits from the first `BASELINE` of `values` (finite, the oldest first); None for fewer than `LEAST`."""
    first = values[:BASELINE]
    if len(first) < LEAST:
        return None
    mean = math.fsum(first) / len(first)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in first) / (len(first) - 1))
    return Limits(mean, sd, len(first))


def broken(values: Sequence[float], found: Limits) -> list[tuple[str, ...]]:
    """For each of `values` (the oldest first) the rules that it breaks.

    "1-3s": it lies more than 3 SD from the mean. "2-2s": it and the value before lie more than 2 SD away, on the same side.
    """
    answer: list[tuple[str, ...]] = []
    before = 0.0
    for value in values:
        z = found.deviations(value) or 0.0
        rules: tuple[str, ...] = ("1-3s",) if abs(z) > 3 else ()
        if abs(z) > 2 and abs(before) > 2 and (z > 0) == (before > 0):
            rules = (*rules, "2-2s")
        answer.append(rules)
        before = z
    return answer
