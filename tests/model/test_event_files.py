"""Headers of columns.bin and density.bin are read as something that an attacker may have written."""

from __future__ import annotations

import copy
import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.model import event_files
from appliance.model.csv_cells import inert

COLUMNS: dict[str, Any] = {
    "version": 1,
    "events": 4,
    "rows": 2,
    "subsampled": True,
    "columns": [
        {"name": "deform", "label": "Deformation", "unit": "", "offset": 0, "min": 0.1, "max": 0.2, "finite": 2},
        {"name": "area_um", "label": "Area", "unit": "µm²", "offset": 8, "min": None, "max": None, "finite": 0},
    ],
    "index": {"offset": 16, "dtype": "uint32"},
}
DENSITY: dict[str, Any] = {
    "version": 1,
    "bins": 2,
    "maps": [
        {"x": "area_um", "y": "deform", "x_label": "Area", "x_unit": "µm²", "x_min": 0.0, "x_max": 1.0, "y_label": "D",
         "y_unit": "", "y_min": 0, "y_max": 1, "log": False, "events": 3, "top": 2, "offset": 0}
    ],
}  # fmt: skip


def written(path: Path, magic: bytes, header: object, data: int = 24) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(magic + struct.pack("<I", len(text)) + text + bytes(data))
    return path


def columns(path: Path) -> event_files.ColumnsHeader:
    with path.open("rb") as file:
        return event_files.columns_header(file)


def density(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return event_files.density_header(file)


def test_a_right_header_is_understood(tmp_path: Path) -> None:
    found = columns(written(tmp_path / "c", event_files.COLUMNS_MAGIC, COLUMNS))
    assert (found.rows, found.events, found.subsampled) == (2, 4, True)
    assert [(one.name, one.finite, one.most) for one in found.columns] == [("deform", 2, 0.2), ("area_um", 0, 0.0)]
    assert found.columns[1].offset - found.columns[0].offset == 8
    assert density(written(tmp_path / "d", event_files.DENSITY_MAGIC, DENSITY))["bins"] == 2


@pytest.mark.parametrize("length", [0, 1 << 20, 0xFFFFFFFF])
def test_the_length_of_the_header_is_not_believed(tmp_path: Path, length: int) -> None:
    path = tmp_path / "columns.bin"
    path.write_bytes(event_files.COLUMNS_MAGIC + struct.pack("<I", length) + b"{}")
    with path.open("rb") as file:
        read: list[int] = []
        watched = io.FileIO(file.fileno(), closefd=False)
        watched.read = lambda size=-1: read.append(size) or file.read(size)  # type: ignore[method-assign,func-returns-value]
        with pytest.raises(ValueError, match="header"):
            event_files.columns_header(watched)  # type: ignore[arg-type]
    assert sum(read) < 1 << 20


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "formula": lambda h: h["columns"][0].update(name="=HYPERLINK(1)"),
    "line break": lambda h: h["columns"][0].update(name="a\r\nb"),
    "separator": lambda h: h["columns"][0].update(name="a,b"),
    "no text": lambda h: h["columns"][0].update(name=7),
    "twice": lambda h: h["columns"][1].update(name="deform"),
    "before the data": lambda h: h["columns"][0].update(offset=-4),
    "behind the end": lambda h: h["columns"][0].update(offset=20),
    "half an offset": lambda h: h["columns"][0].update(offset=0.5),
    "rows": lambda h: h.update(rows=1 << 40),
    "negative rows": lambda h: h.update(rows=-1),
    "more rows than events": lambda h: h.update(events=1),
    "true is no number": lambda h: h.update(rows=True),
    "no maximum": lambda h: h["columns"][0].update(max=None),
    "text as a maximum": lambda h: h["columns"][0].update(max="9"),
    "long label": lambda h: h["columns"][0].update(label="x" * 301),
    "control characters": lambda h: h["columns"][0].update(unit="\x1b[2J"),
    "columns": lambda h: h.update(columns={"deform": 1}),
    "column": lambda h: h.update(columns=[1]),
    "index": lambda h: h.update(index={"offset": 20, "dtype": "uint32"}),
    "version": lambda h: h.update(version=2),
    "many": lambda h: h.update(columns=h["columns"] * 3000),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_wrong_header_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    header = copy.deepcopy(COLUMNS)
    change(header)
    with pytest.raises(ValueError, match=r"\w"):
        columns(written(tmp_path / "columns.bin", event_files.COLUMNS_MAGIC, header))


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"version": NaN}', b"7", b"\xff", b'{"version": 1}'])
def test_what_is_no_header_is_refused(tmp_path: Path, text: bytes) -> None:
    for magic, read in ((event_files.COLUMNS_MAGIC, columns), (event_files.DENSITY_MAGIC, density)):
        with pytest.raises(ValueError, match=r"\w"):
            read(written(tmp_path / "file", magic, text))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["version", "events", "rows", "subsampled", "columns", "index", "column"]), _JSON)
def test_any_value_anywhere_is_taken_or_refused(tmp_path: Path, key: str, value: Any) -> None:
    """No other error gets out than the one that callers expect."""
    header = copy.deepcopy(COLUMNS)
    if key == "column":
        header["columns"][0] = value
    else:
        header[key] = value
    try:
        found = columns(written(tmp_path / "columns.bin", event_files.COLUMNS_MAGIC, header))
    except ValueError:
        return
    assert all(one.name.replace("_", "").isalnum() for one in found.columns)


def test_pictures_are_known_by_their_beginning(tmp_path: Path) -> None:
    for check, content in (
        (event_files.require_webp, b"RIFF\0\0\0\0WEBPVP8 "),
        (event_files.require_jpeg, b"\xff\xd8\xff\xe0"),
    ):
        path = tmp_path / "picture"
        path.write_bytes(content)
        with path.open("rb") as file:
            check(file)
        path.write_bytes(b"<svg onload=alert(1)>")
        with path.open("rb") as file, pytest.raises(ValueError, match="picture"):
            check(file)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "|cmd", "＝1"])
def test_a_cell_is_no_formula(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "deform", "2024-01-01", "a=b", 7, -1.5, None])
def test_other_cells_stay(value: object) -> None:
    assert inert(value) == value
