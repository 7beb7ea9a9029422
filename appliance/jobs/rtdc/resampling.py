"""Bootstrap distributions of medians, and the events of a gate as rows; both over all events."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from appliance.model import gates as rules
from appliance.model.messages import Message

from . import gating
from .errors import RtdcError
from .features import Array
from .gating import Read

#: Draws and rows of one answer at most.
MOST_DRAWS = 10_000
MOST_ROWS = 20_000
#: Bytes of events that are selected at once [B].
MOST_SELECTED = 32 << 20


def medians(request: dict[str, Any], read: Read, events: int) -> dict[str, Any]:
    """Request: `features`, `gates`, `gate` ("" for all events), `draws`, `seed`, `stream` (a number in hexadecimal digits).

    → {medians: {feature: {count, median, draws}}, missing}: the median of all finite values, and medians of bootstrap samples of
    them. The same `seed` and `stream` give the same draws; those of different streams are independent.
    """
    columns, missing, inside = _chosen(request, read, events)
    draws = max(1, min(int(request["draws"]), MOST_DRAWS))
    found = {}
    for name in request["features"]:
        if name not in columns:
            continue
        values = columns[name][inside]
        ordered = np.sort(values[np.isfinite(values)])
        if ordered.size == 0:
            continue
        rng = np.random.default_rng(
            [int(request["seed"]), int(str(request["stream"]), 16), zlib.crc32(name.encode("utf-8"))]
        )
        found[name] = {
            "count": int(ordered.size),
            "median": float(np.median(ordered)),
            "draws": bootstrap_medians(ordered, draws, rng).tolist(),
        }
    return {"medians": found, "missing": missing}


def bootstrap_medians(ordered: Array, draws: int, rng: np.random.Generator) -> Array:
    """→ float64 (draws,): medians of bootstrap samples of the sorted, finite values; ~1 ms for 10^3 draws, however many values.

    No sample is drawn: n draws with replacement are n uniform numbers u, each of which stands for the value at place ⌊n·u⌋, and
    the k-th smallest of n uniform numbers has the distribution Beta(k, n − k + 1) (David & Nagaraja, Order Statistics, 2003,
    section 2.3). So the result has exactly the distribution of the bootstrap of the median (Efron, Ann. Statist. 7, 1979).
    """
    n = ordered.size
    half = n // 2
    if n % 2:
        return ordered[_places(rng.beta(half + 1, n - half, draws), n)].astype(np.float64)
    lower = rng.beta(half, n - half + 1, draws)
    # The other n − k numbers are uniform above the k-th; the smallest of them is the next one.
    upper = 1 - (1 - lower) * rng.random(draws) ** (1 / (n - half))
    low, high = (ordered[_places(one, n)].astype(np.float64) for one in (lower, upper))
    return np.asarray((low + high) / 2)


def _places(uniform: Array, n: int) -> Array:
    return np.minimum((uniform * n).astype(np.int64), n - 1)


@dataclass(frozen=True)
class Selected:
    """Events of a gate with their values, to be handed out in pieces.

    :ivar numbers: int64 (n,), numbers of the events from 0. :ivar values: (n,) for each feature that the file has, in the file's own type.
    :ivar features: all that were asked for. :ivar missing: those that the file lacks.
    :ivar first: how many events of the gate come before. :ivar total: how many the gate has.
    """

    features: tuple[str, ...]
    numbers: Array
    values: dict[str, Array]
    missing: list[str]
    first: int
    total: int

    def has(self, start: int) -> bool:
        """Is the event here before which the gate has `start` others, or is there none?"""
        return self.first <= start < self.first + len(self.numbers) or start >= self.total

    def rows(self, start: int, count: int) -> dict[str, Any]:
        """→ {events, values, next, missing}: numbers of events (from 0), a list of values for each feature (null where there is none), where to go on (null at the end).

        :param start: how many events of the gate are left out, one that `has` takes; :param count: how many are wanted at most.
        """
        begin = max(0, start - self.first)
        piece = slice(begin, begin + max(1, min(count, MOST_ROWS)))
        some = self.numbers[piece]
        values = []
        for name in self.features:
            column = self.values[name][piece].tolist() if name in self.values else [None] * len(some)
            values.append([one if one is not None and np.isfinite(one) else None for one in column])
        end = start + len(some)
        return {
            "events": some.tolist(),
            "values": values,
            "next": end if end < self.total else None,
            "missing": self.missing,
        }


def selected(request: dict[str, Any], read: Read, events: int) -> Selected:
    """Request: `features`, `gates`, `gate` ("" for all events), `start`. Reads each column and tests each gate once.

    → as many events from `start` on as `MOST_SELECTED` bytes hold, so that many pieces follow without reading again.
    """
    columns, missing, inside = _chosen(request, read, events)
    wanted = tuple(dict.fromkeys(request["features"]))
    every = np.flatnonzero(inside)
    known = {name: columns[name] for name in wanted if name in columns}
    width = every.itemsize + sum(one.itemsize for one in known.values())
    first = max(0, int(request["start"]))
    numbers = every[first : first + max(1, MOST_SELECTED // width)].copy()  # a view would keep all of them
    return Selected(wanted, numbers, {name: one[numbers] for name, one in known.items()}, missing, first, len(every))


def _chosen(request: dict[str, Any], read: Read, events: int) -> tuple[dict[str, Array], list[str], Array]:
    """→ columns by name, names that the file lacks, a bool for each event. Raises RtdcError when the gate lacks a feature."""
    names = [*request["features"], *rules.features(request["gates"])]
    columns, missing = gating.columns(names, read, events)
    if not request["gate"]:
        return columns, missing, np.ones(events, dtype=bool)
    inside = gating.masks(request["gates"], columns, events)[request["gate"]]
    if inside is None:
        raise RtdcError("features", Message("The file lacks a feature that the gate needs."))
    return columns, missing, inside
