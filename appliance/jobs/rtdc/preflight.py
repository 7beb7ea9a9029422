"""Pre-flight walk over an HDF5 file of unknown origin.

HDF5 follows external links, external storage and virtual datasets by itself, so a crafted upload could make the server
read its own files. This walk looks at every link and every dataset header with the low-level interface, which opens
nothing outside and reads no data, and refuses a file that leads outside, wherever in it. Objects that jobs read (the
groups of `READ`) are looked at more closely (`preflight_parts`); one that jobs cannot read is left out, not a reason to refuse
the file. What jobs never read may be of any kind. It runs only in the sandboxed child (h5py is imported here); the
sandbox is the second wall, not the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import cast

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o, h5t

from appliance.jobs.rtdc.preflight_parts import MIB, HostileFile, Limits, part_fault, refuse_outside, shown
from appliance.model.messages import Message

__all__ = ["READ", "Findings", "HostileFile", "Limits", "check_dataset", "inspect"]

#: Groups of the root that jobs read.
READ = ("events", "basin_events", "logs", "tables", "basins")
#: Groups below them that jobs read as well.
_READ_BELOW = ("/events/trace", "/events/contour")
#: Stored contours are one dataset an event; only there may a group be huge.
CONTOUR_GROUP = "/events/contour"

_NOT_UTF8 = Message("its name is not valid UTF-8")
_NOWHERE = Message("it is a soft link that leads nowhere or in a circle")
_Group = tuple[h5g.GroupID, str]


@dataclass
class Findings:
    """What the walk saw.

    :ivar unread: path → why the object is not read (a clause); attributes of the root as ``@name``.
    """

    objects: int = 0
    contours: int = 0
    declared_bytes: int = 0
    attribute_bytes: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    _groups: set[int] = field(default_factory=set)
    _foreign: set[int] = field(default_factory=set)
    _faults: dict[int, str | None] = field(default_factory=dict)


def inspect(h5: h5py.File, *, deep: bool = True, limits: Limits | None = None) -> Findings:
    """Walk the whole file and refuse what leads outside. → what was seen; ~40 µs an object.

    With `deep=False` the per-event datasets in `/events/contour` are looked at by link type only; whoever reads one
    must pass it to `check_dataset` first. Raises `HostileFile`.
    """
    bounds = limits or Limits()
    findings = Findings()
    root = h5["/"].id
    findings._groups.add(h5o.get_info(root).addr)
    _check_root_attributes(root, findings, bounds)
    foreign: list[_Group] = []
    pending: list[_Group] = []
    for child, path in _children(h5, root, "/", findings, bounds, follow=READ):
        if isinstance(child, h5g.GroupID):
            (pending if path[1:] in READ else foreign).append((child, path))
        elif isinstance(child, h5d.DatasetID):
            refuse_outside(child, path)
    while pending:
        group, path = pending.pop()
        if _seen(group, findings._groups):
            continue
        below, others = _read_group(h5, group, path, findings, bounds, deep)
        pending += below
        foreign += others
    _walk_foreign(h5, foreign, findings, bounds)
    return findings


def check_dataset(dataset: h5d.DatasetID, path: str, limits: Limits | None = None) -> None:
    """Raise `HostileFile` for a dataset that leads outside, or that jobs cannot read."""
    refuse_outside(dataset, path)
    reason = part_fault(dataset, limits or Limits())
    if reason is not None:
        raise HostileFile(Message("%(path)s was not read: %(reason)s.", path=shown(path), reason=reason))


def _read_group(
    h5: h5py.File, group: h5g.GroupID, name: str, findings: Findings, bounds: Limits, deep: bool
) -> tuple[list[_Group], list[_Group]]:
    """Look at what lies in a group that jobs read. → (further groups that they read, groups that they do not)."""
    below: list[_Group] = []
    others: list[_Group] = []
    shallow = name == CONTOUR_GROUP and not deep
    for child, path in _children(h5, group, name, findings, bounds, follow=None, shallow=shallow):
        if isinstance(child, h5g.GroupID):
            (below if path in _READ_BELOW else others).append((child, path))
        elif isinstance(child, h5d.DatasetID):
            reason = _fault(child, path, findings, bounds)
            if reason is not None:
                findings.unread.setdefault(path, reason)
    return below, others


def _fault(dataset: h5d.DatasetID, path: str, findings: Findings, bounds: Limits) -> str | None:
    """Why a dataset is not read, found once for all of its names."""
    address = h5o.get_info(dataset).addr
    if address not in findings._faults:
        refuse_outside(dataset, path)
        findings._faults[address] = part_fault(dataset, bounds)
        if findings._faults[address] is None:
            shape = dataset.shape
            findings.declared_bytes += prod(map(int, shape)) * dataset.get_type().get_size() if shape else 0
    return findings._faults[address]


def _walk_foreign(h5: h5py.File, pending: list[_Group], findings: Findings, bounds: Limits) -> None:
    """Whatever no job reads: nothing in it may lead outside; everything else is its owner's business."""
    while pending:
        group, path = pending.pop()
        if _seen(group, findings._groups):
            continue
        for child, below in _children(h5, group, path[-200:], findings, bounds, follow=()):
            if isinstance(child, h5g.GroupID):
                pending.append((child, below))
            elif isinstance(child, h5d.DatasetID) and not _seen(child, findings._foreign):
                refuse_outside(child, below)


def _seen(child: h5g.GroupID | h5d.DatasetID, addresses: set[int]) -> bool:
    """Was it there already? It is from now on."""
    address = h5o.get_info(child).addr
    if address in addresses:
        return True
    addresses.add(address)
    return False


def _children(
    h5: h5py.File,
    group: h5g.GroupID,
    name: str,
    findings: Findings,
    bounds: Limits,
    *,
    follow: tuple[str, ...] | None,
    shallow: bool = False,
) -> Iterator[tuple[object, str]]:
    """Yield the objects in `group` after checking how they are linked; soft links only of the names in `follow` (None: all)."""
    in_contour = name == CONTOUR_GROUP
    links: list[tuple[bytes, int]] = []
    room = (bounds.contours if in_contour else bounds.objects) + 1

    def collect(link_name: bytes, info: h5l.LinkInfo) -> int | None:
        """Note a link; anything but None ends the iteration, which is when there are too many."""
        links.append((link_name, info.type))
        return 1 if len(links) >= room else None

    group.links.iterate(collect, info=True)
    if in_contour:
        findings.contours += len(links)
    else:
        findings.objects += len(links)
    if len(links) >= room or findings.objects > bounds.objects or findings.contours > bounds.contours:
        raise HostileFile(Message("The file contains too many objects (more than %(room)s).", room=room - 1))
    for raw, kind in links:
        label = raw.decode("utf-8", "backslashreplace")
        path = f"{name.rstrip('/')}/{label}"
        if kind == h5l.TYPE_EXTERNAL:
            raise HostileFile(Message("%(path)s is an external link to another file.", path=shown(path)))
        if kind not in (h5l.TYPE_HARD, h5l.TYPE_SOFT):
            raise HostileFile(Message("%(path)s is a user-defined link.", path=shown(path)))
        if label.encode("utf-8", "replace") != raw and follow != ():
            findings.unread[path] = _NOT_UTF8
        if kind == h5l.TYPE_HARD:
            if not shallow:
                yield h5o.open(group, raw), path
        elif follow is None or label in follow:
            target = _resolve(h5, name, group.links.get_val(raw), bounds.soft_hops)
            if target is None:
                findings.unread[path] = _NOWHERE
            else:
                yield target, path


def _resolve(h5: h5py.File, parent: str, target: bytes, hops: int) -> object | None:
    """Follow a soft link step by step, never through an external link. → the object, or None."""
    absolute = target if target.startswith(b"/") else parent.rstrip("/").encode() + b"/" + target
    parts = [part for part in absolute.split(b"/") if part not in (b"", b".")]
    here: h5g.GroupID = h5["/"].id
    walked = "/"
    for position, raw in enumerate(parts):
        if not here.links.exists(raw):
            return None
        info = here.links.get_info(raw)
        if info.type == h5l.TYPE_SOFT:
            if hops <= 0:
                return None
            rest = b"/".join([here.links.get_val(raw), *parts[position + 1 :]])
            return _resolve(h5, walked, rest, hops - 1)
        if info.type != h5l.TYPE_HARD:
            return None
        found = h5o.open(here, raw)
        if position == len(parts) - 1:
            return cast("object", found)
        if not isinstance(found, h5g.GroupID):
            return None
        here = found
        walked = f"{walked.rstrip('/')}/{raw.decode('utf-8', 'backslashreplace')}"
    return cast("object", here)


def _check_root_attributes(root: h5g.GroupID, findings: Findings, bounds: Limits) -> None:
    """The metadata: all of them are read into memory, so their number and size together are bounded."""
    count = h5a.get_num_attrs(root)
    if count > bounds.attributes:
        raise HostileFile(
            Message(
                "The file has %(count)s attributes; at most %(attributes)s are allowed.",
                count=count,
                attributes=bounds.attributes,
            )
        )
    for index in range(count):
        attribute = h5a.open(root, index=index)
        datatype, shape = attribute.get_type(), attribute.shape
        elements = 0 if shape is None else prod(map(int, shape))  # None: an attribute without any value
        size = elements * int(datatype.get_size())
        label = attribute.name.decode("utf-8", "backslashreplace")
        if label.encode("utf-8", "replace") != attribute.name:
            findings.unread[f"@{label}"] = _NOT_UTF8
        elif size > bounds.attribute_bytes:
            findings.unread[f"@{label}"] = Message(
                "it is larger than %(attribute_bytes)s MiB", attribute_bytes=bounds.attribute_bytes // MIB
            )
        elif _variable(datatype) and elements > bounds.text_elements:
            findings.unread[f"@{label}"] = Message(
                "it holds more than %(text_elements)s texts", text_elements=bounds.text_elements
            )
        findings.attribute_bytes += size
    if findings.attribute_bytes > bounds.attributes_bytes:
        raise HostileFile(
            Message(
                "The attributes together are larger than %(attributes_bytes)s MiB.",
                attributes_bytes=bounds.attributes_bytes // MIB,
            )
        )


def _variable(datatype: h5t.TypeID) -> bool:
    kind = datatype.get_class()
    return bool(kind == h5t.VLEN or (kind == h5t.STRING and datatype.is_variable_str()))
