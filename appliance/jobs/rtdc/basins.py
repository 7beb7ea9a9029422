"""Basin definitions of a file: which may be used (internal ones) and which are only reported.

A basin names where more features of the same measurement lie. File and URL basins of an upload are written by the
uploader: following them would make the server open foreign files or addresses, so they never are. They are reported, and
the pipeline may replace a file basin by another resource of the same dataset (`identifier`, `mapping`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import h5py

from appliance.jobs.rtdc.preflight import HostileFile, check_dataset
from appliance.model.messages import Message

from .errors import RtdcError, shown
from .texts import Budget, read_lines

MAX_DEFINITIONS = 100
DEFINITION_BYTES = 1_000_000

_MAPPING = re.compile(r"^(same|basinmap[0-9]{1,3})$")
_INTERNAL_FORMATS = {"h5dataset", "h5datasetchop"}


def definitions(h5: h5py.File, notes: list[str] | None = None) -> list[dict[str, Any]]:
    """→ the basin definitions that can be understood, with their `key`; `notes` gets a sentence for each other one."""
    group = h5.get("basins")
    if not isinstance(group, h5py.Group):
        return []
    keys = [key for key in group if isinstance(key, str)]
    told = [] if notes is None else notes
    if len(keys) > MAX_DEFINITIONS:
        told.append(
            Message(
                "Only the first %(max_definitions)s of %(value)s basin definitions are read.",
                max_definitions=MAX_DEFINITIONS,
                value=len(keys),
            )
        )
    found = []
    for key in keys[:MAX_DEFINITIONS]:
        try:
            found.append(_read(group, key))
        except RtdcError as exc:
            told.append(
                Message("The basin definition '%(key)s' is left out: %(message)s", key=shown(key), message=exc.message)
            )
    return found


def _read(group: h5py.Group, key: str) -> dict[str, Any]:
    try:
        dataset = group[key]
        check_dataset(dataset.id, dataset.name)
        budget = Budget(DEFINITION_BYTES)
        lines = read_lines(dataset, budget)
    except (AttributeError, HostileFile, KeyError, OSError, RuntimeError, TypeError, ValueError):
        raise RtdcError("basin", Message("A basin definition is not text.")) from None
    if budget.cut:
        raise RtdcError("basin", Message("A basin definition is larger than 1 MB."))
    return _parsed(key, " ".join(lines))


def _parsed(key: str, text: str) -> dict[str, Any]:
    try:
        basin = json.loads(text)
    except (ValueError, RecursionError):
        raise RtdcError("basin", Message("A basin definition is not valid JSON.")) from None
    if (
        not isinstance(basin, dict)
        or not isinstance(basin.get("type"), str)
        or not isinstance(basin.get("format"), str)
    ):
        raise RtdcError("basin", Message("A basin definition lacks its type or format."))
    features = basin.get("features")
    mapping = basin.get("mapping", "same")
    if features is not None and not _is_texts(features):
        raise RtdcError("basin", Message("The features of a basin definition are not a list of names."))
    if not isinstance(mapping, str) or not _MAPPING.match(mapping):
        raise RtdcError("basin", Message("A basin definition has an invalid mapping."))
    basin["mapping"] = mapping
    basin["key"] = key
    return basin


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def internal(h5: h5py.File, readable: Iterable[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """→ (the definitions whose data lie in this very file, the only ones dclab gets to see; notes on what is left out).

    `readable`: the features of `basin_events` that are read; a definition is cut down to them.
    """
    sound, notes, present = [], list[str](), set(readable)
    for basin in definitions(h5, notes):
        if refusal(basin, h5) is not None:
            continue
        names = [name for name in basin["features"] if name in present]
        lost = sorted(set(basin["features"]) - present)
        if lost:
            listed = ", ".join(shown(name) for name in lost[:10])
            notes.append(
                Message(
                    "The file lacks features that the internal basin '%(key)s' lists: %(listed)s.",
                    key=shown(basin["key"]),
                    listed=listed,
                )
            )
        if names:
            sound.append(basin | {"features": names})
    return sound, notes


def refusal(basin: dict[str, Any], h5: h5py.File) -> str | None:
    """→ why a basin is not followed, or None for a sound internal basin."""
    kind = basin["type"]
    if kind == "file":
        return Message("names a file outside this one")
    if kind == "remote":
        return Message("names an address on the network")
    if kind != "internal":
        return Message("is of an unknown type")
    if basin["format"] not in _INTERNAL_FORMATS:
        return Message("is internal but names the format of another kind of basin")
    if basin.get("paths") != ["basin_events"] or not isinstance(h5.get("basin_events"), h5py.Group):
        return Message("is internal but does not name the group 'basin_events'")
    if not basin.get("features"):
        return Message("is internal but lists no features")
    if (basin["mapping"] == "same") != (basin["format"] == "h5datasetchop"):
        return Message("is internal but has the wrong mapping for its format")
    return None


def stripped(h5: h5py.File) -> list[dict[str, Any]]:
    """→ the basins that are not followed: {name, type, format, reason, features, identifier, mapping, key}."""
    report = []
    for basin in definitions(h5):
        reason = refusal(basin, h5)
        if reason is not None:
            report.append(
                _summary(basin) | {"reason": Message("The basin %(reason)s; it is not followed.", reason=reason)}
            )
    return report


def file_basins(h5: h5py.File) -> list[dict[str, Any]]:
    """→ file basins in HDF5 format, which another resource of the dataset may stand in for (behaviour of upstream)."""
    return [_summary(basin) for basin in definitions(h5) if basin["type"] == "file" and basin["format"] == "hdf5"]


def _summary(basin: dict[str, Any]) -> dict[str, Any]:
    def text(key: str) -> str | None:
        """The first 500 characters of a text; None for anything else that may stand there."""
        value = basin.get(key)
        return value[:500] if isinstance(value, str) else None

    return {
        "key": basin["key"],
        "name": text("name"),
        "description": text("description"),
        "type": basin["type"][:50],
        "format": basin["format"][:50],
        "mapping": basin["mapping"],
        "identifier": text("identifier"),
        "features": basin.get("features"),
    }
