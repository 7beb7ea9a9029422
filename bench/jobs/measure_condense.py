"""Condensing against dclab: `python bench/jobs/measure_condense.py [--events 50000] [--cores 1,2] [--from FILE | --file FILE] [--limit S]`.

Makes a file with images (synthetic, or `--from` a real one tiled with noise; or takes `--file` as it is), condenses it with `dclab-condense` and with our
code, each in a fresh process, compares every feature bit by bit, and prints wall time, processor time, peak memory and ratios.
Then metadata and preview of the same file. Run it as `python bench/jobs/measure_condense.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from appliance.demo import synthetic

ROOT = Path(__file__).parents[2]
#: Both print the peak of their memory [MiB]; what `wait4` tells would count this process too, from before `exec`.
PEAK = """
def peak():
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024
"""
#: What the command `dclab-condense` does.
DCLAB = (
    PEAK
    + """
import sys, dclab.cli
dclab.cli.condense(sys.argv[1], sys.argv[2])
print(peak())
"""
)
#: A fresh interpreter that runs one task; memory of its helper processes is added.
OURS = (
    PEAK
    + """
import json, resource, sys
from pathlib import Path
from appliance.jobs.rtdc import tasks
task, request, source, folder = sys.argv[1:]
getattr(tasks, task)(json.loads(request), Path(source), Path(folder))
helpers = json.loads(request).get("cores", 1) - 1
print(peak() + helpers * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""
)


def main() -> None:
    """Run the comparison and print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--cores", default=",".join(str(n) for n in sorted({1, os.cpu_count() or 1})))
    parser.add_argument("--from", dest="source", type=Path, help="real file to tile instead of a synthetic one")
    parser.add_argument("--file", type=Path, help="file to condense as it is")
    parser.add_argument(
        "--repeats",
        type=Path,
        help="condensed file of the one that `enlarge.py` made FILE of, for comparison in place of dclab",
    )
    parser.add_argument("--dir", type=Path, help="where results lie meanwhile (default: the system's temporary folder)")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--limit", type=float, default=3600, help="dclab is stopped after so many seconds; 0: left out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-condense-", dir=options.dir) as name:
        folder = Path(name)
        path = options.file or folder / "large.rtdc"
        if options.source:
            tile(options.source, path, options.events)
        elif not options.file:
            synthetic.write(path, events=options.events)
        with h5py.File(path) as h5:
            events = int(h5.attrs["experiment:event count"])
        print(f"{events:,} events, {path.stat().st_size / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f}", flush=True)
        cores = [int(n) for n in options.cores.split(",")]
        if options.repeats:
            options.limit = 0
            repeat_features(options.repeats, path, folder / "reference.rtdc")
        print(json.dumps(compare(path, folder, cores, options.repeat, options.limit)))


def compare(path: Path, folder: Path, cores: list[int], repeat: int, limit: float) -> dict[str, Any]:
    """→ figures of all runs; the best of `repeat` each. Without dclab's result, those of different numbers of processes are compared."""
    reference = folder / "reference.rtdc"
    figures: dict[str, Any] = {}
    dclab = best(repeat, lambda: run([sys.executable, "-c", DCLAB, str(path), str(reference)], limit)) if limit else {}
    if dclab.get("stopped"):
        reference.unlink(missing_ok=True)
    if dclab:
        show("dclab-condense" + ("" if reference.exists() else ", stopped"), dclab, dclab)
        figures["dclab"] = dclab
    for count in cores:
        request = {"cores": count, "name": path.name}
        ours = best(repeat, lambda request=request: task("condense", request, path, folder))
        if reference.exists():
            ours["equal"] = equal_features(folder / "condensed.rtdc", reference)
        else:
            shutil.copyfile(folder / "condensed.rtdc", reference)
        if dclab:
            ours["ratio"] = round(ours["wall"] / dclab["wall"], 3)
        show(f"ours, {count} core(s), {ours.get('equal', 'no')} features equal", ours, dclab)
        figures[f"cores {count}"] = ours
    for name in ("preflight", "metadata", "preview"):
        request = {"condensed": str(folder / "condensed.rtdc")} if name == "preview" else {}
        figures[name] = best(repeat, lambda name=name, request=request: task(name, request, path, folder))
        show(name, figures[name], dclab)
    return figures


def repeat_features(condensed: Path, path: Path, target: Path) -> None:
    """Write the features that the condensed file of `path` has to have: those of its source's, again and again; what rises goes on rising."""
    with h5py.File(condensed) as source, h5py.File(path) as large, h5py.File(target, "w") as h5:
        step, events = large["events/image"].chunks[0], len(large["events/image"])
        frames = large["events/frame"][:]
        known = {
            "frame": frames,
            "time": frames.astype(float) / large.attrs["imaging:frame rate"],
            "index": np.arange(1, events + 1, dtype=np.uint32),
        }
        for name, data in source["events"].items():
            repeated = np.resize(data[: len(data) // step * step], events)
            h5[f"events/{name}"] = known.get(name, repeated)


def best(repeat: int, measure: Any) -> dict[str, Any]:
    """→ the run with the shortest wall time."""
    return min((measure() for _ in range(repeat)), key=lambda figures: figures["wall"])


def task(name: str, request: dict[str, Any], path: Path, folder: Path) -> dict[str, Any]:
    """Run one of our tasks in a fresh process. → {wall, cpu [s], peak [MiB]}."""
    return run([sys.executable, "-c", OURS, name, json.dumps(request), str(path), str(folder)])


def run(command: list[str], limit: float = 86_400) -> dict[str, Any]:
    """→ {wall, cpu [s], peak [MiB]} of a process, start of the interpreter included; `stopped` after `limit` seconds. Raises if it fails."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    stopper = threading.Timer(limit, process.kill)
    stopper.start()
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    stopper.cancel()
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = round(usage.ru_utime + usage.ru_stime, 2)
    if wall > limit and process.returncode:
        return {"wall": round(wall, 2), "cpu": cpu, "peak": usage.ru_maxrss // 1024, "stopped": True}
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    return {"wall": round(wall, 2), "cpu": cpu, "peak": int(output.split()[-1])}


def equal_features(mine: Path, reference: Path) -> int:
    """→ number of features, all equal to the last bit. Raises SystemExit otherwise."""
    with h5py.File(mine) as ours, h5py.File(reference) as theirs:
        if set(ours["events"]) != set(theirs["events"]):
            raise SystemExit(f"features differ: {set(ours['events']) ^ set(theirs['events'])}")
        for name in theirs["events"]:
            if ours["events"][name][:].tobytes() != theirs["events"][name][:].tobytes():
                raise SystemExit(f"values of {name} differ")
        return len(theirs["events"])


def show(name: str, figures: dict[str, Any], dclab: dict[str, Any]) -> None:
    """Print one row: name, seconds, processor seconds, MiB, ratio to dclab's wall time."""
    sign = "<" if dclab.get("stopped") else ""
    ratio = f"x {sign}{figures['wall'] / dclab['wall']:.3f}" if dclab else ""
    row = f"{name:34} {figures['wall']:8.2f} s {figures['cpu']:8.2f} s cpu {figures['peak']:6} MiB   {ratio}"
    print(row, flush=True)


def tile(source: Path, target: Path, events: int) -> None:
    """Write `source` again and again until there are `events`, with noise on the images; volume and the like are left out."""
    rng = np.random.default_rng(0)
    pack = hdf5plugin.Zstd(clevel=5)
    with h5py.File(source) as given, h5py.File(target, "w") as h5:
        h5.attrs.update(given.attrs)
        h5.attrs["experiment:event count"] = events
        for name, data in given["events"].items():
            if name in ("contour", "volume", "index", "time", "inert_ratio_prnc", "tilt"):
                continue
            traces = {f"trace/{key}": data[key] for key in data} if name == "trace" else {name: data}
            for key, one in traces.items():
                chunks = (
                    min(events, max(10, 2**20 // (one.dtype.itemsize * int(np.prod(one.shape[1:]))))),
                    *one.shape[1:],
                )
                shape = (events, *one.shape[1:])
                written = h5.create_dataset(f"events/{key}", shape, one.dtype, chunks=chunks, fletcher32=True, **pack)
                written.attrs.update(one.attrs)
                values = one[:]
                for start in range(0, events, 1000):
                    stop = min(start + 1000, events)
                    part = values[np.arange(start, stop) % len(values)]
                    if name == "image":
                        noise = rng.integers(-2, 3, part.shape, dtype=np.int16)
                        part = np.clip(part + noise, 0, 255).astype(one.dtype)
                    written[start:stop] = part


if __name__ == "__main__":
    main()
