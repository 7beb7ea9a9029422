"""Unusual but honest files: each has to give a right result or a clear reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

from tests.support.rtdc import die_while_writing, sound, sound_attributes

#: name → builder(path of the file to write, path of a secret file outside).
ODD: dict[str, Callable[[Path, Path], None]] = {}


def odd(builder: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    """Register a file."""
    ODD[builder.__name__] = builder
    return builder


@odd
def zero_events(path: Path, secret: Path) -> None:
    """A measurement that recorded nothing."""
    with h5py.File(path, "w") as h5:
        sound_attributes(h5, 0)
        for name in ("deform", "area_um"):
            h5["events"].create_dataset(name, shape=(0,), maxshape=(None,), dtype="f4", chunks=(10,))


@odd
def no_features(path: Path, secret: Path) -> None:
    """An empty group of events."""
    with h5py.File(path, "w") as h5:
        sound_attributes(h5, 0)


@odd
def all_nan(path: Path, secret: Path) -> None:
    """Features without any number."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/deform"][:] = np.nan
        h5["events/area_um"][:] = np.inf
        h5.attrs["setup:temperature"] = np.nan


@odd
def extreme_numbers(path: Path, secret: Path) -> None:
    """Numbers at the ends of the range."""
    sound(path)
    with h5py.File(path, "a") as h5:
        del h5["events/area_um"]
        h5["events/area_um"] = np.array([1.7e308, -1.7e308] * 6)
        h5["events/deform"][:] = 3.4e38


@odd
def wrong_event_count(path: Path, secret: Path) -> None:
    """The metadata count a million times too many events."""
    sound(path, attributes={"experiment:event count": 12_000_000_000})


@odd
def empty_attributes(path: Path, secret: Path) -> None:
    """Attributes without any value, where dclab expects a text, a number and a remark of the user."""
    sound(path)
    with h5py.File(path, "a") as h5:
        for name in ("setup:module name", "setup:temperature", "user:remark"):
            h5.attrs[name] = h5py.Empty("f8")
        h5["events/deform"].attrs["unit"] = h5py.Empty("S1")


@odd
def missing_events(path: Path, secret: Path) -> None:
    """One feature is shorter than the others."""
    sound(path)
    with h5py.File(path, "a") as h5:
        del h5["events/deform"]
        h5["events/deform"] = np.arange(7.0)


@odd
def shorter_masks(path: Path, secret: Path) -> None:
    """The camera stopped early."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/mask"].resize(9, axis=0)


@odd
def empty_masks(path: Path, secret: Path) -> None:
    """Masks without a pixel."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/mask"][3:6] = 0


@odd
def unicode_everywhere(path: Path, secret: Path) -> None:
    """Metadata and logs in several scripts."""
    logs = {"протокол": ["Grüße 细胞 ☃", "\u202eevil\u202c", "a" * 300], "log": ["ß" * 90]}
    sound(path, sample="Zelle ☃ 细胞 – Probe µ", extra_logs=logs)


@odd
def invalid_utf8_log(path: Path, secret: Path) -> None:
    """A log in Latin-1."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["logs"].create_dataset("latin", data=np.array([b"Gr\xfc\xdfe", b"\xff\xfe"], dtype="S20"))


@odd
def variable_length_log(path: Path, secret: Path) -> None:
    """An old log of variable-length strings."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["logs"].create_dataset("old", data=["one", "two " * 40, "drei ä"], dtype=h5py.string_dtype())


@odd
def long_log(path: Path, secret: Path) -> None:
    """More lines than an answer holds."""
    sound(path)
    with h5py.File(path, "a") as h5:
        lines = np.array([f"{index:090d}".encode() for index in range(90_000)], dtype="S100")
        h5["logs"].create_dataset("long", data=lines, chunks=(1000,), **hdf5plugin.Zstd(clevel=5))


@odd
def file_basin(path: Path, secret: Path) -> None:
    """A basin that names a file on the server, and one that names an address."""
    sound(path)
    with h5py.File(path, "a") as h5:
        for key, basin in {
            "b1": {"type": "file", "format": "hdf5", "paths": [str(secret), "/etc/passwd"], "features": ["image"]},
            "b2": {"type": "remote", "format": "http", "urls": ["http://127.0.0.1:1/x.rtdc"], "features": ["volume"]},
            "b3": {"type": "file", "format": "h5dataset", "paths": ["/etc/passwd"], "features": ["volume"]},
        }.items():
            text = json.dumps({"name": key, "mapping": "same", "identifier": "abc"} | basin, indent=2).split("\n")
            h5.create_dataset(f"basins/{key}", data=np.array([line.encode() for line in text], dtype="S200"))


@odd
def soft_link_inside(path: Path, secret: Path) -> None:
    """A harmless soft link to another feature."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/userdef0"] = h5py.SoftLink("/events/deform")


@odd
def unclosed_swmr(path: Path, secret: Path) -> None:
    """The recording program died while others were allowed to read along."""
    die_while_writing(path, swmr=True)
