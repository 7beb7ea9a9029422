"""Time of the pages with a catalogue of 10,000 datasets, and how fluid the explorer is.

    python -m bench.pages [--datasets 10000] [--calls 200] [--json] [--no-browser]

The appliance runs in a process of its own; one client keeps its TLS connection and a session. "…, while jobs commit" is the
same page while somebody else changes the database twenty times a second. Ratios compare with a real
CKAN+DCOR (bench/throughput.py, 27 datasets, p50 on loopback) where it was measured, else with a page that does nothing
(``/robots.txt``, the floor of gateway and WSGI). The browser is Chromium without GPU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bench.appliance_process import add_resources, serving
from bench.catalogue.generate import generate

#: p50 [ms] of the same page of CKAN with DCOR's extensions.
PEER = {"front": 15.6, "dataset, 50 resources": 81.0}
PASSWORD = "correct horse 1 battery"
EVENTS = 100_000
PAN_EVENTS = 50_000
LIMITS_MS = {"explorer data, 10^5 events": 200.0}
BUSY = ("front", "list with facets", "my data")
COMMITS_PER_SECOND = 20
LIMIT_MS = 80.0  # p99 of any page
LIMIT_FPS = 30.0


@dataclass
class World:
    """A running appliance, its certificate, and what to ask it."""

    url: str
    certificate: str
    database: Path = Path()
    paths: dict[str, str] = field(default_factory=dict)
    explorer: str = ""


@contextmanager
def world(folder: Path, datasets: int) -> Iterator[World]:
    """An appliance with a large catalogue, in a process of its own."""
    from tests.support.server import Appliance

    root = folder / "data"
    root.mkdir()
    generate(root / "dcor.sqlite", datasets)
    prepared = Appliance(root)
    try:
        made = _fill(prepared)
    finally:
        prepared.stop()
    with serving(root, prepared.settings.server.port):
        yield made


def _fill(prepared: Any) -> World:
    """A user who is in a few circles, a dataset with 50 files, a measurement with 10^5 events."""
    from tests.support.samples import synthetic

    owner = prepared.person("looker", password=PASSWORD)
    owner.circle("bench-own")
    draft = owner.draft("bench-own", private=False, title="Fifty files of blood")
    first = owner.add(draft["id"], synthetic())
    prepared.jobs_done(first["id"])
    with prepared.context.db.write() as tx:
        add_resources(tx, draft["id"], first["id"], 49, series=0xBE7C)
    owner.activate(draft["id"])
    large_columns(prepared, first["id"], EVENTS)
    resource = f"/dataset/{draft['id']}/resource/{first['id']}"
    paths = {
        "floor (/robots.txt)": "/robots.txt",
        "front": "/",
        "list with facets": "/dataset",
        "list, one word": "/dataset?q=blood",
        "list, facet and range": "/dataset?organization=circle-1&flow_min=0.01&flow_max=0.1",
        "list, page 50": "/dataset?page=50",
        "circle": "/organization/circle-1",
        "all circles": "/organization",
        "dataset, 50 resources": f"/dataset/{draft['id']}",
        "resource": resource,
        "my data": "/dashboard",
    }
    return World(prepared.url, str(prepared.certificate), prepared.settings.database, paths, resource)


def large_columns(prepared: Any, resource_id: str, events: int) -> None:
    """Replace the explorer's file by one with many events, as a large measurement would have it."""
    import numpy as np

    from appliance.jobs.rtdc.preview.binary import write_columns
    from appliance.store import artefacts

    draw = np.random.default_rng(1)
    names = ["area_um", "deform", "bright_avg", "bright_sd", "pos_x", "size_x", "size_y", "volume", "aspect", "time"]
    columns = {name: draw.lognormal(4, 0.3, events) for name in names}
    columns["deform"] = draw.gamma(4, 0.02, events)
    path = prepared.root / "tmp" / "columns.bin"
    write_columns(path, columns, events)
    size = path.stat().st_size
    prepared.context.depot.publish(path, resource_id, "columns")
    with prepared.context.db.write() as tx:
        artefacts.put(tx, resource_id, "columns", size=size, sha256="0" * 64, etag="1" * 32)


def session(made: World) -> requests.Session:
    """A signed-in client on one connection."""
    client = requests.Session()
    client.trust_env = False
    client.verify = made.certificate
    client.headers["Sec-Fetch-Site"] = "same-origin"
    answer = client.post(
        f"{made.url}/user/login", data={"login": "looker", "password": PASSWORD}, allow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    return client


def pages(made: World, calls: int) -> dict[str, dict[str, float]]:
    """p50 and p99 [ms] and size on the wire [kB] of each page."""
    client = session(made)
    found: dict[str, dict[str, float]] = {}
    for name, path in made.paths.items():
        answer = client.get(made.url + path, stream=True)
        assert answer.status_code == 200, (path, answer.status_code)
        size = len(answer.raw.read())
        found[name] = _timed(client, made.url + path, calls) | {"kB": size / 1e3}
    with committing(made.database):
        for name in BUSY:
            found[f"{name}, while jobs commit"] = _timed(client, made.url + made.paths[name], calls)
    return found


def _timed(client: requests.Session, url: str, calls: int) -> dict[str, float]:
    times = []
    for _ in range(calls):
        begun = time.perf_counter()
        client.get(url)
        times.append((time.perf_counter() - begun) * 1e3)
    return _summary(times)


@contextmanager
def committing(database: Path) -> Iterator[None]:
    """Meanwhile, commit to the database as running jobs do."""
    from appliance.model.viewer import OPERATOR
    from appliance.store import audit
    from appliance.store.database import Database

    db, over = Database(database), threading.Event()

    def work() -> None:
        while not over.wait(1 / COMMITS_PER_SECOND):
            with db.write() as tx:
                audit.add(tx, OPERATOR, "bench.commit", "site")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
        db.close()


def explorer_data(made: World, calls: int) -> dict[str, float]:
    """Header and two columns, as the explorer asks for them."""
    client = session(made)
    url = f"{made.url}{made.explorer}/columns.bin"
    times = []
    for _ in range(calls):
        begun = time.perf_counter()
        head = client.get(url, headers={"Range": "bytes=0-65535"}).content
        length = int.from_bytes(head[8:12], "little")
        header = json.loads(head[12 : 12 + length])
        for column in header["columns"][:2]:
            start = 12 + length + column["offset"]
            answer = client.get(url, headers={"Range": f"bytes={start}-{start + 4 * header['rows'] - 1}"})
            assert len(answer.content) == 4 * header["rows"]
        times.append((time.perf_counter() - begun) * 1e3)
    return _summary(times)


def _summary(times: list[float]) -> dict[str, float]:
    times.sort()
    return {"p50": statistics.median(times), "p99": times[min(len(times) - 1, int(len(times) * 0.99))]}


_PAN = """async events => {
  const explorer = dcorExplorer;
  explorer.scatter.setData(explorer.x.slice(0, events), explorer.y.slice(0, events));
  explorer.scatter.recolour();
  const drawn = [];
  const begun = performance.now();
  let last = begun, longest = 0;
  for (let i = 0; i < 90; i++) {
    const from = performance.now();
    explorer.scatter.setScales(explorer.scatter.scaleX.moved(0.02 * Math.sin(i / 7)), explorer.scatter.scaleY.moved(0.01 * Math.cos(i / 5)));
    explorer.scatter.draw();
    drawn.push(performance.now() - from);
    await new Promise(requestAnimationFrame);
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  drawn.sort((a, b) => a - b);
  return { fps: 90000 / (performance.now() - begun), draw_p50: drawn[45], draw_p99: drawn[88], longest_frame: longest };
}"""


def browser(made: World) -> dict[str, dict[str, float]]:
    """First paint of the front page, time to the explorer's plot, frames while panning."""
    from tests.browser import chromium

    with chromium.browser() as running:
        context = running.new_context(
            ignore_https_errors=True, base_url=made.url, viewport={"width": 1440, "height": 900}
        )
        page = context.new_page()
        page.goto("/user/login")
        page.locator("#f-login").fill("looker")
        page.locator("#f-password").fill(PASSWORD)
        page.locator("main button").click()
        page.wait_for_url("**/")
        page.goto("/dataset")
        page.goto("/")
        page.wait_for_load_state("networkidle")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        shift = page.evaluate(
            """() => new Promise(done => { let sum = 0;
            new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; }).observe({type: "layout-shift", buffered: true});
            setTimeout(() => done(sum), 300); })"""
        )
        page.goto(made.explorer)
        page.wait_for_selector("#explorer[data-ready]")
        ready = page.evaluate("performance.now()")
        pan = {f"{events:,} events": page.evaluate(_PAN, events) for events in (PAN_EVENTS, EVENTS)}
    return {"front page": {"first paint ms": paint, "layout shift": shift}, "explorer": {"plot after ms": ready}, **pan}


def main() -> None:
    """Run and print; exit code 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), options.datasets) as made:
        found = pages(made, options.calls)
        found["explorer data, 10^5 events"] = explorer_data(made, max(20, options.calls // 4))
        drawn = {} if options.no_browser else browser(made)
    if options.json:
        print(json.dumps({"pages": found, "browser": drawn}))
    else:
        _print(found, drawn)
    slow = [name for name, times in found.items() if times["p99"] > LIMITS_MS.get(name, LIMIT_MS)]
    jerky = [
        name
        for name, values in drawn.items()
        if values.get("fps", LIMIT_FPS) < LIMIT_FPS and str(PAN_EVENTS // 1000) in name
    ]
    sys.exit(1 if slow or jerky else 0)


def _print(found: dict[str, dict[str, float]], drawn: dict[str, dict[str, float]]) -> None:
    floor = found["floor (/robots.txt)"]["p50"]
    print("| page | p50 ms | p99 ms | kB | × peer's p50 | × floor |\n|---|---|---|---|---|---|")
    for name, times in found.items():
        peer = f"{times['p50'] / PEER[name]:.2f}" if name in PEER else ""
        size = f"{times['kB']:.0f}" if "kB" in times else ""
        print(f"| {name} | {times['p50']:.1f} | {times['p99']:.1f} | {size} | {peer} | {times['p50'] / floor:.1f} |")
    for name, values in drawn.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in values.items()))


if __name__ == "__main__":
    main()
