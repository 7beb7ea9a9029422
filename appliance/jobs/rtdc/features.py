"""Which features a file holds, how many events, and bounded access to scalar feature data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from dclab import definitions as dfn

from appliance.model.messages import Message

from .errors import RtdcError, explained
from .opening import SafeRTDC

Array = npt.NDArray[Any]


def stored(dataset: SafeRTDC) -> list[str]:
    """→ sorted innate features: valid stored ones (defective ones left out) and those of internal basins."""
    names = set(dataset._events.keys())
    for basin in dataset.basins_get_dicts():
        names.update(feature for feature in basin["features"] if feature in dataset.features_basin)
    return sorted(names)


def is_scalar(name: str) -> bool:
    """→ whether a feature has one number an event."""
    return bool(dfn.scalar_feature_exists(name))


def label(name: str) -> tuple[str, str]:
    """→ (label without unit, unit or "") as dclab names the feature: ("Area", "µm²")."""
    full = dfn.get_feature_label(name)
    bare = dfn.get_feature_label(name, with_unit=False)
    unit = full[full.rfind("[") + 1 : -1] if full.endswith("]") else ""
    return bare, unit


def scalar(dataset: SafeRTDC, name: str) -> Array:
    """→ all values of a stored scalar feature as a one-dimensional array. Raises RtdcError (`features`, `damaged`)."""
    with explained(Message("reading the feature '%(name)s'", name=name)):
        # Not through dclab's wrapper where it can be avoided: it would keep every column in memory.
        source = dataset.h5file["events"] if name in dataset._events else dataset
        values = np.asarray(source[name][:])
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        raise RtdcError("features", Message("The feature '%(name)s' is not a list of numbers.", name=name))
    return values


def address(dataset: SafeRTDC, name: str) -> int | str:
    """→ where a feature's data stand in the file, the same for each of its names; the name itself where that is not known."""
    if name not in dataset._events:
        return name
    try:
        return int(h5py.h5o.get_info(dataset.h5file["events"][name].id).addr)
    except (KeyError, OSError, RuntimeError):
        return name


def scalar_value(dataset: SafeRTDC, name: str, event: int) -> float | None:
    """→ one event's value of a stored scalar feature; None where it is missing, NaN or infinite."""
    with explained(Message("reading the feature '%(name)s'", name=name)):
        source = dataset.h5file["events"] if name in dataset._events else dataset
        column = source[name]
        value = float(column[event]) if event < len(column) else float("nan")
    return value if np.isfinite(value) else None


def trace_names(dataset: SafeRTDC) -> list[str]:
    """→ sorted names of the stored traces that are read ([] without any)."""
    return list(dataset.parts.traces)


def pieces(total: int, step: int) -> Iterator[slice]:
    """Yield slices of at most `step` events over `total`."""
    for start in range(0, total, step):
        yield slice(start, min(start + step, total))
