"""Estimates of the memory used by a value, for limits on caches."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Mapping, Set
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

_PLAIN = (str, bytes, bytearray, int, float, bool, type(None))


def size_of(value: Any) -> int:
    """Bytes of `value` including everything it contains; an object contained twice is counted twice.

    Supports texts, numbers, containers, rows, arrays, paths and dataclasses. Raises TypeError for anything else, so that every
    cached value is counted.
    """
    size = sys.getsizeof(value)
    if isinstance(value, _PLAIN):
        return size
    if isinstance(value, MappingProxyType):
        return size + size_of(value.copy())
    if isinstance(value, Mapping):
        return size + sum(size_of(key) + size_of(item) for key, item in value.items())
    if isinstance(value, sqlite3.Row | list | tuple | Set):
        return size + _sum(value)
    if is_dataclass(value) and not isinstance(value, type):
        return size + _sum(getattr(value, field.name) for field in fields(value))
    if isinstance(value, PurePath):
        return size + 4 * sys.getsizeof(str(value))  # its string and its parts
    if hasattr(value, "nbytes"):  # an array, some of which own their bytes
        return max(size, int(value.nbytes) + 128)
    raise TypeError(f"the size of a {type(value).__name__} is not known")


def _sum(values: Iterable[Any]) -> int:
    return sum(map(size_of, values))
