"""RT-DC files for tests of the kernel: small sound ones, and hostile ones that try to get at other files.

Each builder in `HOSTILE` writes a file that has to be refused; those in `ODD` write unusual ones that have to give a right
result or a clear reason.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from h5py import h5d, h5p, h5s, h5t

from appliance.demo import synthetic

Builder = Callable[[Path, Path], None]

#: Stands in the file that hostile files try to reach; must never show up in any output.
SECRET = b"root:$6$geheim$0123456789abcdefSECRETSECRET:19000:0:99999:7:::\n"

HOSTILE: dict[str, Builder] = {}
ODD: dict[str, Builder] = {}


def sound(path: Path, events: int = 12, **options: Any) -> Path:
    """Write a small valid file. → its path."""
    options.setdefault("shape", (40, 80))
    options.setdefault("channel_width", 10.0)
    options.setdefault("kind", "beads")
    synthetic.write(path, events=events, **options)
    return path


def plant_secret(folder: Path) -> Path:
    """Write the file that nobody may read. → its path; it is large enough to back a feature."""
    path = folder / "shadow"
    path.write_bytes(SECRET * 200)
    return path


def hostile(builder: Builder) -> Builder:
    """Register a file that must be refused."""
    HOSTILE[builder.__name__] = builder
    return builder


def odd(builder: Builder) -> Builder:
    """Register a file that must give a right result or a clear reason."""
    ODD[builder.__name__] = builder
    return builder


# --- files that reach out ---------------------------------------------------------------------------------------------


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


# --- loops, bombs, foreign code ---------------------------------------------------------------------------------------


@hostile
def soft_link_loop(path: Path, secret: Path) -> None:
    """Two soft links that lead to each other."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/userdef0"] = h5py.SoftLink("/events/userdef1")
        h5["events/userdef1"] = h5py.SoftLink("/events/userdef0")


@hostile
def soft_link_dangling(path: Path, secret: Path) -> None:
    """A soft link to nothing."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/userdef0"] = h5py.SoftLink("/nowhere")


@hostile
def soft_link_to_group(path: Path, secret: Path) -> None:
    """A soft link back to the root."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/again"] = h5py.SoftLink("/")


@hostile
def hard_link_loop(path: Path, secret: Path) -> None:
    """A group that contains itself."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events/again"] = h5["events"]


@hostile
def announces_800_gb(path: Path, secret: Path) -> None:
    """A few kilobytes that announce 800 GB of zeros."""
    with h5py.File(path, "w") as h5:
        sound_attributes(h5, 12)
        h5["events/deform"] = np.zeros(12)
        h5["events"].create_dataset("image", shape=(40_000_000, 80, 250), dtype="u1", chunks=(10, 80, 250))


@hostile
def zip_bomb(path: Path, secret: Path) -> None:
    """Really stored zeros, packed a thousandfold."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5.create_dataset("tables/zeros", data=np.zeros(20_000_000), compression="gzip", chunks=(2_000_000,))


@hostile
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


@hostile
def many_attributes(path: Path, secret: Path) -> None:
    """Thousands of attributes."""
    sound(path)
    with h5py.File(path, "a", libver="latest") as h5:
        for index in range(3000):
            h5["events"].attrs[f"user:{index}"] = index


@hostile
def many_objects(path: Path, secret: Path) -> None:
    """Tens of thousands of empty groups."""
    sound(path)
    with h5py.File(path, "a", libver="latest") as h5:
        for index in range(21_000):
            h5.create_group(f"many/{index}")


@hostile
def deep_nesting(path: Path, secret: Path) -> None:
    """Groups in groups in groups."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5.create_group("/".join("abcdefghijklmnop"))


@hostile
def unknown_filter(path: Path, secret: Path) -> None:
    """A filter that would have to be loaded from a plug-in."""
    sound(path)
    with h5py.File(path, "a") as h5:
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((12,))
        plist.set_filter(32999, h5py.h5z.FLAG_OPTIONAL, (1, 2))
        space = h5s.create_simple((12,))
        h5d.create(h5["events"].id, b"userdef0", h5t.IEEE_F64LE, space, plist)


@hostile
def allowed_library_unknown_filter(path: Path, secret: Path) -> None:
    """A filter that happens to be installed but that RT-DC files have no use for."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["events"].create_dataset("userdef0", data=np.arange(12.0), chunks=(12,), **hdf5plugin.FciDecomp())


@hostile
def reference_feature(path: Path, secret: Path) -> None:
    """A dataset of object references."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5.create_dataset("tables/references", data=[h5["events"].ref] * 4, dtype=h5py.ref_dtype)


@hostile
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


@hostile
def text_feature(path: Path, secret: Path) -> None:
    """A scalar feature of strings."""
    sound(path)
    with h5py.File(path, "a") as h5:
        del h5["events/deform"]
        h5["events"].create_dataset("deform", data=[b"a"] * 12)


@hostile
def flat_image(path: Path, secret: Path) -> None:
    """Images with too few dimensions."""
    sound(path)
    with h5py.File(path, "a") as h5:
        del h5["events/image"]
        h5["events/image"] = np.zeros((12, 40), np.uint8)


@hostile
def foreign_metadata_key(path: Path, secret: Path) -> None:
    """A root attribute that is no section:key."""
    sound(path, attributes={"rubbish": 1})


@hostile
def bad_metadata_type(path: Path, secret: Path) -> None:
    """A number that is a list of lists."""
    sound(path, attributes={"experiment:event count": np.zeros((3, 3))})


@hostile
def broken_basin(path: Path, secret: Path) -> None:
    """A basin definition that is no JSON."""
    sound(path)
    with h5py.File(path, "a") as h5:
        h5["basins/abc"] = np.array([b'{"type": "file", '], dtype="S100")


# --- odd but honest ---------------------------------------------------------------------------------------------------


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
    _die_while_writing(path, swmr=True)


@hostile
def unclosed(path: Path, secret: Path) -> None:
    """The recording program died; nobody knows whether what it wrote is complete."""
    _die_while_writing(path, swmr=False)


def _die_while_writing(path: Path, *, swmr: bool) -> None:
    if (pid := os.fork()) == 0:
        h5 = h5py.File(path, "w", libver="latest", locking=False)
        sound_attributes(h5, 12)
        for name in ("deform", "area_um"):
            h5["events"].create_dataset(name, data=np.arange(12.0), maxshape=(None,), chunks=(12,))
        h5.flush()
        if swmr:
            h5.swmr_mode = True
        os._exit(0)
    os.waitpid(pid, 0)


def sound_attributes(h5: h5py.File, events: int) -> None:
    """The least metadata that dclab opens, and an empty group of events."""
    h5.require_group("events")
    h5.attrs["experiment:event count"] = events
    h5.attrs["experiment:sample"] = "odd"
    h5.attrs["experiment:run index"] = 1
    h5.attrs["imaging:pixel size"] = 0.34


# --- mutations --------------------------------------------------------------------------------------------------------


def mutate_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file without knowing its structure: flipped bits, zeroed or copied blocks, cut or repeated parts."""
    damaged = bytearray(data)
    kind = rng.integers(0, 6)
    size = len(damaged)
    if kind == 0:
        for position in rng.integers(0, size, rng.integers(1, 30)):
            damaged[position] ^= 1 << int(rng.integers(0, 8))
    elif kind == 1:
        # Headers of the root group, messages and heaps lie at the front.
        for position in rng.integers(0, min(size, 8192), rng.integers(1, 12)):
            damaged[position] = int(rng.integers(0, 256))
    elif kind == 2:
        start = int(rng.integers(0, size))
        length = int(rng.integers(1, 600))
        damaged[start : start + length] = bytes(len(damaged[start : start + length]))
    elif kind == 3:
        source, target = (int(n) for n in rng.integers(0, size - 512, 2))
        damaged[target : target + 512] = damaged[source : source + 512]
    elif kind == 4:
        del damaged[int(rng.integers(size // 4, size)) :]
    else:
        # Numbers that structures are made of: sizes, addresses, counts.
        for position in rng.integers(0, min(size, 40_000) // 8, rng.integers(1, 6)) * 8:
            number = (0, 1, 2**31, 2**63 - 1, 2**64 - 1)[int(rng.integers(0, 5))]
            number = (0, 1, 2**31, 2**63 - 1, 2**64 - 1)[int(rng.integers(0, 5))]
            damaged[position : position + 8] = number.to_bytes(8, "little")
    return bytes(damaged)


def mutate_structure(path: Path, rng: np.random.Generator) -> None:
    """Change a valid file into a valid HDF5 file that is wrong as RT-DC: types, shapes, names, attributes, places."""
    with h5py.File(path, "a") as h5:
        events = h5["events"]
        name = str(rng.choice(sorted(events)))
        kind = int(rng.integers(0, 9))
        if kind == 0:
            del events[name]
            shape = tuple(int(n) for n in rng.integers(0, 9, rng.integers(0, 4)))
            dtype = rng.choice(["u1", "i8", "f2", "f8", "c16", "S5", "?", "i1"])
            events[name] = np.zeros(shape, dtype)
        elif kind == 1:
            key = str(rng.choice(sorted(h5.attrs)))
            h5.attrs[key] = [b"\xff\xfe", "text", -1, 2**63 - 1, np.nan, [1, 2, 3], "", True][int(rng.integers(0, 8))]
        elif kind == 2:
            h5.move(
                f"events/{name}", f"events/{rng.choice(['image', 'mask', 'trace', 'contour', 'volume', 'time'])}x"[:-1]
            )
        elif kind == 3:
            del events[name]
            events.create_group(name)["0"] = np.zeros(3)
        elif kind == 4:
            del h5[str(rng.choice(sorted(h5)))]
        elif kind == 5:
            target = str(rng.choice(["logs", "tables", "basins", "basin_events"]))
            h5.require_group(target)["x"] = [np.zeros(3), "text", np.zeros((2, 2), "S3")][int(rng.integers(0, 3))]
        elif kind == 6 and isinstance(events[name], h5py.Dataset) and events[name].maxshape[0] is None:
            events[name].resize(int(rng.integers(0, 40)), axis=0)
        elif kind == 7:
            basin = {"type": "internal", "format": str(rng.choice(["h5dataset", "h5datasetchop", "hdf5"]))}
            basin |= {"paths": ["basin_events"], "features": ["image", "userdef1"], "mapping": "basinmap0", "name": "x"}
            h5.require_group("basin_events")["userdef1"] = np.arange(5.0)
            h5["events/basinmap0"] = rng.integers(0, 9, 12)
            h5.require_group("basins")["k"] = np.array([json.dumps(basin).encode()], "S400")
        else:
            h5.attrs["imaging:roi size x"] = int(rng.integers(0, 5000))
            h5.attrs["setup:software version"] = str(rng.choice(["dclab 0.1", "dclab x.y", "|", "ShapeIn 2.0.6"]))


# --- running a task as the sandbox does -------------------------------------------------------------------------------


def run_forked(work: Callable[[], Any], seconds: float = 60.0) -> dict[str, Any]:
    """Run `work` in a forked child. → {answer} | {kind, message} | {crash: signal} | {bug: traceback}.

    HDF5 may crash on damaged files; only the child does then.
    """
    from appliance.jobs.rtdc.errors import RtdcError

    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            try:
                result: dict[str, Any] = {"answer": work()}
            except RtdcError as exc:
                result = {"kind": exc.kind, "message": exc.message}
            except Exception as exc:
                result = {"bug": f"{type(exc).__name__}: {exc}"}
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(json.dumps(result).encode())
        finally:
            os._exit(0)
    os.close(writer)
    return _collect(pid, reader, seconds)


def _collect(pid: int, reader: int, seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.alarm(int(seconds) + 1)
    try:
        with os.fdopen(reader, "rb") as pipe:
            data = pipe.read()
        _, status = os.waitpid(pid, 0)
    finally:
        signal.alarm(0)
    if time.monotonic() > deadline:
        return {"bug": "timeout"}
    if os.WIFSIGNALED(status):
        return {"crash": os.WTERMSIG(status)}
    return json.loads(data) if data else {"crash": os.waitstatus_to_exitcode(status)}  # type: ignore[no-any-return]
