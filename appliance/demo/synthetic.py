"""Write a synthetic RT-DC measurement that dclab's `check_dataset` finds nothing wrong with.

`write` is deterministic: the same arguments give the same data. Run as `python -m appliance.demo.synthetic OUT.rtdc`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from dclab.features.bright import get_bright
from dclab.features.contour import get_contour
from dclab.rtdc_dataset import RTDCWriter

from . import cells
from .cells import Array, Template

#: Drawn cells at most; a larger measurement shows them several times (other place, other noise).
MAX_TEMPLATES = 1500
BATCH = 500
SAMPLES = 177
SAMPLE_RATE = 312_500
CHANNELS = ("525/50", "593/46", "700/75")


@dataclass(frozen=True)
class _Events:
    """What happened, event by event: which of the drawn cells (`templates`) passed, where, when and how bright.

    :ivar chosen: (events,) index of the template. :ivar placed: (events, 2) row and column [px] of its upper left corner.
    :ivar frames: (events,) number of the camera's frame. :ivar signals: (events, 3) typical fluorescence maxima.
    :ivar repeated: some cell was drawn several times.
    """

    templates: list[Template]
    chosen: Array
    placed: Array
    frames: Array
    signals: Array
    repeated: bool


@dataclass(frozen=True)
class _Scene:
    """What all pictures of a measurement share."""

    shape: tuple[int, int]
    backgrounds: Array
    noise: Array


def write(
    path: Path | str,
    *,
    events: int = 500,
    seed: int = 0,
    fluorescence: bool = True,
    images: bool = True,
    background: bool = True,
    contours: bool = False,
    logs: bool = True,
    tables: bool = True,
    sample: str = "Demo cells",
    date: str = "2024-05-17",
    time: str = "10:04:03",
    run_index: int = 1,
    kind: str = "cell line",
    chip_region: str = "channel",
    channel_width: float = 20.0,
    flow_rate: float = 0.06,
    pixel_size: float = 0.34,
    shape: tuple[int, int] = (80, 250),
    setup: str = "ZMDD-AcC-demo00-000001",
    attributes: Mapping[str, Any] | None = None,
    extra_logs: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Write an .rtdc file. → {events, features, bytes}; 1,000 events with images take about 2 s.

    `kind`: beads, cell line, blood. `shape`: image (rows, columns) [px]. `attributes` and `extra_logs` add to or replace
    metadata ("section:key") and logs. Raises ValueError for less than one event.
    """
    if events < 1:
        raise ValueError("A measurement has at least one event.")
    target = Path(path)
    rng = np.random.default_rng(seed)
    scene, passed = _drawn(events, kind, channel_width, chip_region == "channel", pixel_size, shape, rng)
    with h5py.File(target, "w") as h5:
        meta = _attributes(sample, date, time, run_index, events, chip_region, channel_width, flow_rate, pixel_size)
        meta |= {"imaging:roi size x": shape[1], "imaging:roi size y": shape[0], "setup:identifier": setup}
        h5.attrs.update(meta | (_fluorescence_attributes() if fluorescence else {}))
        with RTDCWriter(h5, mode="append") as writer:
            scalars = _scalars(passed, pixel_size, rng)
            brightness = _pictures(writer, passed, scene, images, background, rng)
            for name, values in (scalars | brightness).items():
                writer.store_feature(name, values)
            if fluorescence:
                _fluorescence(writer, passed.signals, rng)
            if contours:
                writer.store_feature("contour", _contours(passed))
            for name, lines in (({} if not logs else _logs(sample, seed)) | dict(extra_logs or {})).items():
                writer.store_log(name, list(lines))
            if tables:
                writer.store_table("cytoshot_monitor", _monitor(float(passed.frames[-1]) / 2000.0, rng))
        h5.attrs.update(dict(attributes or {}))
        names = sorted(h5["events"])
    return {"events": events, "features": names, "bytes": target.stat().st_size}


def _drawn(
    events: int,
    kind: str,
    channel_width: float,
    in_channel: bool,
    pixel_size: float,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[_Scene, _Events]:
    drawn = cells.sample(kind, min(events, MAX_TEMPLATES), channel_width, in_channel, rng)
    populations = cells.KINDS[kind]
    templates = [
        cells.draw(area / pixel_size**2, deform, populations[which].contrast, pixel_size, rng)
        for which, area, deform in zip(drawn["population"], drawn["area"], drawn["deform"], strict=True)
    ]
    repeated = events > len(templates)
    chosen = rng.integers(0, len(templates), events) if repeated else np.arange(events)
    scene = _scene(shape, channel_width / pixel_size, rng)
    placed = _places(templates, chosen, shape, rng)
    frames = np.cumsum(rng.integers(1, 40, events)).astype(np.uint64)
    signals = np.array([population.signal for population in populations])[drawn["population"][chosen]]
    return scene, _Events(templates, chosen, placed, frames, signals, repeated)


def _scene(shape: tuple[int, int], channel_px: float, rng: np.random.Generator) -> _Scene:
    backgrounds = np.stack([cells.background(shape, min(channel_px, shape[0] - 8), rng) for _ in range(4)])
    return _Scene(shape, backgrounds, np.rint(rng.normal(0.0, 2.2, (48, *shape))).astype(np.int16))


def _places(templates: list[Template], chosen: Array, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """→ (events, 2) rows and columns of the patches' upper left corners: in mid-channel, anywhere along the picture."""
    heights = np.array([t.patch.shape[0] for t in templates])[chosen]
    widths = np.array([t.patch.shape[1] for t in templates])[chosen]
    lateral = (shape[0] - heights) / 2 + rng.normal(0.0, 1.5, len(chosen))
    rows = np.clip(np.rint(lateral), 0, shape[0] - heights).astype(int)
    columns = np.rint(rng.uniform(0.15, 0.85, len(chosen)) * (shape[1] - widths)).astype(int)
    return np.stack([rows, columns], axis=1)


def _scalars(passed: _Events, pixel_size: float, rng: np.random.Generator) -> dict[str, Array]:
    """→ the scalar features by name, (events,) each: those of the cells' masks, and what follows from them."""
    chosen, placed = passed.chosen, passed.placed
    names = passed.templates[0].features
    found = {name: np.array([template.features[name] for template in passed.templates])[chosen] for name in names}
    if passed.repeated:
        # A cell drawn again differs by less than a pixel, or scatter plots would show a grid of points.
        found["area_cvx"] = found["area_cvx"] * np.exp(rng.normal(0, 0.006, len(chosen)))
        found["area_msd"] = np.minimum(found["area_msd"], found["area_cvx"])
        found["circ"] = np.minimum(found["circ"] * np.exp(rng.normal(0, 0.0012, len(chosen))), 0.999)
    position = {
        "pos_x": (found.pop("centre_x") + placed[:, 1]) * pixel_size,
        "pos_y": (found.pop("centre_y") + placed[:, 0]) * pixel_size,
    }
    derived = {
        "area_um": found["area_cvx"] * pixel_size**2,
        "area_ratio": found["area_cvx"] / found["area_msd"],
        "aspect": found["size_x"] / found["size_y"],
        "deform": 1 - found["circ"],
        "temp": 23.0 + 0.2 * np.sin(np.linspace(0, 3, len(chosen))) + rng.normal(0, 0.01, len(chosen)),
    }
    as_float = {name: values.astype(np.float32) for name, values in (found | position | derived).items()}
    return as_float | {"frame": passed.frames}


def _pictures(
    writer: RTDCWriter, passed: _Events, scene: _Scene, store: bool, background: bool, rng: np.random.Generator
) -> dict[str, Array]:
    """Store images, masks and backgrounds batch by batch. → {bright_avg, bright_sd}."""
    averages, deviations = [], []
    count = len(passed.chosen)
    for start in range(0, count, BATCH):
        stop = min(start + BATCH, count)
        # The illumination drifts slowly, so that neighbouring events share their background.
        which = (np.arange(start, stop) * 4 // count) % len(scene.backgrounds)
        backgrounds = scene.backgrounds[which]
        pictures = backgrounds + scene.noise[rng.integers(0, len(scene.noise), stop - start)]
        masks = np.zeros(pictures.shape, dtype=bool)
        for index in range(start, stop):
            template, (row, column) = passed.templates[passed.chosen[index]], passed.placed[index]
            box = np.s_[row : row + template.mask.shape[0], column : column + template.mask.shape[1]]
            pictures[index - start][box] += template.patch
            masks[index - start][box] = template.mask
        frames = np.clip(pictures, 0, 255).astype(np.uint8)
        average, deviation = get_bright(mask=masks, image=frames, ret_data="avg,sd")
        averages.append(average)
        deviations.append(deviation)
        if store:
            writer.store_feature("image", frames)
            writer.store_feature("mask", masks)
            if background:
                writer.store_feature("image_bg", backgrounds.astype(np.uint8))
    bright = {"bright_avg": np.concatenate(averages), "bright_sd": np.concatenate(deviations)}
    return {name: values.astype(np.float32) for name, values in bright.items()}


def _contours(passed: _Events) -> list[Array]:
    """→ each event's contour, (points, 2) x and y [px] in the picture."""
    pairs = zip(passed.chosen, passed.placed, strict=True)
    return [get_contour(passed.templates[which].mask) + place[::-1].astype(int) for which, place in pairs]


def _fluorescence(writer: RTDCWriter, signals: Array, rng: np.random.Generator) -> None:
    """Peaks around the middle of the trace; the scalar features follow from the peak."""
    count = len(signals)
    microseconds = 1e6 / SAMPLE_RATE
    position = rng.normal(SAMPLES / 2, 6.0, count)
    width = np.abs(rng.normal(7.0, 1.2, count)) + 1.5
    for channel in range(3):
        name = f"fl{channel + 1}"
        height = signals[:, channel] * np.exp(rng.normal(0.0, 0.45, count)) + 5.0
        shifted = position + rng.normal(0, 0.6, count)
        peaks = np.empty(count)
        for start in range(0, count, 5000):
            part = slice(start, start + 5000)
            offset = (np.arange(SAMPLES)[None, :] - shifted[part, None]) / width[part, None]
            clean = np.clip(height[part, None] * np.exp(-(offset**2) / 2), 0, 30_000)
            raw = np.rint(clean + rng.normal(0, 4.0, clean.shape)).astype(np.int16)
            smooth = np.rint(clean).astype(np.int16)
            writer.store_feature("trace", {f"{name}_raw": raw, f"{name}_median": smooth})
            peaks[part] = np.maximum(smooth.max(axis=1), 1)
        writer.store_feature(f"{name}_max", peaks)
        writer.store_feature(f"{name}_area", (peaks * width * np.sqrt(2 * np.pi)).astype(np.float32))
        writer.store_feature(f"{name}_pos", (shifted * microseconds).astype(np.float32))
        writer.store_feature(f"{name}_width", (2.355 * width * microseconds).astype(np.float32))


def _attributes(
    sample: str,
    date: str,
    time: str,
    run_index: int,
    events: int,
    chip_region: str,
    channel_width: float,
    flow_rate: float,
    pixel_size: float,
) -> dict[str, Any]:
    return {
        "experiment:date": date,
        "experiment:event count": events,
        "experiment:run index": run_index,
        "experiment:sample": sample,
        "experiment:time": time,
        "imaging:flash device": "LED (ZMD L1)",
        "imaging:flash duration": 2.0,
        "imaging:frame rate": 2000.0,
        "imaging:pixel size": pixel_size,
        "imaging:roi position x": 629,
        "imaging:roi position y": 512,
        "online_contour:bin area min": 10,
        "online_contour:bin kernel": 5,
        "online_contour:bin threshold": -6,
        "online_contour:image blur": 0,
        "online_contour:no absdiff": True,
        "setup:channel width": channel_width,
        "setup:chip identifier": "demo-chip-1",
        "setup:chip region": chip_region,
        "setup:flow rate": flow_rate,
        "setup:flow rate sample": flow_rate / 4,
        "setup:flow rate sheath": 3 * flow_rate / 4,
        "setup:medium": "CellCarrierB",
        "setup:module composition": "AcCellerator,FluorescenceModule",
        "setup:software version": "ShapeIn 2.3.0",
        "setup:temperature": 23.0,
    }


def _fluorescence_attributes() -> dict[str, Any]:
    names = {f"fluorescence:channel {n} name": name for n, name in enumerate(CHANNELS, 1)}
    return names | {
        "fluorescence:bit depth": 16,
        "fluorescence:channel count": 3,
        "fluorescence:channels installed": 3,
        "fluorescence:laser 1 lambda": 488.0,
        "fluorescence:laser 1 power": 8.0,
        "fluorescence:laser 3 lambda": 640.0,
        "fluorescence:laser 3 power": 40.0,
        "fluorescence:laser count": 2,
        "fluorescence:lasers installed": 3,
        "fluorescence:sample rate": SAMPLE_RATE,
        "fluorescence:samples per event": SAMPLES,
        "fluorescence:signal max": 1.0,
        "fluorescence:signal min": -1.0,
        "fluorescence:trace median": 21,
    }


def _logs(sample: str, seed: int) -> dict[str, list[str]]:
    settings = {"generator": "appliance.demo.synthetic", "sample": sample, "seed": seed, "synthetic": True}
    return {
        "demo-generator": json.dumps(settings, indent=2, sort_keys=True).split("\n"),
        "shapein-acquisition": [
            "[I] acquisition started",
            "[I] chip focussed, region of interest set",
            "[W] temperature sensor read 3 times",
            "[I] target event count reached",
        ],
    }


def _monitor(duration: float, rng: np.random.Generator) -> dict[str, Array]:
    steps = 60
    return {
        "time": np.linspace(0.0, duration, steps),
        "temperature": 23.0 + rng.normal(0.0, 0.02, steps),
        "brightness": 110.0 + rng.normal(0.0, 0.4, steps),
        "focus": rng.normal(0.0, 0.1, steps),
        "pressure_sample": 250.0 + rng.normal(0.0, 1.5, steps),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line of the generator; prints a JSON summary. → exit code."""
    parser = argparse.ArgumentParser(prog="python -m appliance.demo.synthetic", description=__doc__.split("\n")[0])
    parser.add_argument("path", type=Path, help="file to write (.rtdc)")
    parser.add_argument("--events", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=sorted(cells.KINDS), default="cell line")
    parser.add_argument("--sample", default="Demo cells")
    parser.add_argument("--date", default="2024-05-17")
    parser.add_argument("--time", default="10:04:03")
    parser.add_argument("--run-index", type=int, default=1)
    parser.add_argument("--chip-region", choices=["channel", "reservoir"], default="channel")
    parser.add_argument("--flow-rate", type=float, default=0.06)
    parser.add_argument("--setup", default="ZMDD-AcC-demo00-000001")
    for name in ("fluorescence", "images", "background", "logs", "tables"):
        parser.add_argument(f"--no-{name}", dest=name, action="store_false")
    parser.add_argument("--contours", action="store_true")
    options = vars(parser.parse_args(arguments))
    summary = write(options.pop("path"), **options)
    sys.stdout.write(json.dumps(summary) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
