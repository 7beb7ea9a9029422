"""Pieces (chunks) of a dataset that HDF5 would read without an error, although they do not hold what they should.

The filter for Zstandard reports no error (silx-kit/hdf5plugin#403), and HDF5 does not compare sizes: a piece that a crash or a bad disk left full of zeros, or
that is shorter than its dataset says, is read as whatever lies in memory. (Where a checksum goes with it, most other damages are
found by that; the checksum of zeros is zero.) Only the first bytes of each piece are read.
"""

from __future__ import annotations

import os
from math import prod
from typing import Any

import h5py
from h5py import h5d, h5z

from appliance.model.messages import Message

#: Why a dataset is not read.
DAMAGED = Message("its data are damaged: a piece of them holds no data")

_LZF, _ZSTD = 32000, 32015
_SAME_SIZE = (h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32)
_CHECKSUM = 4  # [bytes]
#: Longest header of a frame (RFC 8878, 3.1.1) [bytes], and its first ones.
_HEADER, _MAGIC = 18, b"\x28\xb5\x2f\xfd"


def damaged(dataset: h5d.DatasetID, plist: h5py.h5p.PropDCID) -> bool:
    """Does a piece of a chunked dataset lack data without HDF5 noticing? ~3 µs a piece."""
    codes = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    packing = [code for code in codes if code not in _SAME_SIZE]
    last = packing[-1] if packing else None
    shuffled = last is not None and h5z.FILTER_SHUFFLE in codes[codes.index(last) :]
    if last not in (None, _LZF, _ZSTD) or shuffled:
        return False
    whole = prod(int(n) for n in plist.get_chunk()) * int(dataset.get_type().get_size())
    file = h5py.h5i.get_file_id(dataset).get_vfd_handle()
    checksums = codes.count(h5z.FILTER_FLETCHER32) * _CHECKSUM

    def broken(piece: Any) -> bool | None:
        """True ends the walk."""
        if piece.filter_mask:
            return None  # some filters were left out
        if last is None:
            return piece.size < whole + checksums or None
        head = os.pread(file, _HEADER, piece.byte_offset)
        if last == _LZF:
            return head[:4] == bytes(4) or None
        return (len(packing) == 1 and _content_size(head) < whole) or not head.startswith(_MAGIC) or None

    return bool(dataset.chunk_iter(broken))


def _content_size(head: bytes) -> int:
    """→ bytes that a frame says it unpacks to; 0 when it does not say, with which the filter cannot read it (RFC 8878, 3.1.1.1)."""
    if len(head) < _HEADER or not head.startswith(_MAGIC):
        return 0
    descriptor = head[4]
    single = descriptor >> 5 & 1
    at = 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3]
    length = (single, 2, 4, 8)[descriptor >> 6]
    size = int.from_bytes(head[at : at + length], "little")
    return size + 256 if length == 2 else size
