"""Single events of a gate for the gallery: which, in which order, and their pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from appliance.model import gates as rules
from appliance.model.messages import Message

from . import gating
from .errors import RtdcError
from .gating import Read

#: Most events of one answer.
MOST = 100


def choose(request: dict[str, Any], read: Read, events: int) -> dict[str, Any]:
    """Request: `gates`, `gate` ("" for all events), `count`, `offset`, `sort` (a feature or ""), `descending`, `seed`.

    → {total, events, values}: how many events are in the gate, numbers (from 0) of some of them, and their values of the
    feature they are sorted by. Without one they are a random sample, the same for the same `seed`. Events without a value of
    that feature come last. Raises RtdcError `features` when the file lacks a feature.
    """
    names = [*rules.features(request["gates"]), *([request["sort"]] if request["sort"] else [])]
    known, missing = gating.columns(names, read, events)
    if request["sort"] in missing:
        raise RtdcError("features", Message("The file lacks the feature '%(sort)s'.", sort=request["sort"]))
    numbers = np.arange(events)
    if request["gate"]:
        inside = gating.masks(request["gates"], known, events)[request["gate"]]
        if inside is None:
            raise RtdcError("features", Message("The file lacks a feature that the gate needs."))
        numbers = np.flatnonzero(inside)
    if request["sort"]:
        values = known[request["sort"]][numbers].astype(np.float64)
        order = np.argsort(-values if request["descending"] else values, kind="stable")  # NaN sorts last both ways
    else:
        order = np.random.default_rng(int(request["seed"])).permutation(len(numbers))
    start = max(0, int(request["offset"]))
    chosen = numbers[order[start : start + max(1, min(int(request["count"]), MOST))]]
    shown = known[request["sort"]][chosen].tolist() if request["sort"] else []
    return {
        "total": len(numbers),
        "events": chosen.tolist(),
        "values": [value if np.isfinite(value) else None for value in shown],
    }
