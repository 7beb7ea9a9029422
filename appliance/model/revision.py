"""The language of ``package_revise``: match, filter and update nested values by flattened keys.

A path is written ``resources__3a6f0__description``: in an object a part is a key; in a list it is an index (fewer than five
characters, negative counts from the end), the beginning of a member's ``id`` (five or more), or, as the last part,
``extend``. The grammar is an interface of CKAN 2.9+.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from appliance.model.problem import Problem, bad_request, invalid

_ID_PREFIX = 5
_MAX_DEPTH = 12
#: Patterns of one call, and characters of each: every part of the dataset is compared with all of them.
_MAX_PATTERNS, _LONGEST_PATTERN = 200, 200


def mismatches(pattern: Any, value: Any, path: str = "") -> list[str]:
    """Paths at which `value` differs from `pattern`; a list needs to match only as far as the pattern goes."""
    if isinstance(pattern, Mapping):
        if not isinstance(value, Mapping):
            return [path]
        return [
            found
            for key, part in pattern.items()
            for found in (mismatches(part, value[key], _join(path, key)) if key in value else [_join(path, key)])
        ]
    if isinstance(pattern, list):
        if not isinstance(value, list) or len(value) < len(pattern):
            return [path]
        return [found for i, part in enumerate(pattern) for found in mismatches(part, value[i], _join(path, str(i)))]
    return [] if pattern == value else [path]


def lookup(value: Any, key: str) -> Any:
    """What `key` (flattened) leads to in `value`. Raises Problem 409 for a path that leads nowhere."""
    parts = _parts(key)
    for part in parts:
        value = _child(value, part, key)
    return value


def merge(value: Any, update: Any) -> Any:
    """`value` deeply updated: objects by key, lists by position (surplus is appended), everything else replaced.

    Raises Problem 400 when an object meets a list.
    """
    if isinstance(update, Mapping):
        if not isinstance(value, Mapping):
            raise Problem(400, "Integrity Error", message="An object can only update an object.")
        return {
            **value,
            **{key: merge(value[key], part) if _nested(value.get(key), part) else part for key, part in update.items()},
        }
    if isinstance(update, list):
        if not isinstance(value, list):
            raise Problem(400, "Integrity Error", message="A list can only update a list.")
        both = [
            merge(value[i], part) if _nested(value[i], part) else part for i, part in enumerate(update[: len(value)])
        ]
        return both + value[len(both) :] + update[len(value) :]
    return update


def assign(value: Any, key: str, part: Any) -> None:
    """Set what the flattened `key` names in `value`, in place. Raises Problem 409 for a path that leads nowhere."""
    parts = _parts(key)
    for step in parts[:-1]:
        value = _child(value, step, key)
    last = parts[-1]
    if isinstance(value, list):
        if last == "extend":
            if not isinstance(part, list):
                raise Problem(400, "Integrity Error", message=f"{key} needs a list.")
            value.extend(part)
        else:
            position = _position(value, last, key)
            value[position] = merge(value[position], part) if _nested(value[position], part) else part
    elif isinstance(value, dict):
        value[last] = merge(value[last], part) if _nested(value.get(last), part) else part
    else:
        raise _unmatched(key)


def select(value: Any, patterns: list[str]) -> Any:
    """`value` without the parts that `patterns` remove.

    ``-a__b`` removes, ``+a`` protects, ``*`` stands for anything; the first matching pattern wins; ``id`` always survives.
    """
    if len(patterns) > _MAX_PATTERNS or any(len(pattern) > _LONGEST_PATTERN for pattern in patterns):
        raise bad_request(f"At most {_MAX_PATTERNS} patterns of {_LONGEST_PATTERN} characters are accepted.")
    rules = [
        (pattern[0] == "+", pattern[1:].split("__")) for pattern in patterns if pattern[:1] in "+-" and len(pattern) > 1
    ]
    if len(rules) != len(patterns):
        raise bad_request("Filter patterns begin with + or -.")
    return _select(value, rules, [])


#: One step of a path: every name that it can be given. A list's member has its position, counted from both ends, and its id.
_Step = tuple[str, ...]


def _select(value: Any, rules: list[tuple[bool, list[str]]], path: list[_Step]) -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, part in value.items():
            here = [*path, (key,)]
            if key == "id" or _keeps(rules, here):
                kept[key] = _select(part, rules, here)
        return kept
    if isinstance(value, list):
        members = [(part, [*path, _member(part, i, len(value))]) for i, part in enumerate(value)]
        return [_select(part, rules, here) for part, here in members if _keeps(rules, here)]
    return value


def _keeps(rules: list[tuple[bool, list[str]]], path: list[_Step]) -> bool:
    for keep, pattern in rules:
        if len(pattern) == len(path) and all(map(_matches, path, pattern)):
            return keep
        if keep and len(pattern) > len(path) and all(map(_matches, path, pattern[: len(path)])):
            return True  # something deeper is protected
    return True


def _matches(step: _Step, want: str) -> bool:
    return any(fnmatch.fnmatchcase(name, want) or (len(want) >= _ID_PREFIX and name.startswith(want)) for name in step)


def _member(part: Any, position: int, length: int) -> _Step:
    places = (str(position), str(position - length))
    return (*places, str(part["id"])) if isinstance(part, dict) and part.get("id") else places


def _nested(old: Any, new: Any) -> bool:
    return (isinstance(old, Mapping) and isinstance(new, (Mapping, list))) or (
        isinstance(old, list) and isinstance(new, (Mapping, list))
    )


def _parts(key: str) -> list[str]:
    parts = key.split("__")
    if len(parts) > _MAX_DEPTH:
        raise bad_request(f"{key[:80]}… is nested too deeply.")
    return parts


def _child(value: Any, part: str, key: str) -> Any:
    if isinstance(value, Mapping) and part in value:
        return value[part]
    if isinstance(value, list):
        return value[_position(value, part, key)]
    raise _unmatched(key)


def _position(value: list[Any], part: str, key: str) -> int:
    if len(part) < _ID_PREFIX:
        try:
            position = int(part)
            value[position]
        except (ValueError, IndexError) as error:
            raise _unmatched(key) from error
        return position
    for position, member in enumerate(value):
        if isinstance(member, Mapping) and str(member.get("id", "")).startswith(part):
            return position
    raise _unmatched(key)


def _unmatched(key: str) -> Problem:
    return invalid({key: [f"Unmatched key {key}"]})


def _join(path: str, key: str) -> str:
    return f"{path}__{key}" if path else key
