"""The measurement metadata of a file as JSON: dclab's configuration and the catalogue's `dc:section:key` values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from dclab import definitions as dfn

from appliance.model.messages import Message

from .errors import shown
from .opening import SafeRTDC


def as_json(dataset: SafeRTDC, event_count: int, notes: list[str]) -> dict[str, dict[str, Any]]:
    """→ {section: {key: value}} without `filtering`, as dcserv answers it; the event count is filled in if missing.

    Values that JSON cannot hold (NaN, infinities) are left out with a note, and so are empty sections. Nothing is cut: the
    pre-flight walk bounds the metadata of a file.
    """
    sections: dict[str, dict[str, Any]] = {}
    for section in sorted(dataset.config.keys()):
        if section == "filtering":
            continue
        values = {}
        for key, value in dataset.config[section].items():
            converted = jsonable(value)
            if converted is not None and isinstance(key, str):
                values[key] = converted
            else:
                notes.append(
                    Message(
                        "The metadata key '%(key)s' is left out: its value is not a number.",
                        key=shown(f"{section}:{key}"),
                    )
                )
        if values:
            sections[section] = values
    sections.setdefault("experiment", {}).setdefault("event count", event_count)
    return sections


def catalogue_keys(config: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """→ {"dc:section:key": value} for every key that dclab defines for measurements (no dynamic filter keys, no `user`)."""
    return {
        f"dc:{section}:{key}": config[section][key]
        for section in dfn.CFG_METADATA
        for key in dfn.config_keys[section]
        if key in config.get(section, {})
    }


def jsonable(value: object) -> Any:
    """→ `value` as JSON type, or None when JSON cannot hold it (NaN, infinity, foreign objects)."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, (list, tuple)):
        items = [jsonable(item) for item in value]
        return None if any(item is None for item in items) else items
    return None
