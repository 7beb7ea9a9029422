"""Files that try to get at other files, that never end, or that are no RT-DC files at all: each has to be refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
from h5py import h5a, h5d, h5o, h5p, h5s, h5t

from tests.support.rtdc import die_while_writing, sound, sound_attributes

#: name → builder(path of the file to write, path of a secret file outside).
HOSTILE: dict[str, Callable[[Path, Path], None]] = {}


def hostile(builder: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    """Register a file that must be refused."""
    HOSTILE[builder.__name__] = builder
    return builder


#: The same for files that look like an attack or a mistake: what is strange in them is left out, the rest is read.
STRANGE: dict[str, Callable[[Path, Path], None]] = {}


def strange(builder: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    """Register a file that must cost no more than its strange part."""
    STRANGE[builder.__name__] = builder
    return builder


@hostile
def external_storage_feature(path: Path, secret: Path) -> None:
    """A feature whose bytes lie in another file."""
    sound(path)
    with h5py.File(path, "a") as h5:
        del h5["events/deform"]
        h5["events"].create_dataset("deform", shape=(12,), dtype="f8", external=[(str(secret), 0, 96)])


@hostile
def external_storage_log(path: Path, secret: Path) -> None:
    """A log whose lines lie in another file."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["logs"].create_dataset("stolen", shape=(10,), dtype="S50", external=[(str(secret), 0, 500)])


@hostile
def external_storage_relative(path: Path, secret: Path) -> None:
    """As before with a relative path."""
    sound(path)
    with h5py.File(path, "a") as h5:
        name = os.path.relpath(secret, path.parent)
        h5["events"].create_dataset("userdef1", shape=(12,), dtype="u1", external=[(name, 0, 12)])


@hostile
def external_link_feature(path: Path, secret: Path) -> None:
    """A feature that is a link into another HDF5 file."""
    sound(path)
    other = secret.with_suffix(".h5")
    with h5py.File(other, "w") as h5:
        h5["x"] = np.arange(12.0)
    with h5py.File(path, "a") as h5:
        h5["events/userdef0"] = h5py.ExternalLink(str(other), "x")


@hostile
def external_link_group(path: Path, secret: Path) -> None:
    """The group of events lies in another file."""
    other = sound(secret.with_suffix(".rtdc"))
    with h5py.File(path, "w") as h5:
        h5["events"] = h5py.ExternalLink(str(other), "/events")


@hostile
def soft_link_through_external(path: Path, secret: Path) -> None:
    """A soft link whose way leads through an external link."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["out"] = h5py.ExternalLink(str(secret.with_suffix(".h5")), "/")
        h5["events/userdef0"] = h5py.SoftLink("/out/x")


@hostile
def virtual_dataset(path: Path, secret: Path) -> None:
    """A feature assembled from another file."""
    sound(path)
    layout = h5py.VirtualLayout(shape=(12,), dtype="f8")
    layout[:] = h5py.VirtualSource(str(secret.with_suffix(".h5")), "x", shape=(12,))
    with h5py.File(path, "a") as h5:
        h5["events"].create_virtual_dataset("userdef0", layout)


@hostile
def virtual_dataset_unlimited(path: Path, secret: Path) -> None:
    """A virtual dataset of unknown length: asking for its size opens the source."""
    sound(path)
    layout = h5py.VirtualLayout(shape=(12,), dtype="f8", maxshape=(None,))
    source = h5py.VirtualSource(str(secret.with_suffix(".h5")), "x", shape=(12,), maxshape=(None,))
    layout[: h5s.UNLIMITED] = source[: h5s.UNLIMITED]
    with h5py.File(path, "a") as h5:
        h5["events"].create_virtual_dataset("userdef0", layout)


@hostile
def nested_external_storage(path: Path, secret: Path) -> None:
    """External storage hidden in a group that no RT-DC program looks at."""
    sound(path)
    with h5py.File(path, "a") as h5:
        group = h5.create_group("a/b/c")
        group.create_dataset("x", shape=(64,), dtype="u1", external=[(str(secret), 0, 64)])


@hostile
def external_storage_contour(path: Path, secret: Path) -> None:
    """One of the stored contours lies in another file."""
    sound(path, contours=True)
    with h5py.File(path, "a") as h5:
        del h5["events/contour/5"]
        h5["events/contour"].create_dataset("5", shape=(8, 2), dtype="i8", external=[(str(secret), 0, 128)])


@strange
def soft_link_loop(path: Path, secret: Path) -> None:
    """Two soft links that lead to each other."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/userdef0"] = h5py.SoftLink("/events/userdef1")
        h5["events/userdef1"] = h5py.SoftLink("/events/userdef0")


@strange
def soft_link_dangling(path: Path, secret: Path) -> None:
    """A soft link to nothing."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/userdef0"] = h5py.SoftLink("/nowhere")


@strange
def soft_link_to_group(path: Path, secret: Path) -> None:
    """A soft link back to the root."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/again"] = h5py.SoftLink("/")


@strange
def hard_link_loop(path: Path, secret: Path) -> None:
    """A group that contains itself."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/again"] = h5["events"]


@strange
def announces_800_gb(path: Path, secret: Path) -> None:
    """A few kilobytes that announce 800 GB of zeros."""
    with h5py.File(path, "w") as h5:
        sound_attributes(h5, 12)
        h5["events/deform"] = np.zeros(12)
        h5["events"].create_dataset("image", shape=(40_000_000, 80, 250), dtype="u1", chunks=(10, 80, 250))


@strange
def zip_bomb(path: Path, secret: Path) -> None:
    """Really stored zeros, packed a thousandfold."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5.create_dataset("tables/zeros", data=np.zeros(20_000_000), compression="gzip", chunks=(2_000_000,))


@strange
def giant_chunk(path: Path, secret: Path) -> None:
    """One chunk of more than a gigabyte."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events"].create_dataset("userdef0", shape=(12,), maxshape=(None,), chunks=(400_000_000,), dtype="f4")


@hostile
def giant_attributes(path: Path, secret: Path) -> None:
    """Attributes of 40 MB (dense storage)."""
    with h5py.File(path, "w", libver="latest") as h5:
        sound_attributes(h5, 12)
        h5["events/deform"] = np.zeros(12)
        for index in range(20):
            h5.attrs[f"user:blob {index}"] = np.zeros(250_000)


@strange
def many_attributes(path: Path, secret: Path) -> None:
    """Thousands of attributes."""
    sound(path)
    with h5py.File(path, "a", libver="latest") as h5:
        for index in range(3000):
            h5["events"].attrs[f"user:{index}"] = index


@strange
def many_objects(path: Path, secret: Path) -> None:
    """Tens of thousands of empty groups."""
    sound(path)
    with h5py.File(path, "a", libver="latest") as h5:
        for index in range(21_000):
            h5.create_group(f"many/{index}")


@strange
def deep_nesting(path: Path, secret: Path) -> None:
    """Groups in groups in groups."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5.create_group("/".join("abcdefghijklmnop"))


@strange
def unknown_filter(path: Path, secret: Path) -> None:
    """A filter that would have to be loaded from a plug-in."""
    sound(path)
    with h5py.File(path, "a") as h5:
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((12,))
        plist.set_filter(32999, h5py.h5z.FLAG_OPTIONAL, (1, 2))
        space = h5s.create_simple((12,))
        h5d.create(h5["events"].id, b"userdef0", h5t.IEEE_F64LE, space, plist)


@strange
def allowed_library_unknown_filter(path: Path, secret: Path) -> None:
    """A filter that happens to be installed but that RT-DC files have no use for."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events"].create_dataset("userdef0", data=np.arange(12.0), chunks=(12,), **hdf5plugin.FciDecomp())


@strange
def reference_feature(path: Path, secret: Path) -> None:
    """A dataset of object references."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5.create_dataset("tables/references", data=[h5["events"].ref] * 4, dtype=h5py.ref_dtype)


@strange
def ragged_feature(path: Path, secret: Path) -> None:
    """A dataset of variable-length lists."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events"].create_dataset("userdef0", shape=(12,), dtype=h5py.vlen_dtype(np.float64))


@hostile
def not_hdf5(path: Path, secret: Path) -> None:
    """Something else altogether."""
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)


@hostile
def empty_file(path: Path, secret: Path) -> None:
    """Zero bytes."""
    path.write_bytes(b"")


@hostile
def truncated(path: Path, secret: Path) -> None:
    """The second half is missing."""
    sound(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@hostile
def no_events_group(path: Path, secret: Path) -> None:
    """HDF5, but nothing of RT-DC in it."""
    with h5py.File(path, "w") as h5:
        h5["x"] = np.arange(10)


@hostile
def events_is_dataset(path: Path, secret: Path) -> None:
    """The group "events" is a dataset."""
    with h5py.File(path, "w") as h5:
        h5["events"] = np.arange(10)


@strange
def text_feature(path: Path, secret: Path) -> None:
    """A scalar feature of strings."""
    sound(path)
    with h5py.File(path, "a") as h5:
        del h5["events/deform"]
        h5["events"].create_dataset("deform", data=[b"a"] * 12)


@strange
def flat_image(path: Path, secret: Path) -> None:
    """Images with too few dimensions."""
    sound(path)
    with h5py.File(path, "a") as h5:
        del h5["events/image"]
        h5["events/image"] = np.zeros((12, 40), np.uint8)


@strange
def foreign_metadata_key(path: Path, secret: Path) -> None:
    """A root attribute that is no section:key."""
    sound(path, attributes={"rubbish": 1})


@strange
def bad_metadata_type(path: Path, secret: Path) -> None:
    """A number that is a list of lists."""
    sound(path, attributes={"experiment:event count": np.zeros((3, 3))})


@strange
def broken_basin(path: Path, secret: Path) -> None:
    """A basin definition that is no JSON."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["basins/abc"] = np.array([b'{"type": "file", '], dtype="S100")


@hostile
def unclosed(path: Path, secret: Path) -> None:
    """The recording program died; nobody knows whether what it wrote is complete."""
    die_while_writing(path, swmr=False)


@strange
def undecodable_name(path: Path, secret: Path) -> None:
    """The name of an object is no UTF-8."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5o.link(h5["logs/demo-generator"].id, h5["logs"].id, b"\xff\xfelog")


@strange
def undecodable_attribute(path: Path, secret: Path) -> None:
    """The name of an attribute is no UTF-8."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5a.create(h5.id, b"user:\xff\xfe", h5t.NATIVE_INT32, h5s.create(h5s.SCALAR)).write(np.array(1, np.int32))
