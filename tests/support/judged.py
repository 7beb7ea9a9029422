"""Measurements that deserve different verdicts: a good, a drifting and a broken one."""

from __future__ import annotations

from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  the filters of compressed columns
import numpy as np

from tests.support.samples import synthetic

GRADES = {"good": "good", "drifting": "look", "broken": "bad"}


def measurement(folder: Path, name: str, events: int = 250) -> Path:
    """Write one of `GRADES` into the folder. → its path."""
    path = folder / f"{name}.rtdc"
    path.write_bytes(synthetic("--seed", "5", events=events).read_bytes())
    with h5py.File(path, "a") as h5:
        group = h5["events"]
        if name == "drifting":
            group["bright_avg"][:] = group["bright_avg"][:] * np.linspace(1, 1.5, events)
        elif name == "broken":
            short = group["deform"][:-10]
            del group["deform"]
            group.create_dataset("deform", data=short)
    return path
