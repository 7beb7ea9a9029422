"""Bounded reading of tables, as dcserv answers them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from .features import Array
from .parts import number_columns
from .texts import PIECE_BYTES


def columns(table: h5py.Dataset) -> list[str] | None:
    """→ names of the columns that are read, None for a table without names."""
    return None if table.dtype.names is None else number_columns(table)


def rows(table: h5py.Dataset) -> Iterator[list[Any]]:
    """Yield the rows of a table in pieces, as lists of JSON values; NaN and infinities become None.

    Numbers under column names are always floats: dclab's client views the parsed array as float64, so a table of JSON
    integers would arrive as garbage.
    """
    names = columns(table)
    row_bytes = max(1, table.dtype.itemsize * math.prod(table.shape[1:]))
    step = max(1, PIECE_BYTES // row_bytes)
    for start in range(0, len(table), step):
        yield plain_rows(_piece(table, start, start + step, names), names)


def _piece(table: h5py.Dataset, start: int, stop: int, names: list[str] | None) -> Array:
    if names is None or len(names) == len(table.dtype.names):
        return np.asarray(table[start:stop])
    # Columns of texts stay in the file: those of variable length may all point at one huge string.
    return np.asarray(table.fields(names)[start:stop])


def text_cells(table: h5py.Dataset) -> Iterator[str]:
    """Yield what is in the columns of texts, row by row."""
    names = [name for name in table.dtype.names or () if h5py.check_string_dtype(table.dtype[name]) is not None]
    for index in range(len(table)) if names else ():
        row = np.asarray(table.fields(names)[index : index + 1]).reshape(-1)[0]
        for name in names:
            value = row[name]
            yield value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def plain_rows(array: Array, names: list[str] | None) -> list[Any]:
    """→ rows as lists of JSON values. A compound row of shape (1,) is one row."""
    if names is None:
        return _finite(array)
    matrix = np.empty((len(array), len(names)))
    for number, name in enumerate(names):
        matrix[:, number] = array[name].reshape(len(array))
    return _finite(matrix)


def _finite(array: Array) -> list[Any]:
    if array.dtype.kind != "f":
        return list(array.tolist())
    array = array.astype(np.float64)
    finite = np.isfinite(array)
    if finite.all():
        return list(array.tolist())
    holes = array.astype(object)
    holes[~finite] = None
    return list(holes.tolist())
