"""Bounded reading of text datasets: logs and basin definitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py

from appliance.model.messages import Message

from .errors import RtdcError, shown

#: Largest piece read from a dataset at a time.
PIECE_BYTES = 1_000_000


class Budget:
    """Counts down the bytes that may still be taken."""

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


def lines(dataset: h5py.Dataset) -> Iterator[list[str]]:
    """Yield the lines of a text dataset in pieces; bytes that are no UTF-8 become U+FFFD.

    Raises RtdcError (`log`) when the dataset does not hold one-dimensional text.
    """
    if h5py.check_string_dtype(dataset.dtype) is None or dataset.ndim not in (0, 1):
        raise RtdcError("log", Message("'%(name)s' is not text.", name=shown(str(dataset.name))))
    if dataset.ndim == 0:
        yield [_text(dataset[()])]
        return
    # Elements of variable length may all point at one huge string: read them one by one.
    step = 1 if dataset.dtype.kind == "O" else max(1, PIECE_BYTES // max(1, dataset.dtype.itemsize))
    for start in range(0, len(dataset), step):
        yield [_text(value) for value in dataset[start : start + step]]


def read_lines(dataset: h5py.Dataset, budget: Budget) -> list[str]:
    """→ the lines of a text dataset as far as `budget` reaches. Raises RtdcError (`log`)."""
    kept: list[str] = []
    for piece in lines(dataset):
        for line in piece:
            if not budget.take(len(line) + 8):
                return kept
            kept.append(line)
    return kept


def _text(value: Any) -> str:
    if isinstance(value, str):  # h5py keeps undecodable bytes as surrogates
        value = value.encode("utf-8", "surrogateescape")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
