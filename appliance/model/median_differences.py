"""Differences of medians with bootstrap intervals, out of bootstrap medians of each measurement.

Between two measurements: their bootstrap medians are independent, so that their differences are those of the bootstrap of both; the
interval is between their percentiles (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Between groups:
means of the measurements' medians; where there are several measurements in each group, those are drawn, too, and a bootstrap median
of each that was drawn (two-stage bootstrap; Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.model.messages import Message

DRAWS = 2000
#: Share of the bootstrap's differences that an interval covers.
LEVEL = 0.95
ROLES = ("control", "treatment")
MOST_REPLICATES = 10_000


@dataclass(frozen=True)
class Medians:
    """The median of a measurement's events and medians of bootstrap samples of them."""

    count: int
    median: float
    draws: tuple[float, ...]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Medians:
        """From a reader's answer. Raises ValueError for one that is none."""
        draws = tuple(_number(one) for one in answer["draws"])
        if len(draws) != DRAWS:
            raise ValueError("not as many draws as were asked for")
        return cls(int(answer["count"]), _number(answer["median"]), draws)


@dataclass(frozen=True)
class Assignment:
    """Where a measurement belongs: `role` of `ROLES`, and the number of its replicate, None for none."""

    role: str
    replicate: int | None = None


def _number(value: float | None) -> float:
    """A number of a child's answer, which has null for what JSON cannot carry."""
    return math.nan if value is None else float(value)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of sorted numbers, interpolated between neighbours as numpy does by default."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def between(one: Medians, other: Medians) -> dict[str, Any]:
    """How much larger the median of `one` is than that of `other`. → {difference, low, high}."""
    return _interval(one.median - other.median, [a - b for a, b in zip(one.draws, other.draws, strict=True)])


def of_groups(known: Sequence[tuple[Medians, Assignment]], seed: int) -> dict[str, Any] | None:
    """Treatment minus control, of measurements with their groups; None unless both have one.

    → {control, treatment, pairs, kind, difference, low, high}: numbers of measurements and pairs. `kind` says what was drawn:
    "pairs" where each replicate has one measurement in each group (at least two pairs), "measurements" where each group
    has at least two, otherwise "events" of the measurements only.
    """
    control, treatment = ([m for m, a in known if a.role == role] for role in ROLES)
    if not control or not treatment:
        return None
    pairs = _pairs(known)
    rng = random.Random(seed)  # noqa: S311  nothing secret
    found = {"control": len(control), "treatment": len(treatment), "pairs": len(pairs)}
    observed = _mean([one.median for one in treatment]) - _mean([one.median for one in control])
    if len(pairs) >= 2:
        draws = [_mean([t.draws[rng.randrange(DRAWS)] - c.draws[rng.randrange(DRAWS)] for c, t in rng.choices(pairs, k=len(pairs))]) for _ in range(DRAWS)]  # fmt: skip
        kind = "pairs"
    elif min(len(control), len(treatment)) >= 2:
        draws = [_drawn(treatment, rng) - _drawn(control, rng) for _ in range(DRAWS)]
        kind = "measurements"
    else:
        draws = [_mean([m.draws[i] for m in treatment]) - _mean([m.draws[i] for m in control]) for i in range(DRAWS)]
        kind = "events"
    return found | {"kind": kind} | _interval(observed, draws)


def assignments(given: Any, ids: Sequence[str]) -> dict[str, Assignment]:
    """From [{id, group, replicate}] of a caller. Raises ValueError with a sentence."""
    if not isinstance(given, list):
        raise ValueError(Message("Groups must be a list of objects with 'id', 'group' and 'replicate'"))
    found: dict[str, Assignment] = {}
    for one in given:
        if not isinstance(one, dict) or one.get("id") not in ids:
            raise ValueError(Message("Each group must name the 'id' of one of the measurements"))
        found[one["id"]] = assignment(one.get("group"), one.get("replicate"))
    return found


def assignment(role: Any, replicate: Any) -> Assignment:
    """Checked. Raises ValueError with a sentence."""
    if role not in ROLES:
        raise ValueError(Message("A group must be 'control' or 'treatment'"))
    if replicate in (None, ""):
        return Assignment(role)
    try:
        number = int(str(replicate))
    except ValueError:
        number = 0
    if isinstance(replicate, bool) or not 0 < number <= MOST_REPLICATES:
        raise ValueError(Message("A replicate must be a number between 1 and %(most)s", most=MOST_REPLICATES))
    return Assignment(role, number)


def _pairs(known: Sequence[tuple[Medians, Assignment]]) -> list[tuple[Medians, Medians]]:
    """(control, treatment) of each replicate; [] unless every measurement is in exactly one pair."""
    by_replicate: dict[int | None, dict[str, list[Medians]]] = {}
    for medians, where in known:
        by_replicate.setdefault(where.replicate, {}).setdefault(where.role, []).append(medians)
    if None in by_replicate or any(
        [len(one.get(role, ())) for role in ROLES] != [1, 1] for one in by_replicate.values()
    ):
        return []
    return [(one["control"][0], one["treatment"][0]) for one in by_replicate.values()]


def _drawn(group: Sequence[Medians], rng: random.Random) -> float:
    return _mean([one.draws[rng.randrange(DRAWS)] for one in rng.choices(group, k=len(group))])


def _mean(values: Sequence[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except OverflowError:  # medians at the end of what a float can hold
        return math.nan


def _interval(difference: float, draws: Sequence[float]) -> dict[str, Any]:
    ordered = sorted(draws)
    tail = (1 - LEVEL) / 2
    found = {"difference": difference, "low": quantile(ordered, tail), "high": quantile(ordered, 1 - tail)}
    return found if all(map(math.isfinite, found.values())) else dict.fromkeys(found)
