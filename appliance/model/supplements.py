"""Supplementary metadata (``sp:section:key``): the schema that clients build forms from, and its types.

Only types are checked here; choices, options and requirements are hints for forms, as upstream.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from appliance.model.messages import Message
from appliance.model.problem import invalid

Schema = Mapping[str, Mapping[str, Any]]
_LONGEST = 10_000  # characters of a value
_BUILT_IN = ("standard", "medical")


@lru_cache(maxsize=8)
def schema(which: str) -> Schema:
    """The schema named by ``policy.supplements``: a built-in one, or a folder of ``<anything>_<section>.json`` files.

    :returns: sections by key, in display order.
    :raises Problem: no such folder, or a file of it that does not hold the section its name says.
    """
    if which in _BUILT_IN:
        text = resources.files("appliance.model").joinpath(f"data/supplements_{which}.json").read_text(encoding="utf-8")
        built_in: Schema = json.loads(text)
        return built_in
    if not Path(which).is_dir():
        raise invalid(message=f"policy.supplements is neither one of {', '.join(_BUILT_IN)} nor a folder: '{which}'.")
    sections: dict[str, Mapping[str, Any]] = {}
    for file in sorted(Path(which).glob("*.json")):
        section = _section(file)
        sections[section["key"]] = section
    return sections


def _section(file: Path) -> Mapping[str, Any]:
    try:
        section: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise invalid(message=Message("%(file)s cannot be read: %(error)s", file=file, error=error)) from error
    key = section.get("key") if isinstance(section, dict) else None
    if key != file.stem.rpartition("_")[2]:
        raise invalid(message=f"{file}: the key '{key}' must be the part of the file name after the last underscore.")
    found: Mapping[str, Any] = section
    return found


def item(which: str, key: str) -> Mapping[str, Any] | None:
    """The schema's entry for ``sp:section:key``, or None."""
    _, _, rest = key.partition(":")
    section, _, name = rest.partition(":")
    for entry in schema(which).get(section, {}).get("items", ()):
        if entry["key"] == name:
            found: Mapping[str, Any] = entry
            return found
    return None


def parse(which: str, key: str, value: Any) -> Any:
    """`value` in the type that the schema gives ``sp:section:key``; None for no value.

    :raises Problem: 409 for an unknown key or a value that is not of the type.
    """
    entry = item(which, key)
    if entry is None:
        raise invalid({key: [Message("Unknown supplementary key '%(key)s'", key=key)]})
    if value is None or value == "":
        return None
    if len(str(value)) > _LONGEST:
        raise invalid({key: [Message("At most %(most)s characters are accepted", most=_LONGEST)]})
    try:
        return _PARSERS[entry.get("type", "string")](value)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid({key: [Message("Invalid value for '%(key)s': '%(value)s'!", key=key, value=value)]}) from error


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).strip().lower() in {"true", "yes"}


def _date(value: Any) -> str:
    return datetime.strptime(str(value).strip(), "%Y-%m-%d").strftime("%Y-%m-%d")


def _float(value: Any) -> float:
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _integer(value: Any) -> int:
    return int(value) if isinstance(value, (int, str)) else _whole(value)


def _whole(value: float) -> int:
    if value != int(value):
        raise ValueError
    return int(value)


def _list(value: Any) -> str:
    words = value if isinstance(value, list) else str(value).split()
    return " ".join(map(str, words))


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "date": _date,
    "float": _float,
    "integer": _integer,
    "list": _list,
    "string": str,
}
