"""Odd files of the kinds that laboratories have: each with its public source, and what of it cannot be read.

`FIELD` maps a name to a `Field`; `lost` lists the parts that are left out with a remark ("feature deform", "log x"), everything
else has to be read as dclab reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

from tests.support.rtdc import sound

EVENTS = 12
Change = Callable[[h5py.File], None]


@dataclass(frozen=True)
class Field:
    """One kind of file. :ivar dclab: does dclab 0.73.4 open and read it at all?"""

    build: Callable[[Path], None]
    source: str
    lost: frozenset[str]
    dclab: bool


FIELD: dict[str, Field] = {}


def field(source: str, *lost: str, dclab: bool = True, **options: object) -> Callable[[Change], Change]:
    """Register a change of a small sound file. `options`: of `rtdc.sound`."""

    def register(change: Change) -> Change:
        def build(path: Path) -> None:
            sound(path, events=EVENTS, **options)
            with h5py.File(path, "a") as h5:
                change(h5)

        FIELD[change.__name__] = Field(build, source, frozenset(lost), dclab)
        return change

    return register


def replace(h5: h5py.File, name: str, data: object, **options: object) -> h5py.Dataset:
    """Put other data in the place of a dataset."""
    if name in h5:
        del h5[name]
    return h5.create_dataset(name, data=data, **options)


# Long and many (truncation)


@field("dclab changelog 0.64.0 and 0.67.5 (#287): tables of DCOR resources timed out")
def long_table(h5: h5py.File) -> None:
    table = np.zeros(60_000, dtype=[(f"c{n}", "f8") for n in range(6)])
    table["c0"] = np.arange(60_000)
    table["c5"][::7] = np.nan
    h5.create_dataset("tables/src_monitor", data=table, **hdf5plugin.Zstd(clevel=5))


@field("DCscope #157: every export adds a log, and all of them grow")
def log_of_120_000_lines(h5: h5py.File) -> None:
    lines = np.array([f"{n:090d}".encode() for n in range(120_000)], dtype="S90")
    h5.create_dataset("logs/long", data=lines, **hdf5plugin.Zstd(clevel=5))
    h5["tables/short"] = np.array([(1.0, 2)], dtype=[("x", "f8"), ("n", "i4")])


@field("DCscope #157: hundreds of logs of chained exports")
def many_logs(h5: h5py.File) -> None:
    for number in range(300):
        h5[f"logs/so2exp_{number}"] = np.array([f"line {n} of {number}".encode() for n in range(40)])


@field("dclab #124: metadata that a laboratory adds itself", "metadata user:nothing")
def long_values(h5: h5py.File) -> None:
    h5.attrs.create("user:protocol", "x" * 50_000, dtype=h5py.string_dtype())
    h5.attrs["experiment:sample"] = "cells " * 8_000
    h5.attrs["user:calibration"] = np.arange(7_000.0)
    h5.attrs["user:nothing"] = np.nan


# Compresses well


@field("warehouse #13962: a limit on the ratio refuses sound files")
def masks_compress_well(h5: h5py.File) -> None:
    for name in ("image", "image_bg"):
        del h5[f"events/{name}"]
    shape = (EVENTS, 1024, 1280)
    mask = np.zeros(shape, np.uint8)
    mask[:, 500:530, 600:640] = 255
    replace(h5, "events/mask", mask, chunks=(4, 1024, 1280), **hdf5plugin.Zstd(clevel=5))
    h5.attrs["imaging:roi size x"], h5.attrs["imaging:roi size y"] = 1280, 1024


@field("xberg #1499: the same; a background that was never recorded is all one grey")
def constant_background(h5: h5py.File) -> None:
    shape = h5["events/image"].shape
    replace(h5, "events/image_bg", np.full(shape, 120, np.uint8), chunks=shape, compression="gzip")
    h5.create_dataset("tables/zeros", data=np.zeros(200_000), compression="gzip", chunks=(200_000,))


# Objects that no job reads


@field("HDFGroup/hdf5 #6200, h5netcdf #39: dimension scales store references in attributes")
def dimension_scales(h5: h5py.File) -> None:
    h5["events/frame"].make_scale("frame")
    h5["events/deform"].dims[0].attach_scale(h5["events/frame"])
    h5["events/image"].dims[0].label = "event"


@field("DCOR-Aid #55, dclab #143 and #162: data of plugins and laboratories travel in the same file")
def own_group(h5: h5py.File) -> None:
    ragged = h5.create_dataset("my_lab/ragged", shape=(2,), dtype=h5py.vlen_dtype(np.int32))
    ragged[0], ragged[1] = [1, 2], [3]
    h5["my_lab/stack"] = np.zeros((2, 2, 2, 2, 2))
    h5["my_lab/records"] = np.zeros(2, dtype=[("p", [("x", "f8"), ("y", "f8")]), ("t", "f8")])
    h5.create_dataset("my_lab/refs", data=[h5["events"].ref], dtype=h5py.ref_dtype)
    h5.create_dataset("my_lab/" + "/".join("abcdefghijklmnop"), data=1)
    h5["my_lab"].attrs["scheme"] = np.zeros((2, 3, 4, 5, 6))
    h5["my_lab/type"] = np.dtype([("a", "f8")])


@field("pandas #20523: a soft link breaks the listing of a store")
def soft_links(h5: h5py.File) -> None:
    h5["my_lab/x"] = np.arange(3)
    h5["shortcut"] = h5py.SoftLink("/my_lab")
    h5["nowhere"] = h5py.SoftLink("/not/there")
    h5["events/userdef1"] = h5py.SoftLink("/events/deform")


@field("h5py #336: broken soft links are found in groups", "feature userdef2")
def broken_soft_link_of_a_feature(h5: h5py.File) -> None:
    h5["events/userdef2"] = h5py.SoftLink("/not/there")


@field("h5py #213: members of linked groups")
def the_events_lie_behind_a_soft_link(h5: h5py.File) -> None:
    h5.move("events", "original_events")
    h5["events"] = h5py.SoftLink("/original_events")


@field("rbms #21: hard links kept for older readers")
def second_hard_links(h5: h5py.File) -> None:
    h5["copy_of_events"] = h5["events"]
    h5["events/userdef3"] = h5["events/area_um"]
    h5["my_lab/up"] = h5["/"]


@field("hdf5plugin: filters that are installed with it and that dclab reads")
def other_filters(h5: h5py.File) -> None:
    deform = h5["events/deform"][:]
    replace(h5, "events/deform", deform, chunks=(EVENTS,), **hdf5plugin.BZip2())
    replace(h5, "events/area_um", h5["events/area_um"][:], chunks=(EVENTS,), **hdf5plugin.Blosc2())
    h5.create_dataset("my_lab/zfp", data=np.random.default_rng(1).normal(size=(64, 64)), **hdf5plugin.Zfp())


@field("hdf5plugin: FCIDECOMP is for weather satellites", "feature userdef4")
def a_filter_that_is_not_read(h5: h5py.File) -> None:
    h5["events"].create_dataset(
        "userdef4", data=np.arange(EVENTS, dtype="u2"), chunks=(EVENTS,), **hdf5plugin.FciDecomp()
    )


# One odd part


@field("PyTables #793, h5py #548: tables with a column of texts", "column name", "column kind")
def table_with_texts(h5: h5py.File) -> None:
    kind = np.dtype([("name", h5py.string_dtype()), ("x", "f8"), ("kind", "S5")])
    table = h5.create_dataset("tables/steps", shape=(2,), dtype=kind)
    table[0], table[1] = ("fill", 1.0, b"a"), ("run", 2.0, b"b")


@field("BlueBrain/HighFive #916: a table of texts only", "table texts")
def table_of_texts_only(h5: h5py.File) -> None:
    h5["tables/texts"] = np.array([(b"a",), (b"b",)], dtype=[("name", "S5")])


@field("nwb-schema #13: columns that hold lists", "column xyz")
def table_with_array_column(h5: h5py.File) -> None:
    h5["tables/places"] = np.zeros(4, dtype=[("t", "f8"), ("xyz", "f4", (3,))])


@field("jupyterlab-hdf5 #56: complex numbers are records in HDF5", "table spectrum")
def complex_table(h5: h5py.File) -> None:
    h5["tables/spectrum"] = np.zeros(5, dtype=complex)


@field("dcnum changelog: tables of length 1, whole numbers, pictures as tables")
def unusual_tables(h5: h5py.File) -> None:
    h5["tables/one"] = np.array([(1, True)], dtype=[("n", "i8"), ("yes", "?")])
    h5["tables/column"] = np.zeros((3, 1), dtype=[("a", "f4"), ("b", "u2")])
    h5["tables/graph"] = np.arange(24, dtype="u1").reshape(4, 6)
    h5["tables/holes"] = np.array([[1.0, np.nan], [np.inf, 2.0]])


@field("dcnum changelog: ignore empty HDF5 datasets when copying; handle empty logs")
def nothing_in_it(h5: h5py.File) -> None:
    h5.create_dataset("logs/nothing", data=h5py.Empty("S100"))
    h5.create_dataset("tables/nothing", data=h5py.Empty("f8"))
    h5.create_dataset("logs/none", shape=(0,), dtype="S10")
    h5.create_dataset("tables/none", shape=(0,), dtype=[("x", "f8")])


@field("dclab #1: columns without values", "feature userdef5", "feature userdef6")
def empty_features(h5: h5py.File) -> None:
    h5.create_dataset("events/userdef5", data=h5py.Empty("f8"))
    h5["events/userdef6"] = 1.5


@field("dclab writer: logs are lists of text", "log numbers", "log square")
def logs_that_are_none(h5: h5py.File) -> None:
    h5["logs/numbers"] = np.arange(4.0)
    h5["logs/square"] = np.array([[b"a", b"b"], [b"c", b"d"]])


@field("DCOR-Aid #55: a folder among the logs", "log group", "table group", dclab=False)
def groups_among_logs_and_tables(h5: h5py.File) -> None:
    h5["logs/group/inner"] = np.array([b"a"])
    h5["tables/group/inner"] = np.zeros(3)


@field("hdf5storage #102: texts of other programs come in other shapes", dclab=False)
def log_of_one_text(h5: h5py.File) -> None:
    h5["logs/single"] = b"all in one"


@field("dclab fem2rtdc: simulated images need not be bytes")
def images_of_floats(h5: h5py.File) -> None:
    for name in ("image", "image_bg"):
        replace(h5, f"events/{name}", h5[f"events/{name}"][:].astype(np.float32) / 255)
    for name in ("bright_avg", "bright_sd"):
        del h5[f"events/{name}"]


@field("dclab changelog: 12 and 16 bit cameras")
def images_of_16_bits(h5: h5py.File) -> None:
    replace(h5, "events/image", h5["events/image"][:].astype(np.uint16) * 16)


@field("dclab: image is greyscale", "feature image")
def images_of_colours(h5: h5py.File) -> None:
    replace(h5, "events/image", np.repeat(h5["events/image"][:][..., None], 3, axis=3))


@field("MATLAB writes columns", "feature area_um")
def feature_as_a_column(h5: h5py.File) -> None:
    replace(h5, "events/area_um", h5["events/area_um"][:].reshape(-1, 1))


@field("h5py #624: a feature of texts", "feature userdef7")
def feature_of_texts(h5: h5py.File) -> None:
    h5["events/userdef7"] = np.array([b"round"] * EVENTS)


@field("h5py: complex and boolean features", "feature userdef8")
def complex_feature(h5: h5py.File) -> None:
    h5["events/userdef8"] = np.zeros(EVENTS, complex)
    h5["events/userdef9"] = np.zeros(EVENTS, bool)


@field("dclab #30 and #111: traces of another shape", "trace fl1_median", "trace fl2_median", fluorescence=True)
def odd_traces(h5: h5py.File) -> None:
    replace(h5, "events/trace/fl1_median", np.zeros(EVENTS))
    replace(h5, "events/trace/fl2_median", np.zeros((EVENTS, 4), dtype="S2"))


@field("dc_view: preview could not be made; dclab 0.67.2 (nothing but NaN)", fluorescence=True)
def traces_of_nan(h5: h5py.File) -> None:
    for name in list(h5["events/trace"]):
        replace(h5, f"events/trace/{name}", np.full(h5[f"events/trace/{name}"].shape, np.nan))


@field(
    "dclab #30: traces that were not recorded",
    *(f"trace fl{n}_{kind}" for n in (1, 2, 3) for kind in ("raw", "median")),
    "feature trace",
    fluorescence=True,
)
def traces_without_samples(h5: h5py.File) -> None:
    for name in list(h5["events/trace"]):
        replace(h5, f"events/trace/{name}", np.zeros((EVENTS, 0), np.int16))


@field("h5pyd #135: 'Verdr\\xe4ngerpumpen' in a text that is no UTF-8", "metadata experiment:sample", dclab=False)
def latin_1_metadata(h5: h5py.File) -> None:
    h5.attrs["experiment:sample"] = np.bytes_("Zellen in Größe 7".encode("latin-1"))
    h5.attrs["setup:chip identifier"] = "Ä1"


@field("h5py #2045: the character set of a text is not what it says", "metadata setup:medium", dclab=False)
def latin_1_of_variable_length(h5: h5py.File) -> None:
    del h5.attrs["setup:medium"]
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(h5py.h5t.VARIABLE)
    made = h5py.h5a.create(h5.id, b"setup:medium", kind, h5py.h5s.create(h5py.h5s.SCALAR))
    text = np.empty((), dtype=h5py.string_dtype("ascii"))
    text[()] = b"Pufferl\xf6sung"
    made.write(text)


@field("dclab #156: 'not enough values to unpack' at a key of a laboratory", "metadata operator", dclab=False)
def key_without_a_section(h5: h5py.File) -> None:
    h5.attrs["operator"] = "x"


@field("dclab #47: keys of other versions of the format", "metadata my_lab:key", dclab=False)
def unknown_section(h5: h5py.File) -> None:
    h5.attrs["my_lab:key"] = 3
    h5.attrs["setup:not a key"] = 3


@field("dclab #124: values of another type than dclab expects", "metadata imaging:pixel size", dclab=False)
def value_of_the_wrong_type(h5: h5py.File) -> None:
    h5.attrs["imaging:pixel size"] = "wide"
    h5.attrs["imaging:roi position x"] = 4.0


@field("hdf5storage #102: MATLAB writes numbers as lists of one", dclab=False)
def numbers_in_lists(h5: h5py.File) -> None:
    h5.attrs["imaging:frame rate"] = np.array([2000.0])
    h5.attrs["experiment:run index"] = np.array([[1]])


@field("silx #3747: attributes of kinds that have no text", "metadata user:ref", "metadata user:empty", dclab=False)
def attributes_that_are_no_values(h5: h5py.File) -> None:
    h5.attrs.create("user:ref", h5["events"].ref, dtype=h5py.ref_dtype)
    h5.attrs["user:empty"] = h5py.Empty("f8")
    h5.attrs["user:list"] = [1, 2, 3]


@field("DCscope #223: a dataset with 0 events can no longer be opened")
def zero_events(h5: h5py.File) -> None:
    for name in list(h5["events"]):
        if name not in ("deform", "area_um", "image", "mask"):
            del h5[f"events/{name}"]
            continue
        shape, kind = h5[f"events/{name}"].shape, h5[f"events/{name}"].dtype
        del h5[f"events/{name}"]
        h5["events"].create_dataset(name, shape=(0, *shape[1:]), maxshape=(None, *shape[1:]), dtype=kind)
    h5.attrs["experiment:event count"] = 0


@field("dclab #259: basins are left out by programs that do not know them", "basin broken", "basin other", dclab=False)
def odd_basins(h5: h5py.File) -> None:
    h5["basins/broken"] = np.array([b'{"type": "file", '], dtype="S100")
    h5["basins/other"] = np.arange(3)


@field("dclab #269: an internal basin is listed whose data were not exported", "feature emodulus", dclab=False)
def internal_basin_without_data(h5: h5py.File) -> None:
    basin = {
        "name": "b", "type": "internal", "format": "h5dataset", "paths": ["basin_events"],
        "features": ["userdef0", "emodulus"], "mapping": "basinmap0",
    }  # fmt: skip
    h5["basin_events/userdef0"] = np.arange(3.0)
    h5["events/basinmap0"] = np.arange(EVENTS) % 3
    h5["basins/b"] = np.array([line.encode() for line in json.dumps(basin, indent=2).split("\n")], dtype="S200")


@field("dclab #72 and #48: contours are one dataset an event; some are missing", contours=True)
def contour_missing(h5: h5py.File) -> None:
    del h5["events/contour/5"]


@field("dclab #48: a group of contours that was never filled", "feature contour", dclab=False)
def no_contours(h5: h5py.File) -> None:
    h5.create_group("events/contour")
