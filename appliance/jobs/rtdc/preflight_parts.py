"""Which datasets of a file of unknown origin jobs read, and which bounds hold for them.

Memory and time are bounded by the piece, not by the file: a chunk, an element, the attributes of one dataset. How well
something compresses says nothing, since masks and backgrounds of sound files compress a thousandfold.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import h5py
from h5py import h5a, h5d, h5t, h5z

from appliance.jobs.rtdc import pieces
from appliance.model.messages import Message
from appliance.model.values import printable

MIB = 1024**2

#: Filters that are read: those of HDF5 itself and those of hdf5plugin that laboratories use.
ALLOWED_FILTERS: dict[int, str] = {
    h5z.FILTER_DEFLATE: "gzip",
    h5z.FILTER_SHUFFLE: "shuffle",
    h5z.FILTER_FLETCHER32: "fletcher32",
    h5z.FILTER_NBIT: "nbit",
    h5z.FILTER_SCALEOFFSET: "scaleoffset",
    307: "bzip2",
    32000: "lzf",
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32013: "zfp",
    32015: "zstd",
    32026: "blosc2",
}


class HostileFile(Exception):
    """The file holds something that is refused; the message is one line for the uploader."""


@dataclass(frozen=True)
class Limits:
    """What a file may hold. `attributes…` are about the metadata of the root, the others about each dataset that is read."""

    chunk: int = 256 * MIB
    objects: int = 200_000
    contours: int = 5_000_000
    attributes: int = 1024
    attribute_bytes: int = MIB
    attributes_bytes: int = 32 * MIB
    text_elements: int = 256
    row_bytes: int = MIB
    text_bytes: int = 16 * MIB
    rank: int = 4
    filters: int = 6
    soft_hops: int = 8


def refuse_outside(dataset: h5d.DatasetID, path: str) -> None:
    """Raise `HostileFile` for data that would come from another file.

    The layout is looked at before anything else: asking a virtual dataset for its extent may already open its sources.
    """
    plist = dataset.get_create_plist()
    if plist.get_layout() == h5d.VIRTUAL:
        raise HostileFile(
            Message("%(path)s is a virtual dataset: its data would come from another file.", path=shown(path))
        )
    if plist.get_external_count() > 0:
        raise HostileFile(
            Message("%(path)s uses external storage: its data would come from another file.", path=shown(path))
        )


def part_fault(dataset: h5d.DatasetID, bounds: Limits) -> str | None:
    """→ why jobs do not read a dataset (a clause that follows a colon), or None. It must have passed `refuse_outside`."""
    plist = dataset.get_create_plist()
    layout = plist.get_layout()
    if layout not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED):
        return Message("its storage layout is unknown")
    reason = (
        _filters_fault(plist, bounds) or _type_fault(dataset.get_type(), bounds) or _attributes_fault(dataset, bounds)
    )
    if reason is not None:
        return reason
    shape = dataset.shape
    if shape is not None and len(shape) > bounds.rank:
        return Message("it has %(shape)s dimensions; at most %(rank)s are read", shape=len(shape), rank=bounds.rank)
    if layout == h5d.CHUNKED:
        chunk = prod(int(n) for n in plist.get_chunk()) * int(dataset.get_type().get_size())
        if chunk > bounds.chunk:
            return Message(
                "it has chunks of %(chunk)s MiB; at most %(most)s MiB are read",
                chunk=chunk // MIB,
                most=bounds.chunk // MIB,
            )
        if pieces.damaged(dataset, plist):
            return pieces.DAMAGED
    return None


def shown(path: str) -> str:
    """→ an object's name for a message: printable, at most 80 characters, in quotes."""
    return f"'{printable(path[:80])}'"


def _filters_fault(plist: h5py.h5p.PropDCID, bounds: Limits) -> str | None:
    count = plist.get_nfilters()
    if count > bounds.filters:
        return Message(
            "it is compressed with %(count)s filters; at most %(filters)s are accepted",
            count=count,
            filters=bounds.filters,
        )
    for index in range(count):
        code = plist.get_filter(index)[0]
        if code not in ALLOWED_FILTERS:
            return Message("it is compressed with the filter %(code)s, which is not supported", code=code)
    return None


def _type_fault(datatype: h5t.TypeID, bounds: Limits, level: int = 0) -> str | None:
    kind = datatype.get_class()
    size = int(datatype.get_size())
    if size > (bounds.text_bytes if kind == h5t.STRING and level == 0 else bounds.row_bytes):
        return Message("it has elements of %(size)s bytes", size=size)
    if kind == h5t.COMPOUND and level == 0:
        members = (datatype.get_member_type(index) for index in range(datatype.get_nmembers()))
        return next((fault for one in members if (fault := _type_fault(one, bounds, 1))), None)
    if kind == h5t.ARRAY and level <= 1:
        return _type_fault(datatype.get_super(), bounds, level + 1)
    if kind not in (h5t.INTEGER, h5t.FLOAT, h5t.STRING, h5t.ENUM, h5t.BITFIELD):
        return Message("it holds neither numbers nor texts")
    return None


def _attributes_fault(dataset: h5d.DatasetID, bounds: Limits) -> str | None:
    """Whoever copies a dataset reads its attributes; only their number and size matter, not their kind."""
    count = h5a.get_num_attrs(dataset)
    if count > bounds.attributes:
        return Message(
            "it has %(count)s attributes; at most %(attributes)s are read", count=count, attributes=bounds.attributes
        )
    total = 0
    for index in range(count):
        attribute = h5a.open(dataset, index=index)
        shape = attribute.shape
        total += (0 if shape is None else prod(map(int, shape))) * int(attribute.get_type().get_size())
    return (
        Message("its attributes are larger than %(attribute_bytes)s MiB", attribute_bytes=bounds.attribute_bytes // MIB)
        if total > bounds.attribute_bytes
        else None
    )
