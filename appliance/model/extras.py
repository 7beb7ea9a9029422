"""Extra fields, as CKAN has them: pairs of a key and a text that scripts add to datasets, circles and collections."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

from appliance.model.problem import Fields, invalid
from appliance.model.values import as_text, composed, text_error

#: Pairs of one object, some ten times what clients send; characters of a key and of a value.
MOST, LONGEST_KEY, LONGEST = 200, 100, 20_000
#: DCOR keeps these fields of a dataset among CKAN's extras, but takes and shows them by their own names.
OWN_FIELDS = frozenset({"authors", "doi", "references"})


def parsed(listed: Any, *, reserved: Collection[str] = ()) -> str:
    """The stored form of a list of ``{"key": …, "value": …}``: JSON, sorted by key. Entries with a true `deleted` are left out.

    :param reserved: keys that are fields of the object itself.
    :raises Problem: 409 with CKAN's fields `extras` or `extras_validation`.
    """
    if not isinstance(listed, list):
        raise invalid({"extras": ["Not a list"]})
    if len(listed) > MOST:
        raise invalid({"extras": [f"At most {MOST} extras are accepted"]})
    errors = [_wrong(entry, reserved) for entry in listed]
    if any(errors):
        raise invalid({"extras": errors})
    living = [entry for entry in listed if not entry.get("deleted")]
    pairs = sorted((composed(as_text(entry["key"])), composed(as_text(entry["value"]))) for entry in living)
    for (key, _), (following, _) in pairwise(pairs):
        if key == following:
            raise invalid({"extras_validation": [f'Duplicate key "{key}"']})
    return json.dumps([{"key": key, "value": value} for key, value in pairs], ensure_ascii=False)


def _wrong(entry: Any, reserved: Collection[str]) -> Fields:
    """What is wrong with one entry, by its parts."""
    if not isinstance(entry, Mapping):
        return {"key": ["An object with key and value is needed"]}
    if entry.get("deleted"):
        return {}
    errors: Fields = {}
    for part, longest in (("key", LONGEST_KEY), ("value", LONGEST)):
        value = entry.get(part)
        if value is None or (part == "key" and value == ""):
            errors[part] = ["Missing value"]
        elif not isinstance(value, str | int | float):
            errors[part] = ["Must be a text"]
        elif len(as_text(value)) > longest:
            errors[part] = [f"At most {longest} characters are accepted"]
        elif value != "" and (wrong := text_error(as_text(value))):
            errors[part] = [wrong]
    if entry.get("key") in reserved:
        errors["key"] = ["There is a schema field with the same name"]
    return errors
