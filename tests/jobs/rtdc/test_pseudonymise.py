"""Pseudonymised copies: nothing that was planted anywhere in a file is in its copy, and every feature is equal to the bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dclab
import h5py
import numpy as np
import pytest

from appliance.jobs.rtdc import metadata, tasks
from tests.support.rtdc import sound
from tests.support.samples import measurements

NAME = "Kunigunde Zwackelmann"
WORDS = NAME.lower().split()
USER_BLOCK = 512

Plant = Callable[[h5py.File], Any]


def _attribute(key: str, value: Any = NAME, place: str = "/") -> Plant:
    return lambda h5: h5[place].attrs.__setitem__(key, value)


def _log(name: str, *lines: str) -> Plant:
    return lambda h5: h5.require_group("logs").create_dataset(name, data=np.array([one.encode() for one in lines]))


def _table(name: str, column: str, values: list[Any]) -> Plant:
    kind = h5py.string_dtype() if isinstance(values[0], str) else float
    rows = np.array([(1.0, one) for one in values], dtype=[("time", float), (column, kind)])
    return lambda h5: h5.require_group("tables").create_dataset(name, data=rows)


def _basin(**definition: Any) -> Plant:
    base = {"name": "n", "description": "", "type": "file", "format": "hdf5", "features": ["deform"], "mapping": "same"}
    lines = json.dumps(base | definition, indent=2).split("\n")
    return lambda h5: h5.require_group("basins").create_dataset("one", data=np.array([one.encode() for one in lines]))


def _internal(h5: h5py.File) -> None:
    count = len(h5["events/deform"])
    h5.create_dataset("basin_events/userdef1", data=np.arange(3.0))
    h5["events/basinmap0"] = np.arange(count, dtype="u8") % 3
    words = {"name": NAME, "description": NAME, "identifier": NAME, "paths": ["basin_events"], "features": ["userdef1"]}
    _basin(**words, type="internal", format="h5dataset", mapping="basinmap0")(h5)


def _names_of_values(h5: h5py.File) -> None:
    kind = h5py.enum_dtype({NAME: 1}, basetype="u1")
    h5["events"].create_dataset("userdef2", data=np.ones(len(h5["events/deform"]), "u1"), dtype=kind)


def _deleted(h5: h5py.File) -> None:
    h5["gone"] = np.frombuffer(NAME.encode() * 100, "u1")
    h5["after"] = np.zeros(1000)  # else the file would only become shorter
    h5.flush()
    del h5["gone"]


def _fill_value(h5: h5py.File) -> None:
    value = int.from_bytes(NAME.encode()[:8], "little")
    h5["events"].create_dataset("userdef4", data=np.zeros(len(h5["events/deform"]), "i8"), fillvalue=value)


#: Where a name may stand → how it is put there.
PLACES: dict[str, Plant] = {
    "sample": _attribute("experiment:sample"),
    "run identifier": _attribute("experiment:run identifier"),
    "date": _attribute("experiment:date"),
    "user's metadata": _attribute("user:operator"),
    "name of user's metadata": _attribute(f"user:{NAME}", 1.0),
    "chip": _attribute("setup:chip identifier"),
    "medium": _attribute("setup:medium"),
    "kept metadata": _attribute("setup:identifier"),
    "kept metadata, name in small letters": _attribute("fluorescence:channel 1 name", NAME.lower() + " cells"),
    "unknown key": _attribute("setup:patient"),
    "name of an unknown key": _attribute(f"setup:{NAME}", 4711),
    "unknown section": _attribute("clinic:patient"),
    "attribute without a section": _attribute("patient"),
    "list of texts": _attribute("setup:chip region", np.array([NAME, "b"], dtype=h5py.string_dtype())),
    "attribute of events": _attribute("by", NAME, "events"),
    "attribute of a feature": _attribute("by", NAME, "events/deform"),
    "text where a number is expected": _attribute("mean", NAME, "events/deform"),
    "attribute of images": _attribute("IMAGE_SUBCLASS", NAME, "events/image"),
    "log": _log("notes", f"measured by {NAME}"),
    "name of a log": _log(NAME, "x"),
    "kept log": _log("kept-log", f"operator {NAME} said so", f"C:\\Users\\{NAME}\\M1.rtdc"),
    "name of a kept log": _log(f"kept-{NAME}", "x"),
    "attribute of a kept log": lambda h5: (_log("kept-log", "x")(h5), _attribute("by", NAME, "logs/kept-log")(h5)),
    "table": _table("people", "who", [NAME]),
    "name of a table": _table(NAME, "x", [1.0]),
    "cells of a kept table": _table("kept-table", "who", [NAME]),
    "column of a kept table": _table("kept-table", NAME, [1.0]),
    "name of a kept table": _table(f"kept-{NAME}", "x", [1.0]),
    "path of a basin": _basin(paths=[f"/home/{NAME}/M1.rtdc"]),
    "address of a basin": _basin(type="remote", format="http", urls=[f"https://example.com/{NAME}"]),
    "words of a basin inside": _internal,
    "unknown feature": lambda h5: h5["events"].create_dataset(NAME, data=np.zeros(3)),
    "unknown trace": lambda h5: h5.require_group("events/trace").create_dataset(NAME, data=np.zeros((12, 3), "i2")),
    "other group": lambda h5: h5.create_dataset(f"private/{NAME}", data=NAME),
    "names of values of a type": _names_of_values,
    "deleted object": _deleted,
    "fill value": _fill_value,
    "named type": lambda h5: h5.__setitem__(NAME, np.dtype("f8")),
    "comment": lambda h5: h5py.h5o.set_comment(h5["events"].id, NAME.encode()),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound file that names nobody, behind a user block."""
    made = sound(tmp_path_factory.mktemp("plain") / "made.rtdc", fluorescence=True)
    path = made.with_name("plain.rtdc")
    with h5py.File(made) as source, h5py.File(path, "w", userblock_size=USER_BLOCK) as target:
        for name in source:
            source.copy(name, target)
        target.attrs.update(source.attrs)
    return path


@pytest.fixture
def copied(tmp_path: Path) -> Callable[..., tuple[Path, dict[str, Any]]]:
    """Make a copy of a file: (its path, what the task answers)."""

    def made(source: Path, **request: Any) -> tuple[Path, dict[str, Any]]:
        rules = {
            "sample": "sample 1", "run": "0123", "dates": "year", "write": True, "words": [],
            "keep": ["setup:identifier", "fluorescence:channel 1 name"], "logs": ["kept-*"], "tables": ["kept-*"],
        }  # fmt: skip
        answer = tasks.pseudonymise(rules | request, source, tmp_path)
        return tmp_path / "pseudonymised.rtdc", answer

    return made


def everything(path: Path) -> str:
    """All that somebody who has the file could read in it, in small letters: its bytes as they lie, and what is packed."""
    told = [path.read_bytes()]
    with h5py.File(path) as h5:
        told.append(h5py.h5o.get_comment(h5["events"].id, b"") or b"")
        for name, item in [("/", h5), *_objects(h5)]:
            told.append(name.encode())
            told += [f"{key} {value!r}".encode() for key, value in item.attrs.items()]
            if isinstance(item, h5py.Dataset):
                told += [
                    repr(item.dtype.metadata).encode(),
                    np.asarray(item.fillvalue).tobytes(),
                    np.asarray(item[()]).tobytes(),
                ]
                told += [repr(np.asarray(item[()]).tolist()).encode()] if item.dtype.kind in "SOV" else []
    return b"\n".join(told).decode("latin-1").lower()


def _objects(h5: h5py.File) -> Iterator[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    h5.visititems(lambda name, item: found.append((name, item)))
    return iter(found)


@pytest.mark.parametrize("place", PLACES)
def test_a_name_is_nowhere_in_the_copy(
    plain: Path, tmp_path: Path, copied: Callable[..., tuple[Path, dict[str, Any]]], place: str
) -> None:
    path = shutil.copy(plain, tmp_path / "planted.rtdc")
    with h5py.File(path, "r+") as h5:
        PLACES[place](h5)
    assert NAME.lower()[:8] in everything(Path(path))
    with h5py.File(path, "r+") as h5:
        h5.attrs["user:operator"] = NAME  # what must not stay is known from here
    copy, answer = copied(Path(path))
    left = everything(copy)
    assert not [word for word in (*WORDS, NAME.lower()[:8]) if word in left]
    assert answer["personal"] == []
    with dclab.new_dataset(copy) as dataset:
        assert len(dataset) == 12


def test_bytes_around_the_file_do_not_come_along(
    plain: Path, tmp_path: Path, copied: Callable[..., tuple[Path, dict[str, Any]]]
) -> None:
    content = bytearray(plain.read_bytes())
    content[: len(NAME)] = NAME.encode()
    path = tmp_path / "around.rtdc"
    path.write_bytes(bytes(content) + NAME.encode())
    copy, answer = copied(path)
    assert not [word for word in WORDS if word in everything(copy)]
    assert "user block" in [one["where"] for one in answer["changes"]]


def test_the_name_of_the_file_is_taken_out_of_what_stays(
    plain: Path, tmp_path: Path, copied: Callable[..., tuple[Path, dict[str, Any]]]
) -> None:
    path = shutil.copy(plain, tmp_path / "planted.rtdc")
    with h5py.File(path, "r+") as h5:
        _log("kept-log", f"{NAME} slept")(h5)
    copy, _ = copied(Path(path), words=[f"M1_{NAME.replace(' ', '_')}"])
    assert not [word for word in WORDS if word in everything(copy)]
    with h5py.File(copy) as h5:
        assert h5["logs/kept-log"][0] == b"[removed] [removed] slept"


@pytest.mark.parametrize("path", measurements(), ids=lambda path: path.stem)
def test_features_are_equal_to_the_bit(path: Path, copied: Callable[..., tuple[Path, dict[str, Any]]]) -> None:
    copy, answer = copied(path)
    assert answer["features"] > 0
    with dclab.new_dataset(path) as was, dclab.new_dataset(copy) as now:
        assert now.features_innate == was.features_innate
        assert now.features_scalar == was.features_scalar
        for name in was.features_innate:
            if name == "trace":
                assert sorted(now["trace"]) == sorted(was["trace"])
                pairs = [(was["trace"][one][:], now["trace"][one][:]) for one in was["trace"]]
            elif name == "contour":
                pairs = [(was["contour"][one], now["contour"][one]) for one in range(len(was))]
            else:
                pairs = [(was[name][:], now[name][:])]
            for one, other in pairs:
                assert one.dtype == other.dtype
                assert one.tobytes() == other.tobytes(), name
        assert now.config["imaging"]["pixel size"] == was.config["imaging"]["pixel size"]
        assert now.config["experiment"]["sample"] == "sample 1"


def test_features_of_a_basin_inside_stay(
    plain: Path, tmp_path: Path, copied: Callable[..., tuple[Path, dict[str, Any]]]
) -> None:
    path = shutil.copy(plain, tmp_path / "planted.rtdc")
    with h5py.File(path, "r+") as h5:
        _internal(h5)
    copy, _ = copied(Path(path))
    with dclab.new_dataset(copy) as dataset:
        assert dataset["userdef1"][:].tolist() == [0, 1, 2] * 4


@pytest.mark.parametrize(
    ("dates", "date", "time"),
    [("year", "2024-01-01", None), ("month", "2024-05-01", None), ("day", "2024-05-17", "10:04:03")],
)
def test_as_much_of_the_date_stays_as_the_rule_permits(
    plain: Path, copied: Callable[..., tuple[Path, dict[str, Any]]], dates: str, date: str, time: str | None
) -> None:
    copy, _ = copied(plain, dates=dates)
    with h5py.File(copy) as h5:
        assert (h5.attrs["experiment:date"], h5.attrs.get("experiment:time")) == (date, time)


def test_what_changes_is_told_before_and_nothing_is_written(
    plain: Path, tmp_path: Path, copied: Callable[..., tuple[Path, dict[str, Any]]]
) -> None:
    before = plain.read_bytes()
    copy, planned = copied(plain, write=False)
    assert not copy.exists()
    _, made = copied(plain)
    assert planned["changes"] == made["changes"]
    assert planned["kept"] == made["kept"]
    told = {one["where"]: (one["was"], one["becomes"]) for one in planned["changes"]}
    assert told["metadata experiment:date"] == ("2024-05-17", "2024-01-01")
    assert told["metadata experiment:sample"][1] == "sample 1"
    assert plain.read_bytes() == before


def test_the_copy_is_a_measurement_that_our_jobs_take(
    plain: Path, copied: Callable[..., tuple[Path, dict[str, Any]]]
) -> None:
    copy, _ = copied(plain)
    assert metadata.extract(copy)["integrity"]["sanity_errors"] == metadata.extract(plain)["integrity"]["sanity_errors"]


@pytest.mark.parametrize(
    "line",
    [
        f"{'x ' * 2050}zwackelmann@clinic.example",
        " ".join([*["@"] * 25, "zwackelmann@clinic.example"]),
        f"a@{'.'.join(['b' * 30] * 4)}.zwackelmann",
    ],
    ids=["behind what is searched", "after many signs", "longer than what is told"],
)
def test_a_line_that_cannot_be_searched_whole_does_not_stay(
    plain: Path, tmp_path: Path, copied: Callable[..., tuple[Path, dict[str, Any]]], line: str
) -> None:
    path = shutil.copy(plain, tmp_path / "planted.rtdc")
    with h5py.File(path, "r+") as h5:
        _log("kept-log", line, "pump on")(h5)
    copy, _ = copied(Path(path))
    assert "zwackelmann" not in everything(copy)
    with h5py.File(copy) as h5:
        assert h5["logs/kept-log"][:].tolist() == [b"[removed]", b"pump on"]


def test_names_of_two_letters_are_taken_out_as_whole_words(
    plain: Path, tmp_path: Path, copied: Callable[..., tuple[Path, dict[str, Any]]]
) -> None:
    path = shutil.copy(plain, tmp_path / "planted.rtdc")
    with h5py.File(path, "r+") as h5:
        h5.attrs["experiment:sample"] = "blood Xu"
        h5.attrs["user:state"] = "on"
        _log("kept-log", "Li and XU said: Limit 5, pump on, wu_2")(h5)
    copy, _ = copied(Path(path), words=["Wu Li"])
    with h5py.File(copy) as h5:
        assert h5["logs/kept-log"][0] == b"[removed] and [removed] said: Limit 5, pump on, [removed]_2"
