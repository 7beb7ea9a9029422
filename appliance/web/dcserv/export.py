"""The scalar features of a measurement in other formats, out of its ``columns.bin``: CSV, TSV, and FCS 3.1 for flow cytometry programs.

Everything is made piece by piece while it is sent, so that a million events cost no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.model import event_files

_ROWS = 4096  # rows made at once


class Columns:
    """An opened ``columns.bin``. Raises OSError, ValueError for a file that is none.

    :ivar names: features that have at least one value; `rows` events are in the file, of `events` in the measurement.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            header = event_files.columns_header(file)
        self.path = path
        self.rows, self.events, self.subsampled = header.rows, header.events, header.subsampled
        shown = [column for column in header.columns if column.finite]
        self.names = [column.name for column in shown]
        self.maxima = [column.most for column in shown]
        self._offsets = [column.offset for column in shown]

    def pieces(self) -> Iterator[Any]:
        """Arrays (rows, features) float32 of up to `_ROWS` rows each."""
        import numpy as np  # here, because the service starts without it

        if not self.rows:
            return
        maps = [
            np.memmap(self.path, dtype="<f4", mode="r", offset=offset, shape=(self.rows,)) for offset in self._offsets
        ]
        for start in range(0, self.rows, _ROWS):
            yield np.column_stack([one[start : start + _ROWS] for one in maps])


def text(columns: Columns, separator: str) -> Iterator[bytes]:
    """A header line of feature names, then one line per event; missing values are ``nan``."""
    if columns.subsampled:
        yield f"# {columns.rows} of {columns.events} events, evenly spaced\r\n".encode()
    yield (separator.join(columns.names) + "\r\n").encode()
    line = separator.join(["%.7g"] * len(columns.names)) + "\r\n"
    for piece in columns.pieces():
        yield "".join([line % tuple(row) for row in piece.tolist()]).encode()


def fcs(columns: Columns, name: str) -> Iterator[bytes]:
    """FCS 3.1, list mode, 32-bit floats."""
    yield _fcs_head(columns, name)
    for piece in columns.pieces():
        yield piece.tobytes()


def fcs_size(columns: Columns, name: str) -> int:
    """Length of the FCS file [bytes]."""
    return len(_fcs_head(columns, name)) + _data_size(columns)


def _data_size(columns: Columns) -> int:
    return 4 * columns.rows * len(columns.names)


def _fcs_head(columns: Columns, name: str) -> bytes:
    """HEADER and TEXT segments. Their size depends on numbers that are in them, so those have a fixed width."""
    keywords = {
        "$BEGINANALYSIS": "0", "$ENDANALYSIS": "0", "$BEGINSTEXT": "0", "$ENDSTEXT": "0",
        "$BYTEORD": "1,2,3,4", "$DATATYPE": "F", "$MODE": "L", "$NEXTDATA": "0", "$FIL": name,
        "$PAR": str(len(columns.names)), "$TOT": str(columns.rows),
    }  # fmt: skip
    for number, (feature, largest) in enumerate(zip(columns.names, columns.maxima, strict=True), 1):
        keywords |= {
            f"$P{number}B": "32",
            f"$P{number}E": "0,0",
            f"$P{number}N": feature,
            f"$P{number}R": f"{max(1.0, largest):.6g}",
        }
    begin = 256
    body = "/" + "".join(f"{key}/{_escaped(value)}/" for key, value in keywords.items())
    data = begin + len(body.encode()) + len("$BEGINDATA/000000000000/$ENDDATA/000000000000/")
    last = data + max(_data_size(columns), 1) - 1
    body += f"$BEGINDATA/{data:012d}/$ENDDATA/{last:012d}/"
    # offsets beyond eight digits are in the TEXT segment only, as the standard has it
    fits = last <= 99_999_999
    header = f"FCS3.1    {begin:8d}{data - 1:8d}{data if fits else 0:8d}{last if fits else 0:8d}{0:8d}{0:8d}"
    return header.ljust(begin).encode() + body.encode()


def _escaped(value: str) -> str:
    """The delimiter is doubled inside values; an empty value would look like that."""
    return value.replace("/", "//") or " "
