"""Small sound RT-DC files for tests of the kernel, and running its tasks in children as the service does."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from appliance.demo import synthetic

#: Stands in the file that hostile files try to reach; must never show up in any output.
SECRET = b"root:$6$geheim$0123456789abcdefSECRETSECRET:19000:0:99999:7:::\n"


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


def sound_attributes(h5: h5py.File, events: int) -> None:
    """The least metadata that dclab opens, and an empty group of events."""
    h5.require_group("events")
    h5.attrs["experiment:event count"] = events
    h5.attrs["experiment:sample"] = "odd"
    h5.attrs["experiment:run index"] = 1
    h5.attrs["imaging:pixel size"] = 0.34


def die_while_writing(path: Path, *, swmr: bool) -> None:
    """Write a file in a process that ends without closing it."""
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


def run_forked(work: Callable[[], Any], seconds: float = 60.0) -> dict[str, Any]:
    """Run `work` in a forked child. → {answer} | {kind, message} | {crash: signal or "timeout"} | {bug: traceback}.

    HDF5 may crash or run in a circle on damaged files; only the child does then, and the sandbox ends it.
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
        return {"crash": "timeout"}
    if os.WIFSIGNALED(status):
        return {"crash": os.WTERMSIG(status)}
    return json.loads(data) if data else {"crash": os.waitstatus_to_exitcode(status)}  # type: ignore[no-any-return]


def damage_image(path: Path) -> None:
    """Overwrite some bytes of the first compressed piece of the images: its checksum tells."""
    with h5py.File(path) as h5:
        start = h5["events/image"].id.get_chunk_info(0).byte_offset + 50
    data = bytearray(path.read_bytes())
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)


def address_space() -> int:
    """→ bytes of address space that this process has in use; a bound on more of it has to count from there."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
