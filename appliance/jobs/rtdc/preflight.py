"""Pre-flight walk over an HDF5 file of unknown origin.

HDF5 follows external links, external storage and virtual datasets by itself, so a crafted upload could make the server
read its own files. This walk looks at every link and every dataset header with the low-level interface, which opens
nothing outside and reads no data, and refuses whatever an RT-DC file has no need for. It runs only in the sandboxed
child (h5py is imported here); the sandbox is the second wall, not the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import cast

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o, h5t, h5z

MIB = 1024**2

#: Filters that RT-DC files are written with; anything else would need foreign code.
ALLOWED_FILTERS: dict[int, str] = {
    h5z.FILTER_DEFLATE: "gzip",
    h5z.FILTER_SHUFFLE: "shuffle",
    h5z.FILTER_FLETCHER32: "fletcher32",
    h5z.FILTER_NBIT: "nbit",
    h5z.FILTER_SCALEOFFSET: "scaleoffset",
    32000: "lzf",
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32015: "zstd",
}

#: Stored contours are one dataset an event; only there may a group be huge.
CONTOUR_GROUP = "/events/contour"


class HostileFile(Exception):
    """The file holds something that is refused; the message is one line for the uploader."""


@dataclass(frozen=True)
class Limits:
    """What a file may announce. Sizes in bytes.

    `ratio`: declared size of all data / file size; below `ratio_floor` the ratio is not looked at, so that tiny, highly
    compressible files pass.
    """

    ratio: int = 100
    ratio_floor: int = 8 * MIB
    declared: int = 8 * 1024**4
    chunk: int = 256 * MIB
    objects: int = 20_000
    contours: int = 5_000_000
    depth: int = 8
    attributes: int = 1024
    attribute_bytes: int = MIB
    attributes_bytes: int = 32 * MIB
    text_elements: int = 256
    row_bytes: int = MIB
    rank: int = 4
    filters: int = 6
    soft_hops: int = 8


@dataclass
class Findings:
    """What the walk saw: number of objects, bytes the datasets announce, bytes of attributes."""

    objects: int = 0
    contours: int = 0
    declared_bytes: int = 0
    attribute_bytes: int = 0
    groups_seen: set[int] = field(default_factory=set)
    datasets_seen: set[int] = field(default_factory=set)


def inspect(h5: h5py.File, file_size: int, *, deep: bool = True, limits: Limits | None = None) -> Findings:
    """Walk the whole file and refuse what is dangerous. → what was seen; ~40 µs an object.

    With `deep=False` the per-event datasets in `/events/contour` are looked at by link type only; whoever reads one
    must pass it to `check_dataset` first. Raises `HostileFile`.
    """
    bounds = limits or Limits()
    findings = Findings()
    root = h5["/"].id
    _enter_group(root, "/", findings, bounds)
    pending: list[tuple[h5g.GroupID, str, int]] = [(root, "/", 0)]
    while pending:
        group, name, depth = pending.pop()
        if depth > bounds.depth:
            raise HostileFile(f"Groups are nested deeper than {bounds.depth} levels.")
        shallow = name == CONTOUR_GROUP and not deep
        for child, path in _children(h5, group, name, findings, bounds, shallow):
            if isinstance(child, h5g.GroupID):
                _enter_group(child, path, findings, bounds)
                pending.append((child, path, depth + 1))
            elif isinstance(child, h5d.DatasetID):
                findings.declared_bytes += check_dataset(child, path, bounds)
                _check_attributes(child, path, findings, bounds)
                _check_declared(findings, file_size, bounds)
    return findings


def check_dataset(dataset: h5d.DatasetID, path: str, limits: Limits | None = None) -> int:
    """Refuse external, virtual, foreign-filtered or oversized datasets. → the declared size in bytes.

    The layout is looked at before the extent: asking a virtual dataset for its extent may already open its sources.
    """
    bounds = limits or Limits()
    plist = dataset.get_create_plist()
    layout = plist.get_layout()
    shown = _shown(path)
    if layout == h5d.VIRTUAL:
        raise HostileFile(f"{shown} is a virtual dataset: its data would come from another file.")
    if plist.get_external_count() > 0:
        raise HostileFile(f"{shown} uses external storage: its data would come from another file.")
    if layout not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED):
        raise HostileFile(f"{shown} has an unknown storage layout.")
    _check_filters(plist, shown, bounds)
    item = _check_type(dataset.get_type(), shown, bounds)
    shape = dataset.shape
    if shape is None:
        return 0
    if len(shape) > bounds.rank:
        raise HostileFile(f"{shown} has {len(shape)} dimensions; at most {bounds.rank} are allowed.")
    if layout == h5d.CHUNKED:
        chunk = prod(int(n) for n in plist.get_chunk()) * item
        if chunk > bounds.chunk:
            raise HostileFile(f"{shown} has chunks of {chunk // MIB} MiB; at most {bounds.chunk // MIB} are allowed.")
    return prod(int(n) for n in shape) * item


def _children(
    h5: h5py.File, group: h5g.GroupID, name: str, findings: Findings, bounds: Limits, shallow: bool
) -> Iterator[tuple[object, str]]:
    """Yield the objects in `group` that have not been seen, after checking how they are linked."""
    in_contour = name == CONTOUR_GROUP
    links: list[tuple[bytes, int, int]] = []
    room = (bounds.contours if in_contour else bounds.objects) + 1

    def collect(link_name: bytes, info: h5l.LinkInfo) -> int | None:
        """Note a link; anything but None ends the iteration, which is when there are too many."""
        links.append((link_name, info.type, info.u))
        return 1 if len(links) >= room else None

    group.links.iterate(collect, info=True)
    if in_contour:
        findings.contours += len(links)
    else:
        findings.objects += len(links)
    if len(links) >= room or findings.objects > bounds.objects or findings.contours > bounds.contours:
        raise HostileFile(f"The file holds too many objects (more than {room - 1}).")
    for raw, kind, address in links:
        path = f"{name.rstrip('/')}/{_decoded(raw)}"
        if kind == h5l.TYPE_HARD:
            if address in findings.datasets_seen or shallow:
                continue
            yield _open(group, raw, address, path, findings), path
        else:
            _check_link(h5, group, name, raw, kind, path, bounds)


def _open(group: h5g.GroupID, raw: bytes, address: int, path: str, findings: Findings) -> object:
    child = h5o.open(group, raw)
    if isinstance(child, h5g.GroupID):
        if address in findings.groups_seen:
            raise HostileFile(f"{_shown(path)} links back to a group that was already visited (loop).")
    else:
        findings.datasets_seen.add(address)
    return child


def _enter_group(group: h5g.GroupID, path: str, findings: Findings, bounds: Limits) -> None:
    findings.groups_seen.add(h5o.get_info(group).addr)
    _check_attributes(group, path, findings, bounds)


def _check_link(
    h5: h5py.File, group: h5g.GroupID, parent: str, raw: bytes, kind: int, path: str, bounds: Limits
) -> None:
    """Only soft links that end, by hard links, at a dataset inside the file are let through."""
    shown = _shown(path)
    if kind == h5l.TYPE_EXTERNAL:
        raise HostileFile(f"{shown} is an external link to another file.")
    if kind != h5l.TYPE_SOFT:
        raise HostileFile(f"{shown} is a user-defined link.")
    target = _resolve(h5, parent, _decoded(group.links.get_val(raw)), bounds.soft_hops)
    if target is None:
        raise HostileFile(f"{shown} is a soft link that leads nowhere, in a circle or out of the file.")
    if not isinstance(target, h5d.DatasetID):
        raise HostileFile(f"{shown} is a soft link to something that is not a dataset.")


def _resolve(h5: h5py.File, parent: str, target: str, hops: int) -> object | None:
    """Follow a soft link step by step, never through an external link. → the object, or None."""
    absolute = target if target.startswith("/") else f"{parent.rstrip('/')}/{target}"
    parts = [part for part in absolute.split("/") if part not in ("", ".")]
    here: h5g.GroupID = h5["/"].id
    walked = "/"
    for position, part in enumerate(parts):
        raw = part.encode("utf-8")
        if not here.links.exists(raw):
            return None
        info = here.links.get_info(raw)
        if info.type == h5l.TYPE_SOFT:
            if hops <= 0:
                return None
            rest = "/".join([_decoded(here.links.get_val(raw)), *parts[position + 1 :]])
            return _resolve(h5, walked, rest, hops - 1)
        if info.type != h5l.TYPE_HARD:
            return None
        found = h5o.open(here, raw)
        if position == len(parts) - 1:
            return cast("object", found)
        if not isinstance(found, h5g.GroupID):
            return None
        here = found
        walked = f"{walked.rstrip('/')}/{part}"
    return cast("object", here)


def _check_filters(plist: h5py.h5p.PropDCID, shown: str, bounds: Limits) -> None:
    count = plist.get_nfilters()
    if count > bounds.filters:
        raise HostileFile(f"{shown} is packed by {count} filters; at most {bounds.filters} are allowed.")
    for index in range(count):
        code = plist.get_filter(index)[0]
        if code not in ALLOWED_FILTERS:
            raise HostileFile(f"{shown} uses the filter {code}, which is not supported.")


def _check_type(datatype: h5t.TypeID, shown: str, bounds: Limits, level: int = 0) -> int:
    """Refuse types that point elsewhere or that RT-DC files do not have. → size of one element in bytes."""
    kind = datatype.get_class()
    size = int(datatype.get_size())
    if size > bounds.row_bytes:
        raise HostileFile(f"{shown} has elements of {size} bytes.")
    if kind == h5t.COMPOUND and level == 0:
        for index in range(datatype.get_nmembers()):
            _check_type(datatype.get_member_type(index), shown, bounds, level + 1)
    elif kind == h5t.ARRAY and level <= 1:
        _check_type(datatype.get_super(), shown, bounds, level + 1)
    elif kind not in (h5t.INTEGER, h5t.FLOAT, h5t.STRING, h5t.ENUM, h5t.BITFIELD):
        raise HostileFile(f"{shown} has a data type that RT-DC files do not use.")
    return size


def _check_attributes(obj: h5g.GroupID | h5d.DatasetID, path: str, findings: Findings, bounds: Limits) -> None:
    count = h5a.get_num_attrs(obj)
    if count > bounds.attributes:
        raise HostileFile(f"{_shown(path)} has {count} attributes; at most {bounds.attributes} are allowed.")
    for index in range(count):
        attribute = h5a.open(obj, index=index)
        shown = f"An attribute of {_shown(path)}"
        _decoded(attribute.name)
        datatype = attribute.get_type()
        item = _check_type(datatype, shown, bounds)
        shape = attribute.shape
        elements = 0 if shape is None else prod(int(n) for n in shape)  # None: an attribute without any value
        size = elements * item
        text = datatype.get_class() == h5t.STRING and datatype.is_variable_str()
        if size > bounds.attribute_bytes or (text and elements > bounds.text_elements):
            raise HostileFile(f"{shown} is larger than {bounds.attribute_bytes} bytes.")
        findings.attribute_bytes += size
    if findings.attribute_bytes > bounds.attributes_bytes:
        raise HostileFile(f"The attributes are larger than {bounds.attributes_bytes // MIB} MiB together.")


def _check_declared(findings: Findings, file_size: int, bounds: Limits) -> None:
    allowed = min(bounds.declared, max(bounds.ratio_floor, bounds.ratio * file_size))
    if findings.declared_bytes > allowed:
        raise HostileFile(
            f"The file announces at least {findings.declared_bytes / 1e6:,.0f} MB of data but has {file_size:,} bytes; "
            f"at most {bounds.ratio} times its size are allowed."
        )


def _decoded(raw: bytes) -> str:
    """Names are texts for everything that comes after; h5py would hand out others as bytes."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise HostileFile("The file holds a name that is not valid UTF-8.") from None


def _shown(path: str) -> str:
    """→ an object's name for a message: printable, at most 80 characters, in quotes."""
    printable = "".join(char if char.isprintable() else "?" for char in path)
    return f"'{printable[:80]}'"
