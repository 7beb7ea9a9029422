"""Which features a file holds, how many events, and bounded access to scalar feature data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from dclab import definitions as dfn

from .errors import RtdcError, explained
from .opening import Sealed_HDF5

Array = npt.NDArray[Any]

#: More events than any cytometer records in a run; protects arrays that are as long as the dataset.
MAX_EVENTS = 100_000_000


def event_count(dataset: Sealed_HDF5) -> int:
    """→ number of events: what the metadata say if any feature has that length, else the commonest feature length.

    Raises RtdcError (`events`) when the file has no feature at all.
    """
    lengths = feature_lengths(dataset.h5file)
    if not lengths:
        raise RtdcError("events", "The file holds no features.")
    stated = dataset.config["experiment"].get("event count")
    if stated is not None and stated in lengths.values():
        return int(stated)
    counts = sorted(lengths.values())
    return max(counts, key=counts.count)


def feature_lengths(h5: h5py.File) -> dict[str, int]:
    """→ {feature: number of entries} of the stored features (traces by their first trace; contours are not counted)."""
    lengths: dict[str, int] = {}
    for name in sorted(h5["events"]):
        if not dfn.feature_exists(name) or name == "contour":
            continue
        found = h5["events"][name]
        if name == "trace":
            traces = sorted(found)
            if traces:
                lengths[name] = len(found[traces[0]])
        else:
            lengths[name] = len(found)
    return lengths


def stored(dataset: Sealed_HDF5) -> list[str]:
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


def scalar(dataset: Sealed_HDF5, name: str) -> Array:
    """→ all values of a stored scalar feature as a one-dimensional array. Raises RtdcError (`features`, `damaged`)."""
    with explained(f"reading the feature '{name}'"):
        # Not through dclab's wrapper where it can be avoided: it would keep every column in memory.
        source = dataset.h5file["events"] if name in dataset._events else dataset
        values = np.asarray(source[name][:])
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        raise RtdcError("features", f"The feature '{name}' is not a list of numbers.")
    return values


def scalar_value(dataset: Sealed_HDF5, name: str, event: int) -> float | None:
    """→ one event's value of a stored scalar feature; None where it is missing, NaN or infinite."""
    with explained(f"reading the feature '{name}'"):
        source = dataset.h5file["events"] if name in dataset._events else dataset
        column = source[name]
        value = float(column[event]) if event < len(column) else float("nan")
    return value if np.isfinite(value) else None


def trace_names(dataset: Sealed_HDF5) -> list[str]:
    """→ sorted names of the stored traces ([] without any)."""
    group = dataset.h5file["events"].get("trace")
    return sorted(group) if isinstance(group, h5py.Group) else []


def pieces(total: int, step: int) -> Iterator[slice]:
    """Yield slices of at most `step` events over `total`."""
    for start in range(0, total, step):
        yield slice(start, min(start + step, total))
