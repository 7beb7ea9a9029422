"""The headers of the files that a preview job leaves, read as untrusted input.

The formats are described in `jobs.rtdc.preview.binary`. Whatever is not exactly as it should be raises ValueError, before it is
stored and whenever it is read; nothing is corrected.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
from dataclasses import dataclass
from typing import IO, Any

COLUMNS_MAGIC = b"DCORCOL1"
DENSITY_MAGIC = b"DCORDEN1"

_MOST_HEADER = 1 << 20
_MOST_COLUMNS = 5000
_MOST_ROWS = 1 << 24
_MOST_EVENTS = 1 << 40
_MOST_BINS = 4096
_MOST_MAPS = 200
_FEATURE = re.compile(r"[A-Za-z0-9_]{1,100}")


@dataclass(frozen=True)
class Column:
    """One feature. :ivar offset: of its first value in the file [bytes]; :ivar finite: number of values; :ivar most: the largest, 0 without any."""

    name: str
    offset: int
    finite: int
    most: float


@dataclass(frozen=True)
class ColumnsHeader:
    """The header of ``columns.bin``. :ivar rows: events in the file, of `events` in the measurement."""

    rows: int
    events: int
    subsampled: bool
    columns: tuple[Column, ...]


def columns_header(file: IO[bytes]) -> ColumnsHeader:
    """The checked header of an open ``columns.bin``. Raises ValueError."""
    header, data, size = _header(file, COLUMNS_MAGIC)
    rows, events = _count(header, "rows", _MOST_ROWS), _count(header, "events", _MOST_EVENTS)
    if rows > events or not isinstance(header.get("subsampled"), bool):
        raise ValueError("the number of rows is wrong")
    described = _objects(header, "columns", _MOST_COLUMNS)
    columns = tuple(_column(one, rows, data, size) for one in described)
    if len({column.name for column in columns}) != len(columns):
        raise ValueError("a feature stands there twice")
    index = header.get("index")
    if index is not None:
        if not isinstance(index, dict) or index.get("dtype") != "uint32":
            raise ValueError("the index is wrong")
        _require_inside(index, 4 * rows, data, size)
    return ColumnsHeader(rows, events, header["subsampled"], columns)


def columns_index(file: IO[bytes]) -> tuple[int, ...] | None:
    """Numbers of the events (from 0) in the rows of an open ``columns.bin``; None where they are all there. Raises ValueError."""
    columns = columns_header(file)
    header, data, _size = _header(file, COLUMNS_MAGIC)
    if header.get("index") is None:
        return None
    file.seek(data + header["index"]["offset"])
    return struct.unpack(f"<{columns.rows}I", file.read(4 * columns.rows))


def density_header(file: IO[bytes]) -> dict[str, Any]:
    """The checked header of an open ``density.bin``. Raises ValueError."""
    header, data, size = _header(file, DENSITY_MAGIC)
    bins = _count(header, "bins", _MOST_BINS)
    for one in _objects(header, "maps", _MOST_MAPS):
        for axis in ("x", "y"):
            _feature(one.get(axis))
            for bound in ("min", "max"):
                _number(one.get(f"{axis}_{bound}"))
            for text in ("label", "unit"):
                _text(one.get(f"{axis}_{text}"))
        _require_inside(one, 2 * bins * bins, data, size)
    return header


def require_webp(file: IO[bytes]) -> None:
    """Raises ValueError when an open file does not begin as a WebP picture does."""
    head = _begin(file, 12)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        raise ValueError("this is no WebP picture")


def require_jpeg(file: IO[bytes]) -> None:
    """Raises ValueError when an open file does not begin as a JPEG picture does."""
    if _begin(file, 3) != b"\xff\xd8\xff":
        raise ValueError("this is no JPEG picture")


def _header(file: IO[bytes], magic: bytes) -> tuple[dict[str, Any], int, int]:
    """→ header, where the data begin, size of the file [bytes]."""
    size = os.fstat(file.fileno()).st_size
    head = _begin(file, 12)
    if len(head) < 12 or head[:8] != magic:
        raise ValueError("it begins with something else")
    (length,) = struct.unpack("<I", head[8:])
    if not 0 < length <= min(_MOST_HEADER, size - 12):
        raise ValueError("its header is too long")
    try:
        header = json.loads(file.read(length), parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("its header is nested") from error
    if not isinstance(header, dict) or header.get("version") != 1:
        raise ValueError("its header is not of version 1")
    return header, 12 + length, size


def _column(one: dict[str, Any], rows: int, data: int, size: int) -> Column:
    for text in ("label", "unit"):
        _text(one.get(text))
    finite = _count(one, "finite", rows)
    limits = [_number(one.get(key)) if finite else 0.0 for key in ("min", "max")]
    return Column(_feature(one.get("name")), _require_inside(one, 4 * rows, data, size), finite, limits[1])


def _require_inside(one: dict[str, Any], length: int, data: int, size: int) -> int:
    offset = _count(one, "offset", size)
    if data + offset + length > size:
        raise ValueError("it is cut off")
    return data + offset


def _begin(file: IO[bytes], count: int) -> bytes:
    file.seek(0)
    return file.read(count)


def _objects(header: dict[str, Any], key: str, most: int) -> list[dict[str, Any]]:
    found = header.get(key)
    if not isinstance(found, list) or len(found) > most or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"its list of {key} is wrong")
    return found


def _count(values: dict[str, Any], key: str, most: int) -> int:
    found = values.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= most:
        raise ValueError(f"its number '{key}' is wrong")
    return found


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("a limit is not a number")
    return float(value)


def _feature(name: Any) -> str:
    if not isinstance(name, str) or not _FEATURE.fullmatch(name):
        raise ValueError("a feature has an impossible name")
    return name


def _text(value: Any) -> None:
    if not isinstance(value, str) or len(value) > 300 or not (value.isprintable() or not value):
        raise ValueError("a label is not a short text")


def _no_number(_text: str) -> float:
    raise ValueError("a number is not finite")
