"""Logs and tables of a file: whole as JSON files for dcserv, and their first part for the catalogue and the pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import h5py

from appliance.model.messages import Message

from . import tables, texts
from .errors import RtdcError, shown
from .opening import SafeRTDC
from .parts import Parts

FILES = {"logs": "logs.json", "tables": "tables.json"}
#: Most bytes of JSON of all logs, and of all tables, that dcserv sends.
WHOLE_BYTES = {"logs": 128_000_000, "tables": 128_000_000}
#: Most bytes of all logs, and of all tables, that the catalogue keeps besides.
KEPT_BYTES = 1_000_000
#: Most rows of one table that the catalogue keeps, when it does not keep all.
KEPT_ROWS = 200

Pieces = Callable[[h5py.Dataset], Iterator[list[Any]]]
Heads = Callable[[h5py.Dataset], Any]


def logs(dataset: SafeRTDC, scratch: Path | None) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """→ ({name: lines} as far as the catalogue keeps them, what `_collect` says). Writes `logs.json` if that is not all."""
    kept, facts = _collect("logs", dataset, dataset.parts.logs, texts.lines, lambda _log: None, scratch)
    return {name: found for name, (_head, found) in kept.items()}, facts


def table_rows(dataset: SafeRTDC, scratch: Path | None) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """→ ({name: [column names or None, rows]} as far as the catalogue keeps them, what `_collect` says)."""
    kept, facts = _collect("tables", dataset, dataset.parts.tables, tables.rows, tables.columns, scratch)
    return {name: [head, found] for name, (head, found) in kept.items()}, facts


def _collect(
    kind: str, dataset: SafeRTDC, names: list[str], pieces: Pieces, head: Heads, scratch: Path | None
) -> tuple[dict[str, tuple[Any, list[Any]]], dict[str, Any]]:
    """→ (what the catalogue keeps, {lengths: {name: entries}, whole: is that all?, over: bytes of the bound that it breaks | None})."""
    group = dataset.h5file.get(kind)
    share = KEPT_BYTES // max(1, len(names))
    kept: dict[str, tuple[Any, list[Any]]] = {}
    lengths: dict[str, int] = {}
    whole = True
    with ExitStack() as stack:
        writer = _Writer(stack, scratch / FILES[kind] if scratch else None, WHOLE_BYTES[kind], tabular=kind == "tables")
        for name in names:
            source = group[name]
            first = _First(share)
            try:
                for piece in writer.section(name, head(source), pieces(source)):
                    first.take(piece)
            except (OSError, RuntimeError, ValueError, TypeError, RtdcError):
                _unreadable(dataset.parts, dataset.notes, kind, name)
                writer.forget()
                continue
            kept[name] = head(source), first.entries(kind)
            lengths[name] = first.length
            whole = whole and len(kept[name][1]) == first.length
        over = writer.finish(needed=not whole)
    return kept, {"lengths": lengths, "whole": whole, "over": over}


def _unreadable(parts: Parts, notes: list[str], kind: str, name: str) -> None:
    """A part whose header is sound but whose data are not."""
    (parts.logs if kind == "logs" else parts.tables).remove(name)
    what = "log" if kind == "logs" else "table"
    notes.append(Message("The %(what)s '%(name)s' was left out: its data are damaged.", what=what, name=shown(name)))


class _First:
    """Keeps the first entries of a log or a table up to a number of bytes, and counts all."""

    def __init__(self, most: int) -> None:
        self.length = 0
        self._budget = texts.Budget(most)
        self._kept: list[Any] = []

    def take(self, piece: list[Any]) -> None:
        """Count a piece, and keep what there is room for."""
        self.length += len(piece)
        if self._budget.cut:
            return
        for entry in piece:
            if not self._budget.take(len(entry) + 8 if isinstance(entry, str) else len(str(entry)) + 2):
                return
            self._kept.append(entry)

    def entries(self, kind: str) -> list[Any]:
        """→ what is kept; of a long table not more than pages show."""
        return self._kept[:KEPT_ROWS] if kind == "tables" and self.length > len(self._kept) else self._kept


class _Writer:
    """Writes one JSON object member by member, piece by piece, and stops at a bound; the file goes when nobody needs it."""

    def __init__(self, stack: ExitStack, path: Path | None, most: int, *, tabular: bool) -> None:
        self._path, self._most, self._tabular = path, most, tabular
        self._file: IO[bytes] | None = stack.enter_context(path.open("wb+")) if path else None
        self._start = 0
        self._over = False
        self._put(b"{")

    def section(self, name: str, head: Any, pieces: Iterable[list[Any]]) -> Iterator[list[Any]]:
        """Write a member while its `pieces` are passed on."""
        self._start = self._file.tell() if self._file else 0
        self._put((b", " if self._start > 1 else b"") + _json(name) + b": [")
        if self._tabular:
            self._put(_json(head) + b", [")
        first = True
        for piece in pieces:
            if piece:
                self._put((b"" if first else b", ") + _json(piece)[1:-1])
                first = False
            yield piece
        self._put(b"]]" if self._tabular else b"]")

    def forget(self) -> None:
        """Take the member back that failed."""
        if self._file is not None:
            self._file.seek(self._start)
            self._file.truncate()

    def finish(self, *, needed: bool) -> int | None:
        """Close the object. → the bound, if it is larger than that."""
        self._put(b"}")
        if self._file is None or self._path is None:
            return None
        if self._over or not needed:
            self._file.seek(0)
            self._file.truncate()  # an output that is empty counts as none
        self._file.flush()
        return self._most if self._over and needed else None

    def _put(self, data: bytes) -> None:
        if self._file is None or self._over:
            return
        if self._file.tell() + len(data) > self._most:
            self._over = True
        else:
            self._file.write(data)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
