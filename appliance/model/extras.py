"""Extra fields, as CKAN has them: pairs of a key and a text that scripts add to datasets, circles and collections."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any

from appliance.model.messages import Message
from appliance.model.problem import Fields, invalid
from appliance.model.values import as_text, composed, text_error

#: Pairs of one object, some ten times what clients send; characters of a key and of a value.
MOST, LONGEST_KEY, LONGEST = 200, 100, 20_000
#: Characters of all extras of one object: some hundred times what clients send.
LONGEST_TOGETHER = 500_000
#: DCOR keeps these fields of a dataset among CKAN's extras, but takes and shows them by their own names.
OWN_FIELDS = frozenset({"authors", "doi", "references"})

#: What a file's description has by itself: the server's fields, DCOR's, and what CKAN of any age writes there; `extras`, where CKAN
#: keeps fields of one's own, is nothing that it takes.
_FILE_FIELDS = frozenset({
    "alternatives", "cache_filepath", "cache_last_updated", "cache_url", "ckan_url", "clear_upload", "created", "datastore_active",
    "datastore_contains_all_records_of_source_file", "description", "etag", "extras", "format", "has_views", "hash", "id", "last_modified",
    "metadata_modified", "mimetype", "mimetype_inner", "name", "on_same_domain", "original_url", "package_id", "position", "resource_group_id",
    "resource_type", "revision_id", "revision_timestamp", "s3_available", "s3_url", "save", "sha256", "size", "state", "tracking_summary",
    "upload", "url", "url_type", "webstore_last_updated", "webstore_url",
})  # fmt: skip


def of_file(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of one's own in a description of a file: JSON values; None or "" for one that is to go.

    Raises Problem 409 for values that JSON does not have or that are too long, and for too many.
    """
    found = stored_of_file(entry)
    errors: Fields = {}
    for key, value in found.items():
        if wrong := _wrong_value(key, value):
            errors[key[:LONGEST_KEY]] = [wrong]
    if errors:
        raise invalid(errors)
    require_number(found)
    _require_length(json.dumps(found, ensure_ascii=False))
    own = {str(composed(key)): composed(value) for key, value in found.items()}
    if len(own) < len(found):
        raise invalid({"extras": [Message("Two fields have the same name, written with different characters")]})
    return own


def _wrong_value(key: str, value: Any) -> str:
    """What is wrong with a field of a file; "" when nothing is."""
    try:
        length = len(value) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except TypeError:
        return "Must be a JSON value, not a file"
    except ValueError:
        return "Must be a finite number"
    if len(key) > LONGEST_KEY or length > LONGEST:
        return f"At most {LONGEST_KEY} characters of a key and {LONGEST} of a value are accepted"
    return next((wrong for text in _texts(value) if (wrong := text_error(text))), "")


def _texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value, keys of objects too."""
    level = [value]
    while level:
        yield from (part for part in level if isinstance(part, str))
        yield from (key for part in level if isinstance(part, Mapping) for key in part)
        nested = (
            part.values() if isinstance(part, Mapping) else part for part in level if isinstance(part, Mapping | list)
        )
        level = [part for parts in nested for part in parts]


def stored_of_file(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of one's own that a file has, which were checked when they came."""
    return {
        key: value for key, value in entry.items() if key not in _FILE_FIELDS and not key.startswith(("dc:", "sp:"))
    }


def require_number(found: Mapping[str, Any] | list[Any]) -> None:
    """Raises Problem 409 for more than one object may have."""
    if len(found) > MOST:
        raise invalid({"extras": [Message("At most %(most)s extras are accepted", most=MOST)]})


def _require_length(text: str) -> None:
    if len(text) > LONGEST_TOGETHER:
        most = LONGEST_TOGETHER
        raise invalid({"extras": [Message("All extras together may have at most %(most)s characters", most=most)]})


def parsed(listed: Any, *, reserved: Collection[str] = ()) -> str:
    """The stored form of a list of ``{"key": …, "value": …}``: JSON, sorted by key. Entries with a true `deleted` are left out.

    :param reserved: keys that are fields of the object itself.
    :raises Problem: 409 with CKAN's fields `extras` or `extras_validation`.
    """
    if not isinstance(listed, list):
        raise invalid({"extras": ["Not a list"]})
    require_number(listed)
    errors = [_wrong(entry, reserved) for entry in listed]
    if any(errors):
        raise invalid({"extras": errors})
    living = [entry for entry in listed if not entry.get("deleted")]
    pairs = sorted((composed(as_text(entry["key"])), composed(as_text(entry["value"]))) for entry in living)
    for (key, _), (following, _) in pairwise(pairs):
        if key == following:
            raise invalid({"extras_validation": [f'Duplicate key "{key}"']})
    text = json.dumps([{"key": key, "value": value} for key, value in pairs], ensure_ascii=False)
    _require_length(text)
    return text


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
