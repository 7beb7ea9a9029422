"""The pages that compare, list and draw measurements, at the sizes that they are meant for.

    python -m bench.pages_workbench explorer [--events 100000 1000000]
    python -m bench.pages_workbench compare [--files 8] [--events 1000000] [--calls 10]
    python -m bench.pages_workbench measurements [--datasets 10000] [--calls 100]

`explorer`: headless Chromium without GPU; time from the first paint to the plot, and the longest frame while the plot is panned for 90 frames by
the program's own drawing. `compare`: `dcor_statistics` of 2 features and 1 gate over all events: with readers that have yet to open
the files, with open readers and a question that nobody asked before (another gate each time), and the same question again; then the page.
`measurements`: the table with 5 files a dataset; p99 and the server's processor time for each
address, whose answer is not remembered, as each is another one.
Each prints the load of the machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from bench.appliance_process import serving
from bench.catalogue.generate import generate
from bench.pages import PASSWORD, World, large_columns, session
from bench.transfer.process import cpu

#: Targets: longest frame [ms], plot after the first paint [ms], warm statistics [ms], p99 of the table [ms] by datasets.
FRAME_MS, PLOT_MS, STATISTICS_MS = 100.0, 2000.0, 1000.0
TABLE_MS = {10_000: 100.0, 100_000: 250.0}
_TABLE = {
    "newest first": "/measurements?page={n}",
    "sorted by a median": "/measurements?sort=deform&way=desc&page={n}",
    "one word": "/measurements?q=blood&page={n}",
    "range, sorted": "/measurements?flow_min=0.0{n}&flow_max=0.3&sort=date",
    "instruments": "/instruments?n={n}",
}
_PAN = """async () => {
  const { scatter } = dcorExplorer;
  const drawn = [], frames = [];
  const begun = performance.now();
  let last = begun;
  for (let i = 0; i < 90; i++) {
    const from = performance.now();
    scatter.setScales(scatter.scaleX.moved(0.02 * Math.sin(i / 7)), scatter.scaleY.moved(0.01 * Math.cos(i / 5)));
    scatter.draw();
    drawn.push(performance.now() - from);
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  const sorted = list => list.slice().sort((a, b) => a - b);
  return { fps: 90000 / (performance.now() - begun), "draw p50 ms": sorted(drawn)[45], "draw p99 ms": sorted(drawn)[88], "frame p50 ms": sorted(frames)[45], "longest frame ms": sorted(frames)[89] };
}"""


def explorer(folder: Path, options: argparse.Namespace) -> bool:
    """The plot of a measurement for each number of events."""
    from tests.browser import chromium
    from tests.support.samples import synthetic
    from tests.support.server import Appliance

    prepared = Appliance(folder / "data")
    owner = prepared.person("looker", password=PASSWORD)
    owner.circle("bench")
    draft = owner.draft("bench", private=True, title="Large measurements")
    paths = {}
    for events in options.events:
        file = owner.add(draft["id"], synthetic(), f"M{events}.rtdc")
        prepared.jobs_done(file["id"])
        large_columns(prepared, file["id"], events)
        paths[events] = f"/dataset/{draft['id']}/resource/{file['id']}"
    prepared.stop()
    good = True
    with serving(prepared.root, prepared.settings.server.port), chromium.browser() as running:
        for events, path in paths.items():
            page = _signed_in(running, prepared.url)
            page.goto(path)
            page.wait_for_selector("#explorer[data-ready]", timeout=120_000)
            ready = page.evaluate(
                "performance.now() - performance.getEntriesByName('first-contentful-paint')[0].startTime"
            )
            found = {"plot after first paint ms": ready} | page.evaluate(_PAN)
            _print(f"explorer, {events:,} events", found)
            good &= ready <= PLOT_MS and found["longest frame ms"] <= FRAME_MS
            page.context.close()
    return good


def _signed_in(running: Any, url: str) -> Any:
    context = running.new_context(ignore_https_errors=True, base_url=url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto("/user/login")
    page.locator("#f-login").fill("looker")
    page.locator("#f-password").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url("**/")
    return page


def compare(folder: Path, options: argparse.Namespace) -> bool:
    """Exact statistics over all events of several files."""
    from tests.support.samples import synthetic
    from tests.support.server import Appliance

    prepared = Appliance(folder / "data")
    owner = prepared.person("looker", password=PASSWORD)
    owner.circle("bench")
    draft = owner.draft("bench", private=True, title="Large measurements")
    ids = [owner.add(draft["id"], synthetic(), f"M{number}.rtdc")["id"] for number in range(options.files)]
    for number, one in enumerate(ids):
        prepared.jobs_done(one)
        _large_file(prepared, one, options.events, number)
    prepared.stop()
    made = World(prepared.url, str(prepared.certificate))
    with serving(prepared.root, prepared.settings.server.port):
        client = session(made)
        number = iter(range(1_000_000))

        def ask(gate: float) -> None:
            """One question about two features in one gate."""
            gates = [{"name": "low", "conditions": [{"feature": "deform", "max": gate}]}]
            asked = {"ids": ids, "features": ["deform", "area_um"], "gates": gates}
            answer = client.post(f"{made.url}/api/3/action/dcor_statistics", json=asked, timeout=300)
            assert answer.status_code == 200, answer.text[:500]
            counted = [one["gates"][0]["events"] for one in answer.json()["result"]]
            assert counted == [options.events] * len(ids), counted

        what = f"{options.files} × {options.events:,} events"
        _print(f"statistics, {what}, files not open yet", _timed(lambda: ask(0.05), 1))
        warm = _timed(lambda: ask(0.06 + 1e-6 * next(number)), options.calls)
        _print(f"statistics, {what}, another question", warm)
        _print(f"statistics, {what}, the same question", _timed(lambda: ask(0.05), options.calls))
        query = "&".join(f"r={one}" for one in ids) + "&f=deform&f=area_um&gate=deform&gate_max=0.05"
        _print(f"page /compare, {what}, first", _timed(lambda: _get(client, f"{made.url}/compare?{query}"), 1))
        _print(
            f"page /compare, {what}, again", _timed(lambda: _get(client, f"{made.url}/compare?{query}"), options.calls)
        )
    return warm["p50 ms"] <= STATISTICS_MS


def _large_file(prepared: Any, resource_id: str, events: int, seed: int) -> None:
    """Replace a measurement's files by one with many events and few features, as far as the readers look at it."""
    import h5py
    import numpy as np

    draw = np.random.default_rng(seed)
    original = prepared.context.depot.path(resource_id, "original")
    with h5py.File(original) as old:
        attributes = dict(old.attrs)
    large = prepared.root / "tmp" / "large.rtdc"
    with h5py.File(large, "w") as h5:
        h5.attrs.update(attributes | {"experiment:event count": events})
        columns = {"deform": draw.gamma(4, 0.02, events), "area_um": draw.lognormal(4, 0.3, events)}
        for name, values in (columns | {"time": np.arange(events) / 1000}).items():
            h5.create_dataset(
                f"events/{name}", data=values, chunks=(min(events, 8192),), compression="gzip", compression_opts=4
            )
    large.replace(original)
    prepared.context.depot.path(resource_id, "condensed").unlink(missing_ok=True)


def measurements(folder: Path, options: argparse.Namespace) -> bool:
    """The table of all measurements of a large catalogue."""
    from appliance.store import measurements as rows
    from appliance.store.database import Database
    from tests.support.server import Appliance

    root = folder / "data"
    root.mkdir()
    generate(root / "dcor.sqlite", options.datasets, bare=True)
    db = Database(root / "dcor.sqlite")
    with db.write() as tx:
        for (one,) in tx.execute("SELECT id FROM resource").fetchall():
            rows.refresh(tx, one)
        count = tx.execute("SELECT count(*) FROM measurement").fetchone()[0]
    db.close()
    prepared = Appliance(root)
    prepared.person("looker", password=PASSWORD)
    prepared.stop()
    made, good = World(prepared.url, str(prepared.certificate)), True
    limit = next((ms for datasets, ms in sorted(TABLE_MS.items()) if options.datasets <= datasets), 250.0)
    with serving(root, prepared.settings.server.port) as pid:
        client = session(made)
        for name, address in _TABLE.items():
            asked, before = iter(range(1, 10 * options.calls)), cpu(pid)
            found = _timed(lambda: _get(client, made.url + address.format(n=next(asked))), options.calls)  # noqa: B023 - called at once
            used = (cpu(pid) - before) * 1e3 / options.calls
            _print(f"table of {count:,} measurements, {name}", found | {"server CPU ms": used})
            good &= found["p99 ms"] <= limit
    return good


def _get(client: requests.Session, url: str) -> None:
    answer = client.get(url, timeout=300)
    assert answer.status_code == 200, (url[:200], answer.status_code)


def _timed(work: Callable[[], None], calls: int) -> dict[str, float]:
    times = []
    for _ in range(calls):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1e3)
    times.sort()
    return {"p50 ms": statistics.median(times), "p99 ms": times[min(len(times) - 1, int(len(times) * 0.99))]}


def _print(what: str, found: dict[str, float]) -> None:
    print(
        f"{what}: "
        + ", ".join(f"{key} {value:.1f}" for key, value in found.items())
        + f"; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> int:
    """Run and print; exit code 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    one = modes.add_parser("explorer")
    one.add_argument("--events", type=int, nargs="+", default=[100_000, 1_000_000])
    one = modes.add_parser("compare")
    one.add_argument("--files", type=int, default=8)
    one.add_argument("--events", type=int, default=1_000_000)
    one.add_argument("--calls", type=int, default=10)
    one = modes.add_parser("measurements")
    one.add_argument("--datasets", type=int, default=10_000)
    one.add_argument("--calls", type=int, default=100)
    options = parser.parse_args()
    modes_by_name = {"explorer": explorer, "compare": compare, "measurements": measurements}
    with tempfile.TemporaryDirectory() as folder:
        return 0 if modes_by_name[options.mode](Path(folder), options) else 1


if __name__ == "__main__":
    sys.exit(main())
