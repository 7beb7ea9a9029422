"""Gates: named selections of events by ranges and polygons of features, as clients and links write them.

``{"name": "cells", "conditions": [{"feature": "area_um", "min": 20, "max": 200},
{"x": "area_um", "y": "deform", "points": [[20, 0], [200, 0], [200, 0.1]], "inverted": false}]}``: an event is in the gate when all
conditions hold. Bounds belong to a range, either may be missing; `inverted` means "not".
"""

from __future__ import annotations

import math
import re
from typing import Any

MOST_GATES = 20
MOST_CONDITIONS = 10
MOST_POINTS = 500
_FEATURE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LONGEST_NAME = 60


def is_feature(name: object) -> bool:
    """Can this be the name of a scalar feature?"""
    return isinstance(name, str) and _FEATURE.fullmatch(name) is not None


def checked(value: Any) -> list[dict[str, Any]]:
    """The gates in `value`, with nothing else in them. Raises ValueError with a sentence about the first that is wrong."""
    if not isinstance(value, list):
        raise ValueError("Gates are a list of objects")
    if len(value) > MOST_GATES:
        raise ValueError(f"At most {MOST_GATES} gates are accepted")
    found = [_gate(one, place) for place, one in enumerate(value, 1)]
    names = [one["name"] for one in found]
    if len(set(names)) != len(names):
        raise ValueError("Two gates have the same name")
    return found


def _gate(value: Any, place: int) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) - {"name", "conditions"}:
        raise ValueError(f"Gate {place} is not an object with 'name' and 'conditions'")
    name = value.get("name") or f"Gate {place}"
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"The name of gate {place} is not a text of at most {_LONGEST_NAME} characters")
    conditions = value.get("conditions")
    if not isinstance(conditions, list) or not 0 < len(conditions) <= MOST_CONDITIONS:
        raise ValueError(f"Gate '{name}' needs between 1 and {MOST_CONDITIONS} conditions")
    return {"name": name, "conditions": [_condition(one, name) for one in conditions]}


def _condition(value: Any, gate: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"A condition of gate '{gate}' is not an object")
    inverted = value.get("inverted", False)
    if not isinstance(inverted, bool):
        raise ValueError(f"'inverted' in gate '{gate}' must be true or false")
    if "points" in value:
        return _polygon(value, gate) | {"inverted": inverted}
    if set(value) - {"feature", "min", "max", "inverted"} or not is_feature(value.get("feature")):
        raise ValueError(
            f"A condition of gate '{gate}' needs a 'feature' with 'min' or 'max', or 'x', 'y' and 'points'"
        )
    low, high = (_bound(value.get(key), gate) for key in ("min", "max"))
    if low is None and high is None:
        raise ValueError(f"A range in gate '{gate}' needs 'min' or 'max'")
    if low is not None and high is not None and low > high:
        raise ValueError(f"In gate '{gate}' the 'min' of {value['feature']} is larger than its 'max'")
    return {"feature": value["feature"], "min": low, "max": high, "inverted": inverted}


def _polygon(value: dict[str, Any], gate: str) -> dict[str, Any]:
    points = value["points"]
    if set(value) - {"x", "y", "points", "inverted"} or not (is_feature(value.get("x")) and is_feature(value.get("y"))):
        raise ValueError(f"A polygon of gate '{gate}' needs the features 'x' and 'y'")
    if not isinstance(points, list) or not 3 <= len(points) <= MOST_POINTS:
        raise ValueError(f"A polygon of gate '{gate}' needs between 3 and {MOST_POINTS} corners")
    pairs = [[_number(number) for number in one] if isinstance(one, list) and len(one) == 2 else [] for one in points]
    if not all(pairs) or any(number is None for pair in pairs for number in pair):
        raise ValueError(f"The corners of a polygon of gate '{gate}' are not pairs of numbers")
    if len({tuple(pair) for pair in pairs}) < 3:
        raise ValueError(f"A polygon of gate '{gate}' has fewer than three different corners")
    return {"x": value["x"], "y": value["y"], "points": pairs}


def _bound(value: Any, gate: str) -> float | None:
    if value is None or value == "":
        return None
    number = _number(value)
    if number is None:
        raise ValueError(f"A bound of gate '{gate}' is not a number")
    return number


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def features(gates: list[dict[str, Any]]) -> list[str]:
    """Names of the features that checked gates look at."""
    conditions = [one for gate in gates for one in gate["conditions"]]
    names = [one[key] for one in conditions for key in ("feature", "x", "y") if key in one]
    return list(dict.fromkeys(names))
