"""Statistics and histograms over all events of a measurement, or over those in gates, as dclab computes them.

Means, percentiles, modes and standard deviations are those of `dclab.statistics`, over the columns as they are stored.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from dclab.statistics import Statistics

from appliance.model import gates as rules
from appliance.model.messages import Message

from . import gating
from .errors import RtdcError
from .features import Array
from .gating import Read

#: Name in answers → dclab's name.
METHODS = {
    "mean": "Mean",
    "median": "Median",
    "mode": "Mode",
    "sd": "SD",
    "p10": "10th Percentile",
    "q25": "25th Percentile",
    "q75": "75th Percentile",
    "p90": "90th Percentile",
}
#: Those that add values up, whose last digits depend on the order.
_SUMMED = frozenset({"mean", "sd"})
MOST_BINS = 200
#: Values that numbers are made of in one answer, each counted once for every gate it is in: some seconds of processor time.
MOST_VALUES = 2 * 10**8


def describe(request: dict[str, Any], read: Read, events: int) -> dict[str, Any]:
    """Request: `features`, `gates` (`model.gates`). → {events, duration, gates: [{name, events, share, rate, features}], missing}.

    The first entry of `gates` has the name "" and stands for all events. Features that the file lacks are in `missing`; a gate
    that needs one of them has null for `events`.
    """
    columns, missing = _columns(request, read, events)
    duration = _duration(read, events)
    found: list[dict[str, Any]] = []
    asked = sum(feature in columns for feature in request["features"])
    values = 0
    for name, inside in _gates(request, columns, events):
        if inside is None:
            found.append({"name": name, "events": None, "share": None, "rate": None, "features": {}})
            continue
        count = int(np.count_nonzero(inside))
        values += count * asked
        if values > MOST_VALUES:
            raise RtdcError(
                "features",
                Message("The file has too many events for this many features and gates at once; request fewer."),
            )
        found.append(
            {
                "name": name,
                "events": count,
                "share": count / events if events else None,
                "rate": count / duration if duration else None,
                "features": {
                    feature: _numbers(columns[feature], inside) for feature in request["features"] if feature in columns
                },
            }
        )
    return {"events": events, "duration": duration, "gates": found, "missing": missing}


def histograms(request: dict[str, Any], read: Read, events: int) -> dict[str, Any]:
    """Request: `ranges` {feature: [low, high, bins]}, `gates`. → {gates: [{name, counts: {feature: [counts]}}], missing}.

    A feature whose bins the numbers cannot tell apart has no counts.
    """
    columns, missing = _columns({**request, "features": list(request["ranges"])}, read, events)
    found = []
    for name, inside in _gates(request, columns, events):
        counts = {}
        for feature, (low, high, bins) in request["ranges"].items():
            if inside is None or feature not in columns:
                continue
            values = columns[feature][inside].astype(np.float64)
            counted = _histogram(values[np.isfinite(values)], max(1, min(int(bins), MOST_BINS)), low, high)
            if counted is not None:
                counts[feature] = counted
        found.append({"name": name, "counts": counts})
    return {"gates": found, "missing": missing}


def _histogram(values: Array, bins: int, low: float, high: float) -> list[int] | None:
    """Counts of `values` in equal bins; None where numbers cannot tell the bins' edges apart."""
    try:
        with np.errstate(all="ignore"):
            counts: list[int] = np.histogram(values, bins=bins, range=(low, high))[0].tolist()
    except ValueError:
        return None
    return counts


def _columns(request: dict[str, Any], read: Read, events: int) -> tuple[dict[str, Array], list[str]]:
    return gating.columns([*request["features"], *rules.features(request["gates"])], read, events)


def _gates(request: dict[str, Any], columns: dict[str, Array], events: int) -> list[tuple[str, Array | None]]:
    whole: Array = np.ones(events, dtype=bool)
    return [("", whole), *gating.masks(request["gates"], columns, events).items()]


def _numbers(column: Array, inside: Array) -> dict[str, Any]:
    """→ dclab's numbers, and count, cv, min, max; None where there is no number."""
    values = column[inside]
    values = values[np.isfinite(values)]
    found: dict[str, Any] = {"count": int(values.size)}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        ordered = np.sort(values)  # percentiles of sorted values are the same and found faster; sums are not the same
        for name, method in METHODS.items():
            numbers = values if name in _SUMMED else ordered
            found[name] = _finite(Statistics.available_methods[method].method(numbers)) if values.size else None
        found["min"], found["max"] = (_finite(ordered[0]), _finite(ordered[-1])) if values.size else (None, None)
    found["cv"] = found["sd"] / found["mean"] if found["sd"] is not None and found["mean"] else None
    return found


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None


def _duration(read: Read, events: int) -> float | None:
    """→ seconds between the first and the last event."""
    try:
        times = read("time")
    except RtdcError:
        return None
    if len(times) != events or events < 2:
        return None
    span = float(np.nanmax(times) - np.nanmin(times))
    return span if np.isfinite(span) and span > 0 else None
