"""Gates: named selections of events, as clients and links write them.

``{"name": "cells", "combine": "and", "colour": "#1b7fd0", "conditions": [...]}``. A condition is one of

- ``{"feature": "area_um", "min": 20, "max": 200}``, a range with its bounds in it; either may be missing. A box is two ranges.
- ``{"x": "area_um", "y": "deform", "points": [[20, 0], [200, 0], [200, 0.1]]}``, a polygon with edges that are straight in values.
- ``{"x", "y", "centre": [100, 0.05], "axes": [[40, 0], [0, 0.02]]}``, an ellipse: its centre and two half axes. What counts is the
  polygon of its 128 corners, so that every program selects the same events.
- ``{"gate": "cells"}``, another gate of the list.

`inverted` in a condition means "not". With `combine` "and" (the default) all conditions have to hold, with "or" one of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from appliance.model.messages import Message

MOST_GATES = 20
MOST_CONDITIONS = 10
MOST_POINTS = 500
#: Corners of the polygon that approximates an ellipse.
ELLIPSE_CORNERS = 128
#: Corners of all polygons of one file for another program.
MOST_CORNERS = 10_000
LONGEST_NAME = 60
_FEATURE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
#: Height of a polygon over its longest chord, as a share of that, below which it is a line.
_FLAT = 1e-9
_KEYS = {"name", "conditions", "combine", "colour"}
Gate = dict[str, Any]


def is_feature(name: object) -> bool:
    """Can this be the name of a scalar feature?"""
    return isinstance(name, str) and _FEATURE.fullmatch(name) is not None


def checked(value: Any) -> list[Gate]:
    """The gates in `value`, with nothing else in them. Raises ValueError with a sentence about the first that is wrong."""
    if not isinstance(value, list):
        raise ValueError(Message("Gates are a list of objects"))
    if len(value) > MOST_GATES:
        raise ValueError(Message("At most %(most)s gates are accepted", most=MOST_GATES))
    found = [_gate(one, place) for place, one in enumerate(value, 1)]
    names = [one["name"] for one in found]
    if len(set(names)) != len(names):
        raise ValueError(Message("Two gates have the same name"))
    for gate in found:
        unknown = [one for one in references(gate) if one not in names]
        if unknown:
            raise ValueError(
                Message(
                    "Gate '%(name)s' refers to the gate '%(other)s', which is not in the list",
                    name=gate["name"],
                    other=unknown[0],
                )
            )
    ordered(found)
    return found


def references(gate: Gate) -> list[str]:
    """Names of the gates that a gate refers to."""
    return [one["gate"] for one in gate["conditions"] if "gate" in one]


def ordered(gates: Sequence[Gate]) -> list[Gate]:
    """Each gate after those that it refers to. Raises ValueError where gates refer to each other in a circle."""
    waiting, found, known = list(gates), list[Gate](), set[str]()
    while waiting:
        ready = [one for one in waiting if known.issuperset(references(one))]
        if not ready:
            raise ValueError(
                Message("Gate '%(name)s' refers to itself, or to a gate that refers to it", name=waiting[0]["name"])
            )
        found += ready
        known |= {one["name"] for one in ready}
        waiting = [one for one in waiting if one["name"] not in known]
    return found


def _gate(value: Any, place: int) -> Gate:
    if not isinstance(value, dict) or set(value) - _KEYS:
        raise ValueError(Message("Gate %(place)s is not an object with 'name' and 'conditions'", place=place))
    name = value.get("name") or f"Gate {place}"
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(
            Message(
                "The name of gate %(place)s is not a text of at most %(most)s characters",
                place=place,
                most=LONGEST_NAME,
            )
        )
    conditions = value.get("conditions")
    if not isinstance(conditions, list) or not 0 < len(conditions) <= MOST_CONDITIONS:
        raise ValueError(
            Message("Gate '%(name)s' needs between 1 and %(most)s conditions", name=name, most=MOST_CONDITIONS)
        )
    combine = value.get("combine", "and")
    if combine not in ("and", "or"):
        raise ValueError(Message("'combine' in gate '%(name)s' must be 'and' or 'or'", name=name))
    found: Gate = {"name": name, "conditions": [_condition(one, name) for one in conditions], "combine": combine}
    colour = value.get("colour")
    if colour is not None:
        if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
            raise ValueError(Message("The colour of gate '%(name)s' is not of the form #1b7fd0", name=name))
        found["colour"] = colour
    return found


def _condition(value: Any, gate: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(Message("A condition of gate '%(gate)s' is not an object", gate=gate))
    inverted = value.get("inverted", False)
    if not isinstance(inverted, bool):
        raise ValueError(Message("'inverted' in gate '%(gate)s' must be true or false", gate=gate))
    for key, check in (("points", _polygon), ("centre", _ellipse), ("gate", _reference)):
        if key in value:
            return check(value, gate) | {"inverted": inverted}
    if set(value) - {"feature", "min", "max", "inverted"} or not is_feature(value.get("feature")):
        raise ValueError(
            Message(
                "A condition of gate '%(gate)s' needs a 'feature' with 'min' or 'max', or 'x', 'y' and 'points'",
                gate=gate,
            )
        )
    low, high = (_bound(value.get(key), gate) for key in ("min", "max"))
    if low is None and high is None:
        raise ValueError(Message("A range in gate '%(gate)s' needs 'min' or 'max'", gate=gate))
    if low is not None and high is not None and low > high:
        raise ValueError(
            Message(
                "In gate '%(gate)s' the 'min' of %(feature)s is larger than its 'max'",
                gate=gate,
                feature=value["feature"],
            )
        )
    return {"feature": value["feature"], "min": low, "max": high, "inverted": inverted}


def _reference(value: dict[str, Any], gate: str) -> dict[str, Any]:
    if set(value) - {"gate", "inverted"} or not isinstance(value["gate"], str):
        raise ValueError(Message("A reference in gate '%(gate)s' is the name of another gate", gate=gate))
    return {"gate": value["gate"]}


def _axes(value: dict[str, Any], gate: str, what: str, keys: set[str]) -> dict[str, Any]:
    if set(value) - {"x", "y", "inverted"} - keys or not (is_feature(value.get("x")) and is_feature(value.get("y"))):
        raise ValueError(Message("%(what)s of gate '%(gate)s' needs the features 'x' and 'y'", what=what, gate=gate))
    return {"x": value["x"], "y": value["y"]}


def _polygon(value: dict[str, Any], gate: str) -> dict[str, Any]:
    points, found = value["points"], _axes(value, gate, Message("A polygon"), {"points"})
    if not isinstance(points, list) or not 3 <= len(points) <= MOST_POINTS:
        raise ValueError(
            Message("A polygon of gate '%(gate)s' needs between 3 and %(most)s corners", gate=gate, most=MOST_POINTS)
        )
    pairs = [_pair(one) for one in points]
    if any(pair is None for pair in pairs):
        raise ValueError(Message("The corners of a polygon of gate '%(gate)s' are not pairs of numbers", gate=gate))
    corners = [pair for pair in pairs if pair is not None]
    if len({tuple(pair) for pair in corners}) < 3:
        raise ValueError(Message("A polygon of gate '%(gate)s' has fewer than three different corners", gate=gate))
    if _is_flat(corners):
        raise ValueError(Message("The corners of a polygon of gate '%(gate)s' lie on one line", gate=gate))
    return found | {"points": corners}


def _ellipse(value: dict[str, Any], gate: str) -> dict[str, Any]:
    found = _axes(value, gate, Message("An ellipse"), {"centre", "axes"})
    centre, axes = _pair(value["centre"]), value.get("axes")
    pairs = [_pair(one) for one in axes] if isinstance(axes, list) and len(axes) == 2 else [None]
    if centre is None or any(pair is None for pair in pairs):
        raise ValueError(
            Message("An ellipse of gate '%(gate)s' needs a 'centre' and two 'axes', each of two numbers", gate=gate)
        )
    found |= {"centre": centre, "axes": pairs}
    if _is_flat(corners(found)):
        raise ValueError(Message("An ellipse of gate '%(gate)s' has no area", gate=gate))
    return found


def corners(condition: dict[str, Any]) -> list[list[float]]:
    """The corners of a polygon, or of the polygon that an ellipse stands for."""
    if "points" in condition:
        return list(condition["points"])
    (cx, cy), ((ux, uy), (vx, vy)) = condition["centre"], condition["axes"]
    angles = (2 * math.pi * place / ELLIPSE_CORNERS for place in range(ELLIPSE_CORNERS))
    turned = ((math.cos(angle), math.sin(angle)) for angle in angles)
    return [[cx + c * ux + s * vx, cy + c * uy + s * vy] for c, s in turned]


def require_few_corners(polygons: Iterable[Sequence[Any]]) -> None:
    """Raises ValueError with a sentence where polygons have more corners than one file for another program may hold."""
    count = sum(len(one) for one in polygons)
    if count > MOST_CORNERS:
        raise ValueError(
            Message(
                "The file would hold polygons with %(count)s corners, at most %(most)s are written. Use fewer or simpler gates",
                count=count,
                most=MOST_CORNERS,
            )
        )


def _is_flat(points: Sequence[Sequence[float]]) -> bool:
    """Do all points lie on one line, as far as numbers can tell?"""
    columns = list(zip(*points, strict=True))
    spans = [max(one) - min(one) for one in columns]
    if not all(0 < span < math.inf for span in spans):
        return True
    placed = [tuple((value - min(column)) / span for value, column, span in zip(point, columns, spans, strict=True))
              for point in points]  # fmt: skip
    x0, y0 = placed[0]
    x1, y1 = max(placed, key=lambda one: math.hypot(one[0] - x0, one[1] - y0))
    return all(abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) < _FLAT for x, y in placed)


def _pair(value: Any) -> list[float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    found = [number for number in map(_number, value) if number is not None]
    return found if len(found) == 2 else None


def _bound(value: Any, gate: str) -> float | None:
    if value is None or value == "":
        return None
    number = _number(value)
    if number is None:
        raise ValueError(Message("A bound of gate '%(gate)s' is not a number", gate=gate))
    return number


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def features(gates: Sequence[Gate]) -> list[str]:
    """Names of the features that checked gates look at."""
    conditions = [one for gate in gates for one in gate["conditions"]]
    names = [one[key] for one in conditions for key in ("feature", "x", "y") if key in one]
    return list(dict.fromkeys(names))
