"""Gates as dclab's polygon files (``.poly``), which Shape-Out and DCscope open: the events of a gate are those in all polygons of the file.

Format: `dclab.polygon_filter.PolygonFilter.save`. Numbers have all their digits, so that dclab reads the same polygon.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from appliance.model import gates as rules

#: Used where a range has no bound, and for the other axis of a single range.
_FAR = 1e30


def text(gates: Sequence[rules.Gate], name: str) -> str:
    """The file for one of checked gates, at most some 100 bytes for each of `gates.MOST_CORNERS` corners.

    Raises ValueError with a sentence when there is no such gate, when it needs an "or", or when its polygons have too many corners.
    """
    by_name = {gate["name"]: gate for gate in gates}
    if name not in by_name:
        raise ValueError(f"There is no gate '{name}'")
    found = list(_once(_gate(by_name, by_name[name], set(), inverted=False)))
    rules.require_few_corners(one["points"] for one in found)
    return "".join(_lines(place, name, len(found), one) for place, one in enumerate(found))


def _gate(
    by_name: Mapping[str, rules.Gate], gate: rules.Gate, seen: set[tuple[str, bool]], *, inverted: bool
) -> Iterator[dict[str, Any]]:
    """The polygons of all of which an event has to be part.

    :param seen: gates whose polygons are there already, and whether they were inverted: each is looked at once, however many name it.
    """
    if (gate["name"], inverted) in seen:
        return
    seen.add((gate["name"], inverted))
    conditions = list(gate["conditions"])
    joint = gate["combine"] == "and"
    if len(conditions) > 1 and joint and (box := _box(conditions)):
        conditions = [box, *conditions[2:]]
    if len(conditions) > 1 and joint == inverted:  # "a or b", or "not (a and b)"
        raise ValueError(
            f"Gate '{gate['name']}' cannot be written as a polygon file, which knows no 'or'. Export its events instead"
        )
    for one in conditions:
        turned = one["inverted"] != inverted
        if "gate" in one:
            yield from _gate(by_name, by_name[one["gate"]], seen, inverted=turned)
        else:
            yield _polygon(one) | {"inverted": turned}


def _once(polygons: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Equal polygons select the same events, so one of them is enough."""
    known = set()
    for one in polygons:
        key = (one["x"], one["y"], one["inverted"], tuple(map(tuple, one["points"])))
        if key not in known:
            known.add(key)
            yield one


def _box(conditions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """One rectangle for two leading ranges of different features, else None."""
    a, b = conditions[:2]
    if "feature" not in a or "feature" not in b or a["feature"] == b["feature"] or a["inverted"] or b["inverted"]:
        return None
    x, y = _bounds(a), _bounds(b)
    return {"x": a["feature"], "y": b["feature"], "points": _rectangle(x, y), "inverted": False}


def _polygon(one: dict[str, Any]) -> dict[str, Any]:
    if "feature" not in one:
        return {"x": one["x"], "y": one["y"], "points": rules.corners(one)}
    # every file has the feature "index"
    return {"x": one["feature"], "y": "index", "points": _rectangle(_bounds(one), (-_FAR, _FAR))}


def _bounds(one: dict[str, Any]) -> tuple[float, float]:
    """A range's bounds, extended by the smallest step, because a range includes its bounds and a polygon not all of its edges."""
    low = -_FAR if one["min"] is None else math.nextafter(one["min"], -math.inf)
    high = _FAR if one["max"] is None else math.nextafter(one["max"], math.inf)
    return low, high


def _rectangle(x: tuple[float, float], y: tuple[float, float]) -> list[list[float]]:
    return [[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]]


def _lines(place: int, name: str, count: int, one: dict[str, Any]) -> str:
    title = name if count == 1 else f"{name} {place + 1}"
    lines = [
        f"[Polygon {place:08d}]",
        f"X Axis = {one['x']}",
        f"Y Axis = {one['y']}",
        f"Name = {title.replace('=', '-')}",
        f"Inverted = {one['inverted']}",
        *(f"point{number:08d} = {x!r} {y!r}" for number, (x, y) in enumerate(one["points"])),
    ]
    return "".join(f"{line}\n" for line in lines)
