"""Odd files once more: types, layouts and kinds of objects that other HDF5 writers make; some after public reports, which are named. They join `FIELD`."""

from __future__ import annotations

import h5py
import numpy as np

from tests.support.rtdc_field import EVENTS, FIELD, field, replace

_BEFORE = frozenset(FIELD)


def _dataset(h5: h5py.File, name: str, dtype: h5py.h5t.TypeID, data: np.ndarray, plist: object = None) -> None:
    """Put a dataset of a type or layout that h5py's high level does not make in the place of another."""
    if name in h5:
        del h5[name]
    space = h5py.h5s.create_simple(data.shape)
    made = h5py.h5d.create(h5.id, name.encode(), dtype, space, plist)
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(data))


def _value(h5: h5py.File, key: str, dtype: h5py.h5t.TypeID, space: h5py.h5s.SpaceID, data: np.ndarray) -> None:
    """An attribute of a type that h5py's high level does not make."""
    if key in h5.attrs:
        del h5.attrs[key]
    h5py.h5a.create(h5.id, key.encode(), dtype, space).write(data, dtype)


# Types


@field("h5py/h5py#1822: a floating point format of the laboratory's own (bfloat16)")
def own_float_format(h5: h5py.File) -> None:
    dtype = h5py.h5t.IEEE_F32LE.copy()
    dtype.set_fields(15, 7, 8, 0, 7)
    dtype.set_size(2)
    dtype.set_ebias(127)
    _dataset(h5, "events/userdef3", dtype, np.linspace(0, 1, EVENTS, dtype="f4"))


@field("numbers with names")
def enumerations(h5: h5py.File) -> None:
    states = h5py.enum_dtype({"alive": 0, "dead": 1, "debris": 2}, basetype="i4")
    replace(h5, "events/userdef4", np.arange(EVENTS) % 3, dtype=states)
    h5.attrs.create("experiment:run index", 2, dtype=h5py.enum_dtype({"first": 1, "second": 2}, basetype="u1"))


@field("a value is an array by its type", "metadata setup:chip region", dclab=False)
def array_value(h5: h5py.File) -> None:
    dtype = h5py.h5t.array_create(h5py.h5t.NATIVE_INT32, (3,))
    _value(h5, "setup:chip region", dtype, h5py.h5s.create(h5py.h5s.SCALAR), np.arange(3, dtype="i4"))


@field("h5py/h5py#453: opaque bytes with a tag", "metadata user:cluster", dclab=False)
def opaque_value(h5: h5py.File) -> None:
    dtype = h5py.h5t.create(h5py.h5t.OPAQUE, 8)
    dtype.set_tag(b"a LabVIEW cluster")
    _value(h5, "user:cluster", dtype, h5py.h5s.create(h5py.h5s.SCALAR), np.frombuffer(b"12345678", "V8"))


@field("h5py's manual: references to objects and regions in attributes", "metadata user:template", dclab=False)
def references(h5: h5py.File) -> None:
    h5.attrs.create("user:template", h5["events/image"].ref, dtype=h5py.ref_dtype)
    h5["events"].attrs.create("region", h5["events/image"].regionref[:2], dtype=h5py.regionref_dtype)


@field("netCDF's writers: texts padded with blanks")
def padded_texts(h5: h5py.File) -> None:
    dtype = h5py.h5t.C_S1.copy()
    dtype.set_size(20)
    dtype.set_strpad(h5py.h5t.STR_SPACEPAD)
    _value(h5, "setup:medium", dtype, h5py.h5s.create(h5py.h5s.SCALAR), np.array(b"CellCarrierB".ljust(20), "S20"))


@field("numbers written as texts")
def numbers_as_texts(h5: h5py.File) -> None:
    h5.attrs["setup:flow rate"] = "0.04"
    h5.attrs["setup:channel width"] = " 20.0 "
    h5.attrs["imaging:frame rate"] = "2e3"


@field("a value that does not fit into the head of its object")
def value_of_200_kilobytes(h5: h5py.File) -> None:
    h5["events"].attrs.create("curve", np.arange(4_000, dtype="f8"))
    h5.attrs["user:calibration"] = np.arange(8_000, dtype="f8")


# Layouts


@field("every kind of index of chunks")
def indexes_of_chunks(h5: h5py.File) -> None:
    for name, data, maxshape in (
        ("events/userdef5", np.linspace(0, 1, EVENTS), (None,)),
        ("events/userdef6", np.linspace(0, 1, EVENTS), (EVENTS,)),
    ):
        replace(h5, name, data, chunks=(2,), maxshape=maxshape)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3,))
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    _dataset(h5, "events/userdef7", h5py.h5t.IEEE_F64LE, np.linspace(0, 1, EVENTS), plist)
    replace(h5, "events/image", h5["events/image"][:], chunks=(2, 7, 9), maxshape=(None, None, None))


@field("data within the head of the object")
def compact(h5: h5py.File) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    _dataset(h5, "events/userdef8", h5py.h5t.IEEE_F64BE, np.linspace(0, 1, EVENTS).astype(">f8"), plist)


# Kinds of objects


@field("a feature is a group", "feature userdef1")
def feature_is_a_group(h5: h5py.File) -> None:
    h5.create_group("events/userdef1")["values"] = np.arange(EVENTS)


@field("images are single datasets in a group", "feature image")
def images_are_a_group(h5: h5py.File) -> None:
    images = h5["events/image"][:]
    del h5["events/image"]
    for number, image in enumerate(images):
        h5[f"events/image/{number}"] = image


@field("traces and contours are tables", "feature trace", "feature contour")
def traces_and_contours_are_tables(h5: h5py.File) -> None:
    for name in ("trace", "contour"):
        replace(h5, f"events/{name}", np.zeros((EVENTS, 6, 10)))


@field("logs and tables are single datasets", "log logs", "table tables", dclab=False)
def logs_and_tables_are_datasets(h5: h5py.File) -> None:
    replace(h5, "logs", np.array([b"one", b"two"]))
    replace(h5, "tables", np.zeros(3, dtype=[("a", "f8")]))


@field("names of features in capitals, and with letters of all languages", "feature Area_um", "feature Größe")
def names_of_features(h5: h5py.File) -> None:
    h5["events/Area_um"] = np.arange(EVENTS)
    h5["events/Größe"] = np.arange(EVENTS)


TYPES = sorted(FIELD.keys() - _BEFORE)
