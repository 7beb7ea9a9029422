"""A session of DCscope and Shape-Out 2 (``.so2``): measurements of this server as slots, gates as filters, one scatter plot.

The format is that of `dcscope.session.save_session`: a ZIP archive of JSON files. Slots in the format "dcor" hold the address that
dclab opens, so that the session works on any computer whose DCscope has this server's certificate and a token.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.model import gates as rules
from appliance.model.youngs_modulus import Conditions

#: The release of DCscope whose sessions these are.
VERSION = "2.28.4"
_COLOURS = ("#14539a", "#b3420a", "#1a6b35", "#8a2f8f", "#7f6a00", "#00707a", "#a8201a", "#4a5568", "#5b3a9e", "#3d7a00", "#9b1c56", "#6b4226")  # fmt: skip
_NAN = math.nan


@dataclass(frozen=True)
class Slot:
    """A measurement. :ivar url: what dclab opens, ``https://host/api/3/action/dcserv?id=…``; :ivar number: from 1, for its colour."""

    id: str
    name: str
    url: str
    number: int


def archive(
    slots: Sequence[Slot], gates: Sequence[rules.Gate], axes: tuple[str, str], young: Conditions | None
) -> bytes:
    """The session, at most some 100 bytes for each of `gates.MOST_CORNERS` corners.

    Gates that filters cannot express (see `inexpressible`) are left out; the first of the others is switched on. Raises ValueError with a
    sentence when the polygons have too many corners.
    """
    filters, polygons = _filters(gates)
    plot = _plot(axes)
    files: dict[str, Any] = {
        "filters.sof": {"filters": filters, "polygon filters": polygons},
        "plot_0.json": plot,
        "matrix.json": {
            _slot_id(one): {plot["identifier"]: True}
            | {each["identifier"]: place == 0 for place, each in enumerate(filters)}
            for one in slots
        },
        "remarks.json": {
            "file hashes": {},
            "formats": {_slot_id(one): "dcor" for one in slots},
            "search paths": {},
            "version": VERSION,
        },
    }
    files |= {f"slot_{place}.json": _slot(one, young) for place, one in enumerate(slots)}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), json.dumps(content, sort_keys=True))
    return target.getvalue()


def inexpressible(gates: Sequence[rules.Gate]) -> list[str]:
    """Names of those whose events no filter can select: with "or", or with a range or another gate that must not hold."""
    known = _conditions(gates)
    return [one["name"] for one in gates if known[one["name"]] is None]


def _conditions(gates: Sequence[rules.Gate]) -> dict[str, list[dict[str, Any]] | None]:
    """Name of each gate → all ranges and polygons that must hold, those of other gates included, each once; None where that cannot be said so.

    Each gate is looked at once, after those it refers to: gates that name others many times cost no more than their conditions.
    """
    found: dict[str, list[dict[str, Any]] | None] = {}
    for gate in rules.ordered(gates):
        found[gate["name"]] = _of_gate(gate, found)
    return found


def _of_gate(gate: rules.Gate, known: Mapping[str, list[dict[str, Any]] | None]) -> list[dict[str, Any]] | None:
    if gate["combine"] == "or" and len(gate["conditions"]) > 1:
        return None
    found: dict[int, dict[str, Any]] = {}
    merged = set()
    for one in gate["conditions"]:
        if "x" not in one and one["inverted"]:
            return None
        if "gate" not in one:
            found[id(one)] = one
            continue
        inner = known[one["gate"]]
        if inner is None:
            return None
        if id(inner) not in merged:  # a gate may be named several times
            merged.add(id(inner))
            found |= {id(condition): condition for condition in inner}
    return list(found.values())


def _filters(gates: Sequence[rules.Gate]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    known = _conditions(gates)
    filters: list[dict[str, Any]] = []
    polygons = _Polygons()
    for place, gate in enumerate(gates):
        conditions = known[gate["name"]]
        if conditions is None:
            continue
        boxes: dict[str, dict[str, Any]] = {}
        used = []
        for one in conditions:
            if "feature" in one:
                _narrow(boxes, one)
            else:
                used.append(polygons.number(one, gate["name"]))
        filters.append(
            {
                "box filters": boxes,
                "filter used": True,
                "identifier": f"filter:{place:032x}",
                "limit events bool": False,
                "limit events num": 5000,
                "name": gate["name"],
                "polygon filters": list(dict.fromkeys(used)),
                "remove invalid events": False,
            }
        )
    rules.require_few_corners(one["points"] for one in polygons.found)
    return filters, polygons.found


class _Polygons:
    """The polygons of a session, each once, however many filters use it.

    :ivar found: them as the session has them; the place of each is its identifier.
    """

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self._of_condition: dict[int, int] = {}
        self._of_value: dict[tuple[Any, ...], int] = {}

    def number(self, one: dict[str, Any], name: str) -> int:
        """The identifier of the polygon of a condition; a new one is called `name`."""
        if id(one) not in self._of_condition:
            points = [list(point) for point in rules.corners(one)]
            key = (one["x"], one["y"], one["inverted"], tuple(map(tuple, points)))
            if key not in self._of_value:
                self._of_value[key] = len(self.found)
                self.found.append(
                    {
                        "axis x": one["x"],
                        "axis y": one["y"],
                        "identifier": len(self.found),
                        "inverted": one["inverted"],
                        "name": name,
                        "points": points,
                    }
                )
            self._of_condition[id(one)] = self._of_value[key]
        return self._of_condition[id(one)]


def _narrow(boxes: dict[str, dict[str, Any]], one: Mapping[str, Any]) -> None:
    """Both bounds are required; a missing one becomes the largest number."""
    low, high = (-3e38 if one["min"] is None else one["min"]), (3e38 if one["max"] is None else one["max"])
    box = boxes.setdefault(one["feature"], {"active": True, "start": low, "end": high})
    box["start"], box["end"] = max(box["start"], low), min(box["end"], high)


def _slot_id(slot: Slot) -> str:
    return f"slot:{slot.id.replace('-', '')}"


def _slot(slot: Slot, young: Conditions | None) -> dict[str, Any]:
    own = young or Conditions()
    return {
        "color": _COLOURS[(slot.number - 1) % len(_COLOURS)],
        "crosstalk": {f"crosstalk fl{a}{b}": 0 for a in (1, 2, 3) for b in (1, 2, 3) if a != b},
        "emodulus": {
            "emodulus enabled": young is not None,
            "emodulus lut": own.lut,
            "emodulus medium": "other" if young is None or own.viscosity is not None else own.medium or "other",
            "emodulus scenario": "manual",
            "emodulus temperature": _NAN if own.temperature is None else own.temperature,
            "emodulus viscosity": _NAN if own.viscosity is None else own.viscosity,
            "emodulus viscosity model": own.model,
        },
        "fl names": {f"FL-{channel}": f"FL-{channel}" for channel in (1, 2, 3)},
        "identifier": _slot_id(slot),
        "name": slot.name,
        "path": slot.url,
        "slot used": True,
    }


def _plot(axes: tuple[str, str]) -> dict[str, Any]:
    return {
        "identifier": f"plot:{0:032x}",
        "layout": {"column count": 2, "division": "multiscatter+contour", "label plots": True, "name": "Plot 1", "size x": 400, "size y": 400},
        "general": {
            "auto range": True, "auto spacing": True, "axis x": axes[0], "axis y": axes[1], "isoelastics": False, "kde": "histogram",
            "range x": [0, 0], "range y": [0, 0], "scale x": "linear", "scale y": "linear", "spacing x": 1.5, "spacing y": 0.004,
        },
        "contour": {
            "enabled": True, "legend": False, "line styles": ["solid", "dashed"], "line widths": [3.0, 1.5], "percentiles": [95.0, 50.0],
            "spacing x": 1.5, "spacing y": 0.004, "zoomin": False,
        },
        "scatter": {
            "colormap": "viridis", "downsample": True, "downsampling value": 5000, "enabled": True, "hue feature": "deform", "hue max": 1,
            "hue min": 0, "marker alpha": 0.3, "marker hue": "kde", "marker size": 3.0, "show event count": True,
        },
    }  # fmt: skip
