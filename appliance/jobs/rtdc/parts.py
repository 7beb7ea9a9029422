"""The parts of a file that are read, and why others are not.

A part that is not as dclab expects it is left out and reported; the others are read all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import h5py
from dclab import definitions as dfn

from appliance.model.messages import Message

from .errors import shown

#: Largest picture that is read, in pixels.
MAX_PIXELS = 16_000_000
#: Largest scalar feature; it is read as a whole.
MAX_COLUMN_BYTES = 512 * 1024**2
#: Largest trace of one event.
MAX_TRACE_BYTES = 16 * 1024**2
#: Most logs, and most tables.
MAX_TEXTS = 10_000
MAX_NAME = 1_000

#: What parts are called in sentences.
KINDS = {
    Message("feature"): "events",
    Message("trace"): "events/trace",
    Message("log"): "logs",
    Message("table"): "tables",
}

_STACKS = ("image", "image_bg", "mask")
_NUMBERS = "iufb"

Check = Callable[[str, Any], str | None]


@dataclass
class Parts:
    """What a file has to offer. :ivar notes: a sentence for each part that is left out."""

    features: list[str] = field(default_factory=list)
    basin_features: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, what: str, name: str, reason: str) -> None:
        """Note that a part is not read. `what`: its kind in words; `reason`: a clause."""
        self.notes.append(
            Message("The %(what)s '%(name)s' was left out: %(reason)s.", what=what, name=shown(name), reason=reason)
        )


def find(h5: h5py.File, unread: Mapping[str, str]) -> Parts:
    """Look at the header of each part. `unread`: what the pre-flight walk found, path → reason. Reads no data."""
    parts = Parts()
    _features(h5, unread, parts)
    basin_events = h5.get("basin_events")
    if isinstance(basin_events, h5py.Group):
        parts.basin_features = _sound(basin_events, "basin_events", unread, parts, "feature", feature_fault, known=True)
    for place, found in (("logs", parts.logs), ("tables", parts.tables)):
        group = h5.get(place)
        if isinstance(group, h5py.Group):
            check = log_fault if place == "logs" else table_fault
            found += _sound(group, place, unread, parts, place.removesuffix("s"), check)
            if len(found) > MAX_TEXTS:
                parts.notes.append(
                    Message(
                        "Only the first %(max_texts)s of the %(found)s objects in the group '%(place)s' are read.",
                        place=place,
                        max_texts=MAX_TEXTS,
                        found=len(found),
                    )
                )
                del found[MAX_TEXTS:]
        elif group is not None:
            parts.leave_out(place.removesuffix("s"), place, "it is not a group")
    return parts


def _features(h5: h5py.File, unread: Mapping[str, str], parts: Parts) -> None:
    events = h5["events"]
    parts.features = _sound(events, "events", unread, parts, "feature", feature_fault, known=True)
    if "trace" in parts.features:
        parts.traces = _sound(events["trace"], "events/trace", unread, parts, "trace", trace_fault)
        if not parts.traces:
            parts.features.remove("trace")


def _sound(
    group: h5py.Group,
    place: str,
    unread: Mapping[str, str],
    parts: Parts,
    what: str,
    check: Check,
    *,
    known: bool = False,
) -> list[str]:
    """→ sorted names of the members of `group` that are read; the others are noted. `known`: only names of features count."""
    found = []
    for name in group:
        label = name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")
        if known and not dfn.feature_exists(label):
            continue
        reason = unread.get(f"/{place}/{label}")
        if reason is None and len(label) > MAX_NAME:
            reason = Message("its name is longer than %(max_name)s characters", max_name=MAX_NAME)
        if reason is None:
            reason = _checked(group, name, check)
        if reason is None:
            found.append(label)
        elif reason:
            parts.leave_out(what, label, reason)
    return sorted(found)


def _checked(group: h5py.Group, name: str, check: Check) -> str | None:
    try:
        return check(name, group[name])
    except (KeyError, OSError, RuntimeError, TypeError, ValueError):
        return Message("it cannot be read")


def feature_fault(name: str, found: Any) -> str | None:
    """→ why a stored feature is not read, or None."""
    if name in ("trace", "contour"):
        if not isinstance(found, h5py.Group):
            return Message("it is not a group")
        return Message("it holds no contour of the first event") if name == "contour" and "0" not in found else None
    if not isinstance(found, h5py.Dataset) or not found.shape:
        return Message("it is not an array with one entry per event")
    if found.dtype.kind not in _NUMBERS:
        return Message("it does not hold numbers")
    pixels = prod(found.shape[1:])
    if dfn.scalar_feature_exists(name):
        if found.ndim != 1:
            return Message("it has %(ndim)s dimensions instead of one", ndim=found.ndim)
        return Message("it is longer than 512 MiB") if found.nbytes > MAX_COLUMN_BYTES else None
    if name in _STACKS and found.ndim != 3:
        return Message("it is not a stack of greyscale images")
    if not pixels:
        return Message("its images have no pixels")
    return (
        Message("its images are larger than %(max_pixels)s pixels", max_pixels=MAX_PIXELS)
        if pixels > MAX_PIXELS
        else None
    )


def trace_fault(_name: str, found: Any) -> str | None:
    """→ why a trace is not read, or None."""
    if not isinstance(found, h5py.Dataset) or found.shape is None or found.ndim != 2 or found.dtype.kind not in "iuf":
        return Message("it is not a table of numbers, one row per event")
    if not found.shape[1]:
        return Message("it has no samples")
    return Message("it has too many samples") if found.shape[1] * found.dtype.itemsize > MAX_TRACE_BYTES else None


def log_fault(_name: str, found: Any) -> str | None:
    """→ why a log is not read; "" for one without lines, which is not worth a word; or None."""
    if not isinstance(found, h5py.Dataset):
        return Message("it is not a list of text lines")
    if not found.size:
        return ""
    text = h5py.check_string_dtype(found.dtype) is not None and found.ndim in (0, 1)
    return None if text else Message("it is not a list of text lines")


def table_fault(_name: str, found: Any) -> str | None:
    """→ why a table is not read, or None; as `log_fault`."""
    if not isinstance(found, h5py.Dataset):
        return Message("it is not a table")
    if not found.size:
        return ""
    names = found.dtype.names
    if names is None:
        numbers = found.dtype.kind in _NUMBERS and found.ndim > 0
        return None if numbers else Message("it does not hold numbers")
    if prod(found.shape[1:]) != 1:
        return Message("it has more than one record in a row")
    return None if number_columns(found) else Message("none of its columns holds numbers")


def number_columns(table: h5py.Dataset) -> list[str]:
    """→ names of the columns that hold one number a row; clients read nothing else."""
    return [name for name in table.dtype.names if table.dtype[name].kind in _NUMBERS and table.dtype[name].shape == ()]


def column_notes(tables: h5py.Group, names: list[str]) -> list[str]:
    """→ a sentence for each table of which some columns are left out."""
    notes: list[str] = []
    for name in names:
        lost = set(tables[name].dtype.names or ()) - set(
            number_columns(tables[name]) if tables[name].dtype.names else ()
        )
        if lost:
            columns = ", ".join(sorted(shown(column) for column in lost))
            notes.append(
                Message(
                    "Columns of the table '%(name)s' that do not contain single numbers are left out: %(columns)s.",
                    name=shown(name),
                    columns=columns,
                )
            )
    return notes
