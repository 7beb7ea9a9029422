"""The two binary formats that the explorer in the browser reads.

Both files are: 8 bytes magic, uint32 little endian length of the header, header (JSON, UTF-8, padded with spaces so that
the data start at a multiple of 8), data. Every `offset` in the header counts from the start of the data.

`columns.bin` (magic `DCORCOL1`): header {version, events, rows, subsampled, columns: [{name, label, unit, offset, min,
max, finite}], index: {offset, dtype} | null, data_start}. Each column is `rows` float32 little endian; NaN = no value.
When the measurement has more than a million events, evenly spaced ones are taken and `index` (uint32) holds their
numbers (from 0). A client reads the header first and then the byte ranges of the columns it shows.

`density.bin` (magic `DCORDEN1`): header {version, bins, maps: [{x, y, x_label, …, x_min, x_max, log, events, top,
offset}], data_start}; each map is bins × bins uint16 counts (clipped at 65535), rows from small to large y.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from .. import features
from ..features import Array
from .density import PAIRS, histogram, limits

COLUMNS_MAGIC = b"DCORCOL1"
DENSITY_MAGIC = b"DCORDEN1"
BINS = 128


def write_columns(path: Path, columns: dict[str, Array], events: int, rows: Array | None = None) -> dict[str, Any]:
    """Write `columns.bin`. → its header. `rows`: numbers of the events in `columns` when these are not all `events`."""
    count = events if rows is None else len(rows)
    described = []
    size = 4 * count
    for position, name in enumerate(sorted(columns)):
        bare, unit = features.label(name)
        part = _float32(columns[name])
        finite = part[np.isfinite(part)]
        described.append(
            {
                "name": name,
                "label": bare,
                "unit": unit,
                "offset": position * size,
                "min": float(finite.min()) if finite.size else None,
                "max": float(finite.max()) if finite.size else None,
                "finite": int(finite.size),
            }
        )
    index = None if rows is None else {"offset": len(described) * size, "dtype": "uint32"}
    header: dict[str, Any] = {"version": 1, "events": events, "rows": count, "subsampled": rows is not None}
    header |= {"columns": described, "index": index}
    with path.open("wb") as file:
        file.write(_head(COLUMNS_MAGIC, header))
        for name in sorted(columns):
            file.write(_float32(columns[name]).tobytes())
        if rows is not None:
            file.write(rows.astype("<u4").tobytes())
    return header


def write_density(path: Path, columns: dict[str, Array]) -> dict[str, Any]:
    """Write `density.bin` for the pairs of which both features exist. → its header."""
    maps: list[dict[str, Any]] = []
    data: list[bytes] = []
    for x_name, y_name, logarithmic in PAIRS:
        if x_name not in columns or y_name not in columns:
            continue
        x, y = (np.asarray(columns[name], dtype=np.float64) for name in (x_name, y_name))
        x_range = limits(x, logarithmic=logarithmic, share=0.001)
        y_range = limits(y, logarithmic=logarithmic, share=0.001)
        if x_range is None or y_range is None:
            continue
        counts = histogram(x, y, x_range, y_range, BINS)
        entry: dict[str, Any] = {"x": x_name, "y": y_name, "log": logarithmic}
        for axis, name, limit in (("x", x_name, x_range), ("y", y_name, y_range)):
            bare, unit = features.label(name)
            entry |= {f"{axis}_label": bare, f"{axis}_unit": unit, f"{axis}_min": limit.low, f"{axis}_max": limit.high}
        maps.append(
            entry | {"events": int(counts.sum()), "top": int(counts.max()), "offset": len(maps) * BINS * BINS * 2}
        )
        data.append(np.minimum(counts, 65535).astype("<u2").tobytes())
    header = {"version": 1, "bins": BINS, "maps": maps}
    path.write_bytes(_head(DENSITY_MAGIC, header) + b"".join(data))
    return header


def read_header(data: bytes) -> dict[str, Any]:
    """→ header of either format from the first bytes of a file. Raises ValueError for foreign or cut data."""
    if data[:8] not in (COLUMNS_MAGIC, DENSITY_MAGIC) or len(data) < 12:
        raise ValueError("This is not a columns or density file.")
    (length,) = struct.unpack("<I", data[8:12])
    if len(data) < 12 + length:
        raise ValueError("The header is cut.")
    header = json.loads(data[12 : 12 + length])
    if not isinstance(header, dict):
        raise ValueError("The header is not an object.")
    return header | {"data_start": 12 + length}


def _float32(values: Array) -> Array:
    with np.errstate(over="ignore"):
        return values.astype("<f4")


def _head(magic: bytes, header: dict[str, Any]) -> bytes:
    text = json.dumps(header, ensure_ascii=False, allow_nan=False).encode()
    # 12 bytes precede the text; the data start at a multiple of 8.
    text += b" " * (-(12 + len(text)) % 8)
    return magic + struct.pack("<I", len(text)) + text
