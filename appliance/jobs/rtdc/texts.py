"""Bounded reading of text and table datasets (logs, basin definitions, tables)."""

from __future__ import annotations

import math
from typing import Any

import h5py
import numpy as np

from .errors import RtdcError

#: All logs and all tables of a file together may take this many bytes of JSON in an answer.
ANSWER_BYTES = 5_000_000
#: Largest piece read from a dataset at a time.
PIECE_BYTES = 1_000_000


class Budget:
    """Counts down the bytes that may still be put into an answer."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.cut = False

    def take(self, size: int) -> bool:
        """→ whether `size` bytes were still free (they are taken then)."""
        if size > self.left:
            self.cut = True
            return False
        self.left -= size
        return True


def read_lines(dataset: h5py.Dataset, budget: Budget) -> list[str]:
    """→ the lines of a text dataset as far as `budget` reaches; invalid UTF-8 becomes U+FFFD.

    Raises RtdcError (`log`) when the dataset does not hold one-dimensional text.
    """
    if h5py.check_string_dtype(dataset.dtype) is None or dataset.ndim not in (0, 1):
        raise RtdcError("log", f"'{_shown(dataset.name)}' is not a text.")
    if dataset.ndim == 0:
        value = dataset[()]
        return _kept([value], budget)
    variable = dataset.dtype.kind == "O"
    # Elements of variable length may all point at one huge string: read them one by one.
    step = 1 if variable else max(1, PIECE_BYTES // max(1, dataset.dtype.itemsize))
    lines: list[str] = []
    for start in range(0, len(dataset), step):
        piece = dataset[start : start + step]
        kept = _kept(list(piece), budget)
        lines.extend(kept)
        if len(kept) < len(piece):
            break
    return lines


def _kept(values: list[Any], budget: Budget) -> list[str]:
    lines: list[str] = []
    for value in values:
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        if not budget.take(len(text) + 8):
            break
        lines.append(text)
    return lines


def read_logs(h5: h5py.File, budget: Budget) -> dict[str, list[str]]:
    """→ {log name: lines} of all logs that are not empty, in name order, as far as `budget` reaches."""
    group = h5.get("logs")
    if not isinstance(group, h5py.Group):
        return {}
    logs: dict[str, list[str]] = {}
    for name in sorted(group):
        dataset = group[name]
        if isinstance(dataset, h5py.Dataset) and dataset.size and budget.take(len(name) + 8):
            logs[name] = read_lines(dataset, budget)
    return logs


def read_tables(h5: h5py.File, budget: Budget) -> dict[str, list[Any]]:
    """→ {table name: [column names or None, rows]} as dcserv answers it; NaN and infinities become None."""
    group = h5.get("tables")
    if not isinstance(group, h5py.Group):
        return {}
    tables: dict[str, list[Any]] = {}
    for name in sorted(group):
        dataset = group[name]
        if isinstance(dataset, h5py.Dataset) and dataset.size and budget.take(len(name) + 16):
            names = dataset.dtype.names
            tables[name] = [list(names) if names else None, _rows(dataset, budget)]
    return tables


def _rows(dataset: h5py.Dataset, budget: Budget) -> list[Any]:
    if dataset.dtype.hasobject:
        raise RtdcError("table", f"The table '{_shown(dataset.name)}' holds something that is not a number.")
    row_bytes = max(1, dataset.dtype.itemsize * math.prod(dataset.shape[1:]))
    step = max(1, PIECE_BYTES // row_bytes)
    rows: list[Any] = []
    for start in range(0, len(dataset), step) if dataset.ndim else []:
        for row in plain_rows(dataset[start : start + step]):
            if not budget.take(_json_size(row)):
                return rows
            rows.append(row)
    return rows


def plain_rows(array: np.ndarray[Any, Any]) -> list[Any]:
    """→ rows of a table as lists of JSON values.

    A compound row of shape (1,) is one row. Numbers under column names are always floats: dclab's client views the
    parsed array as float64, so a table of JSON integers would arrive as garbage.
    """
    if array.dtype.names:
        columns = [np.asarray(array[name]).reshape(len(array), -1) for name in array.dtype.names]
        columns = [column.astype(float) if column.dtype.kind in "biu" else column for column in columns]
        return [[_plain(value) for column in columns for value in column[index]] for index in range(len(array))]
    return [_plain(row) for row in array]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return str(value)


def _json_size(row: Any) -> int:
    if isinstance(row, list):
        return 2 + sum(_json_size(item) for item in row)
    return len(str(row)) + 2


def _shown(name: str | None) -> str:
    return "".join(char if char.isprintable() else "?" for char in (name or "")).rsplit("/", 1)[-1][:80]
