"""Random damage to files: of their bytes, and of their structure."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np


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
