"""A large measurement from a smaller one in minutes: `python bench/jobs/enlarge.py SOURCE TARGET EVENTS`.

Compressed chunks of pictures are copied as they are, again and again; everything else is written anew, in the same period. Of both
files only whole chunks of pictures count. So the features of the new file's events are those of the source's, repeated.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

PACK = hdf5plugin.Zstd(clevel=5)


def main() -> None:
    """Write the file and tell its size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("events", type=int)
    options = parser.parse_args()
    events = enlarge(options.source, options.target, options.events)
    print(f"{events:,} events, {options.target.stat().st_size / 1e9:.2f} GB")


def enlarge(source: Path, target: Path, events: int) -> int:
    """Write `source` (chunked, with images, at least one chunk of them) again and again. → number of events of the new file."""
    with h5py.File(source) as given, h5py.File(target, "w", libver=("v108", "latest")) as h5:
        step = given["events/image"].chunks[0]
        period, events = len(given["events/image"]) // step * step, events // step * step
        h5.attrs.update(given.attrs)
        h5.attrs["experiment:event count"] = events
        for name in ("logs", "tables"):
            if name in given:
                given.copy(name, h5)
        for name, data in _datasets(given["events"]):
            key = f"events/{name}"
            if data.ndim == 3 and data.chunks[0] == step and data.chunks[1:] == data.shape[1:]:
                _repeat_chunks(data, h5, key, events)
            else:
                _repeat_values(data, period, h5, key, events, rising=name in ("frame", "time"))
    return events


def _datasets(group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    for name, item in group.items():
        if isinstance(item, h5py.Dataset):
            yield name, item
        else:
            yield from ((f"{name}/{key}", data) for key, data in _datasets(item))


def _repeat_chunks(data: h5py.Dataset, h5: h5py.File, key: str, events: int) -> None:
    """Copy whole compressed chunks; the last, partly filled one of the source is left out."""
    step, whole = data.chunks[0], data.shape[0] // data.chunks[0]
    properties = data.id.get_create_plist()
    space = h5py.h5s.create_simple((events, *data.shape[1:]), (h5py.h5s.UNLIMITED, *data.shape[1:]))
    parents = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    parents.set_create_intermediate_group(True)
    made = h5py.h5d.create(h5.id, key.encode(), data.id.get_type(), space, properties, lcpl=parents)
    packed = [data.id.read_direct_chunk((index * step, 0, 0)) for index in range(whole)]
    for index in range(events // step):
        mask, content = packed[index % whole]
        made.write_direct_chunk((index * step, 0, 0), content, mask)
    h5[key].attrs.update(data.attrs)


def _repeat_values(data: h5py.Dataset, period: int, h5: h5py.File, key: str, events: int, *, rising: bool) -> None:
    """Write the first `period` values again and again; moments (`rising`) go on rising."""
    values = data[:period]
    chunks: Any = (min(events, data.chunks[0]), *data.shape[1:])
    made = h5.create_dataset(key, (events, *data.shape[1:]), data.dtype, chunks=chunks, fletcher32=True, **PACK)
    for start in range(0, events, chunks[0]):
        chosen = np.arange(start, min(start + chunks[0], events))
        part = values[chosen % period]
        made[start : start + len(chosen)] = (
            part + (chosen // period * values.max()).astype(part.dtype) if rising else part
        )
    made.attrs.update({key: value for key, value in data.attrs.items() if key not in ("min", "max", "mean")})


if __name__ == "__main__":
    main()
