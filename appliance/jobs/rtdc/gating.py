"""Which events are in gates (`model.gates`), as dclab's box and polygon filters decide it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from dclab.polygon_filter import points_in_poly

from appliance.model import gates as rules
from appliance.model.messages import Message

from .errors import RtdcError
from .features import Array

#: Reads a scalar feature: name → its values. Raises RtdcError.
Read = Callable[[str], Array]
#: Tests of an event against an edge that are made for one question: some seconds of processor time.
MOST_TESTS = 2 * 10**9


def columns(names: Sequence[str], read: Read, events: int) -> tuple[dict[str, Array], list[str]]:
    """→ the features that the file has for each of its events, and the names of the others."""
    found, missing = {}, []
    for name in dict.fromkeys(names):
        try:
            values = read(name)
        except RtdcError:
            missing.append(name)
            continue
        if len(values) == events:
            found[name] = values
        else:
            missing.append(name)
    return found, missing


def masks(gates: Sequence[rules.Gate], known: Mapping[str, Array], events: int) -> dict[str, Array | None]:
    """→ for each gate a bool for each event, in the order of `gates`; None where a feature that it needs is not `known`."""
    found: dict[str, Array | None] = {}
    _require_few_tests(gates, events)
    for gate in rules.ordered(gates):
        joint = gate["combine"] == "and"
        inside: Array | None = np.full(events, joint)
        for one in gate["conditions"]:
            part = _condition(one, known, found)
            if part is None or inside is None:
                inside = None
                break
            inside = inside & part if joint else inside | part
        found[gate["name"]] = inside
    return {gate["name"]: found[gate["name"]] for gate in gates}


def _require_few_tests(gates: Sequence[rules.Gate], events: int) -> None:
    edges = sum(len(rules.corners(one)) for gate in gates for one in gate["conditions"] if "x" in one)
    if edges * events > MOST_TESTS:
        raise RtdcError(
            "features",
            Message(
                "The gates have %(corners)s corners, too many for a file with %(events)s events. At most %(most)s "
                "can be tested at once; use simpler gates or ranges.",
                corners=edges,
                events=events,
                most=MOST_TESTS // events,
            ),
        )


def _condition(one: dict[str, Any], known: Mapping[str, Array], gates: Mapping[str, Array | None]) -> Array | None:
    if any(one[key] not in known for key in ("feature", "x", "y") if key in one):
        return None
    if "gate" in one:
        inside = gates[one["gate"]]
    elif "feature" in one:
        inside = _in_range(known[one["feature"]], one["min"], one["max"])
    else:
        inside = _in_polygon(known[one["x"]], known[one["y"]], np.array(rules.corners(one), dtype=np.float64))
    if inside is None:
        return None
    return ~inside if one["inverted"] else inside


def _in_range(values: Array, low: float | None, high: float | None) -> Array:
    inside: Array = np.ones(len(values), dtype=bool)
    if low is not None:
        inside &= values >= low
    if high is not None:
        inside &= values <= high
    return inside


def _in_polygon(x: Array, y: Array, corners: Array) -> Array:
    """dclab's test, for those events only that are in the rectangle around the polygon."""
    places = np.column_stack([x, y]).astype(np.float64)
    near = np.all((places >= corners.min(axis=0)) & (places <= corners.max(axis=0)), axis=1)
    inside: Array = np.zeros(len(places), dtype=bool)
    if near.any():
        inside[near] = points_in_poly(points=places[near], verts=corners)
    return inside
