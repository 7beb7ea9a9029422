"""More odd files, built after public reports (repository#number); they join `FIELD`. `REFUSED` are those that nobody can read.

A source names the report that the file is built after; what of it is lost stands behind it, as in `rtdc_field`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from tests.support.rtdc import sound
from tests.support.rtdc_field import EVENTS, FIELD, Field, field, replace

_BEFORE = frozenset(FIELD)

# How HDF5 stores things


def _rewritten(source: str, name: str, **options: object) -> None:
    """Register a sound file whose objects were copied into a file of another make."""

    def build(path: Path) -> None:
        plain = sound(path.with_suffix(".plain"), events=EVENTS)
        with h5py.File(plain) as old, h5py.File(path, "w", **options) as new:
            for key in old:
                old.copy(key, new)
            new.attrs.update(dict(old.attrs))
        plain.unlink()

    FIELD[name] = Field(build, source, frozenset(), dclab=True)


_rewritten("h5py/h5py#619: a user block stands before the data", "user_block", userblock_size=512)
_rewritten("h5py/h5py#1030: written by the newest format of the library", "latest_format", libver="latest")
_rewritten("h5py/h5py#1385: attributes and groups in the order of their making", "tracked_order", track_order=True)
_rewritten("HDFGroup/hdf5#6200: paged file space", "paged", fs_strategy="page", fs_page_size=4096)


@field("h5py/h5py#61: scale-offset and n-bit filters")
def filters_of_the_library(h5: h5py.File) -> None:
    frame = np.arange(1, EVENTS + 1)
    replace(h5, "events/frame", frame, chunks=(EVENTS,), scaleoffset=0)
    replace(h5, "events/userdef1", np.linspace(0, 1, EVENTS), chunks=(EVENTS,), scaleoffset=4)
    replace(h5, "events/deform", h5["events/deform"][:], chunks=(5,), compression="lzf", shuffle=True)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((EVENTS,))
    plist.set_filter(h5py.h5z.FILTER_NBIT, h5py.h5z.FLAG_OPTIONAL, ())
    made = h5py.h5d.create(h5["events"].id, b"userdef2", h5py.h5t.STD_U16LE, h5py.h5s.create_simple((EVENTS,)), plist)
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(EVENTS, dtype="u2"))


@field("HDFGroup/hdf-compass#35: one chunk holds everything; NCAS-CMS/pyfive#4: none has any")
def chunks_of_all_sizes(h5: h5py.File) -> None:
    images = h5["events/image"][:]
    replace(h5, "events/image", images, chunks=images.shape, compression="gzip")
    replace(h5, "events/mask", h5["events/mask"][:])
    replace(h5, "events/area_um", h5["events/area_um"][:], chunks=(1,))
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((EVENTS,))
    made = h5py.h5d.create(h5["events"].id, b"userdef1", h5py.h5t.IEEE_F64LE, space, compact)
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(EVENTS, dtype="f8"))


@field("h5py/h5py#2250: a dataset was made, its values never arrived")
def never_written(h5: h5py.File) -> None:
    h5["events"].create_dataset("userdef1", shape=(EVENTS,), dtype="f8", chunks=(4,), fillvalue=np.nan)
    h5["events"].create_dataset("userdef2", shape=(EVENTS,), dtype="i4", chunks=(4,), fillvalue=-1)


@field("HDFGroup/h5pyd#24 and openPMD/openPMD-api#50: numbers of other machines and sizes")
def numbers_of_all_kinds(h5: h5py.File) -> None:
    h5["events/userdef1"] = np.arange(EVENTS, dtype=">f8")
    h5["events/userdef2"] = np.arange(EVENTS, dtype="f2")
    h5["events/userdef3"] = np.arange(EVENTS, dtype=">u2")
    h5["events/userdef4"] = np.arange(EVENTS) % 2 == 0
    h5["events/userdef5"] = np.arange(EVENTS, dtype="i8") + 2**60
    h5["events/userdef6"] = np.arange(EVENTS, dtype=np.longdouble)
    kind = h5py.enum_dtype({"CELL": 1, "DEBRIS": 2}, basetype="u1")
    h5["events"].create_dataset("userdef7", data=np.arange(EVENTS) % 2 + 1, dtype=kind)


@field("h5py/h5py#641 and #821: PyTables stores booleans as bit fields", dclab=False)
def bit_fields(h5: h5py.File) -> None:
    space = h5py.h5s.create_simple((EVENTS,))
    made = h5py.h5d.create(h5["events"].id, b"userdef1", h5py.h5t.STD_B8LE, space)
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ones(EVENTS, "u1"), h5py.h5t.STD_B8LE)


@field("h5netcdf/h5netcdf#16: a type that was stored under a name")
def committed_type(h5: h5py.File) -> None:
    h5["my_type"] = np.dtype("f8")
    h5["events"].create_dataset("userdef1", data=np.arange(EVENTS, dtype="f8"), dtype=h5["my_type"])


@field("h5py/h5py#1769: the group of events has values of its own, and each feature remarks")
def attributes_everywhere(h5: h5py.File) -> None:
    h5["events"].attrs["remark"] = np.zeros((3, 4, 5))
    h5["events/deform"].attrs["ref"] = h5["events/area_um"].regionref[2:5]
    h5["logs"].attrs["made"] = "Größe"
    h5["events/image"].attrs["CLASS"] = "no image"


# Attributes


@field("h5py/h5py#585, h5netcdf/h5netcdf#16: texts of a fixed length, ended in three ways")
def texts_of_fixed_length(h5: h5py.File) -> None:
    for number, (padding, end) in enumerate(
        ((h5py.h5t.STR_NULLTERM, b"\0"), (h5py.h5t.STR_NULLPAD, b"\0"), (h5py.h5t.STR_SPACEPAD, b" "))
    ):
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(24)
        kind.set_strpad(padding)
        kind.set_cset(h5py.h5t.CSET_UTF8)
        name = f"user:text {number}".encode()
        made = h5py.h5a.create(h5.id, name, kind, h5py.h5s.create(h5py.h5s.SCALAR))
        made.write(np.array("Zellen µ".encode().ljust(24, end), dtype="S24"), kind)


@field("h5py/h5py#1817: a list of lists of characters; records", "metadata user:record", dclab=False)
def lists_of_texts(h5: h5py.File) -> None:
    kind = h5py.vlen_dtype(np.dtype("S1"))
    data = np.empty((1,), dtype=kind)
    data[0] = np.array([b"a", b"b"], dtype="S1")
    h5.attrs.create("user:letters", data, dtype=kind)
    h5.attrs["user:fixed"] = np.array([b"a", b"b"])
    h5.attrs.create("user:variable", np.array(["a", "ß"], dtype=object), dtype=h5py.string_dtype())
    h5.attrs["user:record"] = np.zeros(2, dtype=[("a", "i4"), ("b", "f8")])


@field("h5py/h5py#127: whole numbers of 128 bits", "metadata user:ref time", dclab=False)
def numbers_of_128_bits(h5: h5py.File) -> None:
    kind = h5py.h5t.STD_U64BE.copy()
    kind.set_size(16)
    kind.set_precision(128)
    h5py.h5a.create(h5.id, b"user:ref time", kind, h5py.h5s.create(h5py.h5s.SCALAR))


@field("openPMD/openPMD-api#50, dclab changelog 0.34.0 (#124): yes and no in several types")
def truth_values(h5: h5py.File) -> None:
    h5.attrs["online_contour:bg empty"] = np.bool_(True)
    h5.attrs["online_contour:no absdiff"] = np.uint8(0)
    h5.attrs["online_filter:target duration"] = np.float32(1.5)
    h5.attrs["user:yes"] = np.bool_(True)


@field("DC-analysis/dclab#134: polygons of the online filter")
def polygon_of_the_online_filter(h5: h5py.File) -> None:
    h5.attrs["online_filter:area_um,deform polygon points"] = np.array([[1.0, 0.1], [50.0, 0.1], [50.0, 0.4]])
    h5.attrs["online_filter:area_um,deform soft limit"] = False
    h5.attrs["online_filter:deform min"] = 0.0


@field("DC-analysis/dclab#125: keys of users may be called anything")
def keys_of_users(h5: h5py.File) -> None:
    h5.attrs["user:UPPER case"] = "x"
    h5.attrs["user:" + "long " * 60] = 1
    h5.attrs["user:empty"] = ""


@field("DC-analysis/dclab#156: a key with two colons", "metadata user:channel: upper (µm)", dclab=False)
def key_with_two_colons(h5: h5py.File) -> None:
    h5.attrs["user:channel: upper (µm)"] = 7.5


@field("DC-analysis/dclab#109: texts that are empty")
def empty_texts(h5: h5py.File) -> None:
    for key in ("setup:chip identifier", "setup:identifier", "experiment:sample", "setup:medium"):
        h5.attrs[key] = ""


@field("DC-analysis/dclab#137: numbers that are zero or below where that means nothing")
def zeros_in_metadata(h5: h5py.File) -> None:
    for key in ("setup:flow rate", "setup:channel width", "imaging:frame rate", "imaging:flash duration"):
        h5.attrs[key] = 0.0
    h5.attrs["setup:flow rate sample"] = -0.04


@field("DC-analysis/dclab#63: times with fractions of a second, and times that no clock shows")
def odd_times(h5: h5py.File) -> None:
    h5.attrs["experiment:time"] = "25:61:03.123"
    h5.attrs["experiment:date"] = "31.12.2019"


@field("DC-analysis/dclab#156: numbers as texts, with a decimal comma", "metadata imaging:pixel size", dclab=False)
def decimal_comma(h5: h5py.File) -> None:
    h5.attrs["imaging:pixel size"] = "0,34"
    h5.attrs["experiment:event count"] = str(EVENTS)


# Features


@field("DC-analysis/dclab#77, DC-analysis/DCscope#108: scores of machine learning stand in the file")
def scores(h5: h5py.File) -> None:
    for name in ("ml_score_abc", "ml_score_0zz"):
        h5[f"events/{name}"] = np.linspace(0, 1, EVENTS)
    h5["events/ml_class"] = np.arange(EVENTS) % 2


@field("DC-analysis/dclab#44: features of other versions of the format", "feature ncells", dclab=False)
def unknown_features(h5: h5py.File) -> None:
    h5["events/ncells"] = np.ones(EVENTS)


@field("DC-analysis/dclab#143: images of plugins", "feature image_copy", dclab=False)
def images_of_plugins(h5: h5py.File) -> None:
    h5["events/image_copy"] = h5["events/image"][:]


@field("DC-analysis/dclab#71: the writer left events out, their numbers have gaps")
def gaps_in_the_index(h5: h5py.File) -> None:
    h5["events/index_online"] = np.arange(EVENTS) * 3
    h5["events/index"] = np.arange(1, EVENTS + 1)


@field("DC-analysis/dclab#101: fluorescence below zero; changelog 0.9.1: all values are zero", fluorescence=True)
def values_of_no_use(h5: h5py.File) -> None:
    replace(h5, "events/fl1_max", -np.arange(EVENTS, dtype="f8"))
    replace(h5, "events/fl2_max", np.zeros(EVENTS))


@field("DC-analysis/dclab#141: volumes that dclab calls wrong and computes anew", dclab=False)
def defective_volume(h5: h5py.File) -> None:
    h5["events/volume"] = np.full(EVENTS, 5.0)
    h5.attrs["setup:software version"] = "ShapeIn 2.0.5 | dclab 0.36.0"


@field("DC-analysis/dclab#224 and DC-analysis/DCscope#139: inertia ratios that were called defective", dclab=False)
def defective_inertia(h5: h5py.File) -> None:
    replace(h5, "events/inert_ratio_cvx", np.full(EVENTS, 1.5))
    replace(h5, "events/inert_ratio_raw", np.full(EVENTS, 1.5))
    h5.attrs["setup:software version"] = "dclab 0.48.2"


@field("DC-analysis/dclab#175: extremes and mean stand beside the feature, and are not its own")
def attributes_of_statistics(h5: h5py.File) -> None:
    for name in ("min", "max", "mean"):
        h5["events/area_um"].attrs[name] = -77.0


@field("DC-analysis/dclab#75: measured in the reservoir")
def reservoir(h5: h5py.File) -> None:
    h5.attrs["setup:chip region"] = "reservoir"


@field("DC-analysis/dclab#137: events whose mask is empty, and one whose mask is the whole picture")
def masks_of_all_sizes(h5: h5py.File) -> None:
    h5["events/mask"][2] = 0
    h5["events/mask"][3] = 255
    h5["events/mask"][4] = 0
    h5["events/mask"][4, 0, 0] = 255


@field("DC-analysis/dclab#48: masks of ones, booleans in files of others")
def masks_of_booleans(h5: h5py.File) -> None:
    replace(h5, "events/mask", h5["events/mask"][:].astype(bool), chunks=True, compression="gzip")


@field("DC-analysis/dclab#222: a piece of dirt lies beside the cell")
def several_pieces(h5: h5py.File) -> None:
    h5["events/mask"][:, :3, :3] = 255


@field("DC-analysis/dclab#30: traces of different lengths", fluorescence=True)
def traces_of_different_lengths(h5: h5py.File) -> None:
    name = "events/trace/fl1_raw"
    replace(h5, name, h5[name][:, :50])


@field("DC-analysis/dclab changelog 0.14.8: the folder of traces is empty", fluorescence=True)
def no_traces_at_all(h5: h5py.File) -> None:
    for name in list(h5["events/trace"]):
        del h5[f"events/trace/{name}"]


@field("DC-analysis/DCscope#182: features 'basin mapping x' of an exported file")
def mapping_without_basin(h5: h5py.File) -> None:
    h5["events/basinmap0"] = np.arange(EVENTS)[::-1]


@field("DC-analysis/dclab#262 and DC-analysis/DCscope#164: backgrounds once for many events, in an internal basin")
def internal_basin(h5: h5py.File) -> None:
    backgrounds = h5["events/image_bg"][:3]
    del h5["events/image_bg"]
    h5["basin_events/image_bg"] = backgrounds
    h5["events/basinmap0"] = np.arange(EVENTS) % 3
    basin = {
        "name": "background", "type": "internal", "format": "h5dataset", "paths": ["basin_events"],
        "features": ["image_bg"], "mapping": "basinmap0",
    }  # fmt: skip
    h5["basins/bg"] = np.array([line.encode() for line in json.dumps(basin, indent=2).split("\n")], dtype="S200")


# Logs and tables


@field("DC-analysis/dclab changelog 0.35.8: logs of variable length, compressed; h5py/h5py#565")
def logs_of_variable_length(h5: h5py.File) -> None:
    kind = h5py.string_dtype("utf-8")
    lines = ["Grüße", "", "細胞 " * 200, "tab\there", "\ufeffBOM", "nul\\0"]
    h5.create_dataset("logs/old", data=np.array(lines, dtype=object), dtype=kind, chunks=(2,), compression="gzip")
    h5["logs/ascii"] = np.array(["a", "b"], dtype=h5py.string_dtype("ascii"))


@field("DC-analysis/dclab#256: the log of an export is JSON; names of logs hold anything")
def names_of_logs(h5: h5py.File) -> None:
    text = [line.encode() for line in json.dumps({"features": ["deform"], "n": 1}, indent=2).split("\n")]
    for name in ("dclab-export_2024-05-28 10:11", "細胞 – µ", "x" * 250, "a.b.c", "<b>&amp;", " blank "):
        h5[f"logs/{name}"] = np.array(text)


@field("DC-analysis/DCscope#157: one line of a log is a whole document")
def line_of_a_megabyte(h5: h5py.File) -> None:
    h5["logs/long line"] = np.array([b"x" * 1_200_000, b"y"])


@field("h5netcdf/h5netcdf#39, h5py/h5py#22: columns of yes and no, of lists, of other byte orders", "column list")
def columns_of_all_kinds(h5: h5py.File) -> None:
    kind = [("yes", "?"), ("small", "i1"), ("big", ">u4"), ("half", "f2"), ("list", "u1", (2, 2)), ("µ name", "f8")]
    h5["tables/kinds"] = np.ones(5, dtype=kind)
    h5["tables/kinds"].attrs["COLOR_big"] = "#ff0000"


@field("DC-analysis/dclab#287: a table of pictures over time", dclab=False)
def table_of_three_dimensions(h5: h5py.File) -> None:
    h5["tables/film"] = np.zeros((4, 5, 6))


#: Names of the files of this module that are taken.
REPORTED = [name for name in FIELD if name not in _BEFORE]

# Files that cannot be read: refused with a reason


@dataclass(frozen=True)
class Refused:
    """A file that is refused. :ivar says: words that its reason has to hold."""

    build: Callable[[Path], None]
    source: str
    says: str


REFUSED: dict[str, Refused] = {}


def refused(source: str, says: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Register a file that is refused."""

    def register(build: Callable[[Path], None]) -> Callable[[Path], None]:
        REFUSED[build.__name__] = Refused(build, source, says)
        return build

    return register


@refused("h5py/h5py#879 and #2250: the copy stopped in the middle", "truncated")
def cut_in_the_middle(path: Path) -> None:
    sound(path, events=EVENTS)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


@refused("h5py/h5py#1179: the program ended before it wrote anything", "truncated")
def cut_after_96_bytes(path: Path) -> None:
    sound(path, events=EVENTS)
    path.write_bytes(path.read_bytes()[:96])


@refused("h5py/h5py#370: the file was never closed", "HDF5")
def zeros_only(path: Path) -> None:
    path.write_bytes(bytes(4096))


@refused("silx-kit/silx#3747: a web page was saved in the place of the file", "HDF5")
def web_page(path: Path) -> None:
    path.write_bytes(b"<!DOCTYPE html><html><head><title>504 Gateway Time-out</title></head></html>\n")


@refused("DC-analysis/dclab#45: an older format under the new name", "HDF5")
def tdms(path: Path) -> None:
    path.write_bytes(b"TDSm\x0e\0\0\0\x69\x12\0\0" + bytes(3000))


@refused("DC-analysis/dclab#156: an HDF5 file, but no measurement", "events")
def no_events(path: Path) -> None:
    with h5py.File(path, "w") as h5:
        h5["data/x"] = np.arange(10)


@refused("pandas-dev/pandas#20523: the events are a table", "events")
def events_are_a_table(path: Path) -> None:
    with h5py.File(path, "w") as h5:
        h5["events"] = np.zeros(5, dtype=[("deform", "f8"), ("area_um", "f8")])


@refused("DC-analysis/dclab#111 and #112: traces kept the length of the file they were split from", "wrong event count")
def traces_longer_than_events(path: Path) -> None:
    sound(path, events=EVENTS)
    with h5py.File(path, "a") as h5:
        for name in list(h5["events/trace"]):
            old = h5[f"events/trace/{name}"][:]
            replace(h5, f"events/trace/{name}", np.concatenate([old, old]))


@refused("DC-analysis/dclab#137: an event count of another file", "wrong event count")
def images_shorter_than_events(path: Path) -> None:
    sound(path, events=EVENTS)
    with h5py.File(path, "a") as h5:
        replace(h5, "events/image", h5["events/image"][:5])


@refused("slsdetectorgroup/slsDetectorPackage#417: the images are in other files", "other file")
def virtual_images(path: Path) -> None:
    sound(path, events=EVENTS)
    with h5py.File(path, "a") as h5:
        shape = h5["events/image"].shape
        del h5["events/image"]
        layout = h5py.VirtualLayout(shape=shape, dtype="u1")
        layout[:] = h5py.VirtualSource("part.h5", "image", shape=shape)
        h5["events"].create_virtual_dataset("image", layout)
