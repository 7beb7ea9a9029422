"""Tasks that leave all their files and then fail, in the way that stands beside this module in the file `ends`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from appliance.jobs.rtdc.errors import RtdcError

_WAY = "refuse"
_FILES = {
    "metadata": ("logs.json", "tables.json"),
    "condense": ("condensed.rtdc", "draft.rtdc", "derived.f64"),
    "preview": ("preview.webp", "preview.jpg", "thumb.webp", "density.bin", "columns.bin"),
}


def warm_up():
    global _WAY
    _WAY = Path(__file__).with_name("ends").read_text()


def _fail(task, scratch):
    for name in _FILES[task]:
        (scratch / name).write_bytes(b'{"half": "made"}')
    if _WAY == "refuse":
        raise RtdcError("damaged", "not this one")
    if _WAY == "break":
        raise RuntimeError("a fault of ours")
    if _WAY == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"empty": {}, "list": [], "wrong": {"features": 7, "size": "large", "alt": [], "computed": {}}}[_WAY]


def metadata(request, input, scratch, *, progress):
    return _fail("metadata", scratch)


def condense(request, input, scratch, *, progress):
    return _fail("condense", scratch)


def preview(request, input, scratch, *, progress):
    return _fail("preview", scratch)
