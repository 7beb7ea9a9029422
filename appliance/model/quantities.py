"""Sizes and lengths of time as people write them: `5 GB`, `5GiB`, `30 d`, `15 min`."""

from __future__ import annotations

import re

from appliance.model.messages import Message

_BYTES: dict[str, int] = {"": 1, "b": 1} | {
    prefix + ending: factor**power
    for power, prefix in enumerate("kmgtp", 1)
    for ending, factor in (("", 1000), ("b", 1000), ("ib", 1024), ("i", 1024))
}
_SECONDS = {
    "": 1,
    "s": 1,
    "sec": 1,
    "second": 1,
    "min": 60,
    "m": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
}
_UNITS: dict[str, dict[str, int]] = {"bytes": _BYTES, "s": _SECONDS, "d": {"": 1, "d": 1, "day": 1, "w": 7, "week": 7}}
#: Unit → an example for people.
EXAMPLES = {
    "bytes": Message("a size such as 5 GB"),
    "s": Message("a length of time such as 90 s or 15 min"),
    "d": Message("a number of days"),
}
_NUMBER = re.compile(r"([0-9]+(?:[.,][0-9]+)?)[ \u00a0\u202f]*([A-Za-z]*)")


def number_of(text: str, unit: str) -> int:
    """`text` as a whole number of `unit` ("bytes", "s", "d", or anything else: no unit may be written). Raises ValueError."""
    found = _NUMBER.fullmatch(text.strip()) if text.isascii() or unit in _UNITS else None
    factors = _UNITS.get(unit)
    if found is None or factors is None:
        return int(text) if text.isascii() and re.fullmatch(r"[+-]?[0-9]+", text.strip()) else _refuse(text)
    word = found[2].lower()
    factor = factors.get(word, factors.get(word.removesuffix("s")))
    if factor is None:
        return _refuse(text)
    return round(float(found[1].replace(",", ".")) * factor) if re.search("[.,]", found[1]) else int(found[1]) * factor


def _refuse(text: str) -> int:
    raise ValueError(f"'{text}' is not a number")
