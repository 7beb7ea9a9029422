"""Requests per second and latency of the calls that a real CKAN+DCOR was measured with, on a running appliance.

    python -m bench.throughput [--seconds 3] [--rounds 1] [--clients 1,8,64] [--with-transfers] [--anew] [--commits N] [--datasets N]
        [--only "front page"]

The appliance runs in a process of its own with 27 datasets of 5 resources. Clients keep their TLS connections and share the
machine with the server. Ratios compare with the peer's figures in `PEER` (CKAN 2.11.6 with DCOR's extensions, uWSGI with 4
workers, 2 cores, loopback; its run-to-run spread is 20–30 %). The server's processor time a call tells more than the rate
where other work shares the machine. `--with-transfers` measures everything a second time while a file of 2 GB is fetched and
another one sent, again and again. `--anew`: every request is one that was never asked before (another dataset, file or filter), so
that no answer and no result is remembered. `--commits N`: so many datasets a second are changed meanwhile.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import load
from bench.appliance_process import add_resources, serving
from bench.bulk import Transfers, fill
from bench.transfer.process import cpu, peak_memory

#: call → (p50 ms, p99 ms, requests/s with 1 client, with 8 clients)
PEER = {
    "status_show": (3.4, 9.2, 281, 761),
    "package_show": (8.7, 18.8, 112, 170),
    "package_search": (9.3, 14.5, 105, 167),
    "organization_list": (4.5, 7.0, 225, 417),
    "dcserv metadata": (6.2, 9.4, 127, 277),
    "dcserv basins": (7.6, 11.5, 131, 269),
    "dataset page": (81, 113, 12, 23),
    "front page": (15.6, 21, 64, 115),
}


@dataclass
class World:
    """A running appliance and what to ask it.

    :ivar draft: a dataset that may be changed; the others are `ids`, and `files` are resources of them.
    """

    url: str
    port: int
    pid: int
    certificate: Path
    draft: str
    ids: list[str]
    files: list[str]
    token: str
    bulk: dict[str, str]

    def target(self, call: str, *, anew: bool) -> load.Target:
        """What to ask for `call`; anew: another dataset, file or filter each time."""
        ids, files = (self.ids, self.files) if anew else (self.ids[:1], self.files[:1])
        api, end = f"{self.url}/api/3/action/", "&n=" if anew else ""
        paths = {
            "status_show": [f"{api}status_show" + ("?n=" if anew else "")],
            "package_show": [f"{api}package_show?id={one}{end}" for one in ids],
            "package_search": [f"{api}package_search?q=blood&rows=10" + ("&fq=-num_events:" if anew else "")],
            "organization_list": [f"{api}organization_list" + ("?limit=1" if anew else "")],
            "dcserv metadata": [f"{api}dcserv?id={one}&query=metadata&version=2{end}" for one in files],
            "dcserv basins": [f"{api}dcserv?id={one}&query=basins&version=2{end}" for one in files],
            "dataset page": [f"{self.url}/dataset/{one}" + ("?n=" if anew else "") for one in ids],
            "front page": [self.url + ("/?n=" if anew else "/")],
        }
        return load.Target(tuple(paths[call]), {"Authorization": self.token}, self.certificate, number=anew)


@dataclass(frozen=True)
class How:
    """How to measure: seconds and rounds (the fastest counts) for each line, `anew` as in the module's text."""

    seconds: float
    rounds: int
    anew: bool
    commits: float = 0.0


def measure(world: World, call: str, clients: int, how: How) -> tuple[load.Figures, float]:
    """Figures of a call, and the server's processor time for each answer [ms], whatever else it did meanwhile included."""
    target = world.target(call, anew=how.anew)
    with changes(world, how.commits):
        load.measure(target, clients, 0.5)
        found = [_round(world, target, clients, how.seconds) for _ in range(how.rounds)]
    return max(found, key=lambda one: one[0].rate)


@contextmanager
def changes(world: World, rate: float) -> Iterator[None]:
    """Change so many datasets a second meanwhile, by `package_patch`."""
    ended = threading.Event()

    def change() -> None:
        context = ssl.create_default_context(cafile=str(world.certificate))
        connection = http.client.HTTPSConnection("localhost", world.port, context=context)
        headers = {"Authorization": world.token, "Content-Type": "application/json"}
        number = 0
        while not ended.wait(1 / rate):
            number += 1
            body = json.dumps({"id": world.draft, "notes": f"Changed {number} times"})
            connection.request("POST", "/api/3/action/package_patch", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise RuntimeError(text.decode())
        connection.close()

    thread = threading.Thread(target=change)
    if rate:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if rate:
            thread.join()


def _round(world: World, target: load.Target, clients: int, seconds: float) -> tuple[load.Figures, float]:
    before, began = cpu(world.pid), time.monotonic()
    figures = load.measure(target, clients, seconds)
    return figures, (cpu(world.pid) - before) / (figures.rate * (time.monotonic() - began)) * 1e3


@contextmanager
def appliance(folder: Path, size: int = 0, datasets: int = 27) -> Iterator[World]:
    """An appliance with the peer's catalogue, in a process of its own.

    :param size: of a file to fetch and one to send [bytes]; 0 = none. :param datasets: how many, the peer has 27.
    """
    from tests.support.server import Appliance

    prepared = Appliance(folder / "data", **{"policy.anonymous_access": True})
    try:
        world = _fill(prepared, datasets)
        world.bulk = _large(prepared, folder / "source", size) if size else {}
    finally:
        prepared.stop()
    with serving(prepared.root, world.port) as world.pid:
        yield world


def _fill(prepared: Any, count: int) -> World:
    from appliance.store import datasets
    from tests.support.samples import synthetic

    owner = prepared.person("owner")
    circle = owner.circle("bench-circle")
    draft = owner.draft("bench-circle", private=False, tags=[{"name": "bench"}])
    measured = owner.add(draft["id"], synthetic())
    owner.activate(draft["id"])
    prepared.jobs_done(measured["id"])
    ids = []
    with prepared.context.db.write() as tx:
        for number in range(count - 1):
            dataset_id = datasets.create(
                tx,
                {
                    "name": f"bench-{number}",
                    "title": f"Blood of donor {number}",
                    "authors": "Ada L.",
                    "license_id": "CC0-1.0",
                    "private": 0,
                    "state": "active",
                    "circle_id": circle["id"],
                    "creator_id": owner.id,
                },
            )
            ids.append(dataset_id)
            add_resources(tx, dataset_id, measured["id"], 5, series=number)
    changed = owner.draft("bench-circle", private=False, title="A draft that is being changed")["id"]
    files = [measured["id"]]  # of the others nothing but their metadata is there
    port = prepared.settings.server.port
    return World(prepared.url, port, 0, prepared.certificate, changed, ids, files, owner.token, {})


def _large(prepared: Any, source: Path, size: int) -> dict[str, str]:
    """A file to send and one to fetch."""
    from appliance.store import resources

    fill(source, size)
    porter = prepared.admin  # nobody else may remove again what was sent
    porter.circle("bulk-circle")
    draft = porter.draft("bulk-circle")
    file = porter.upload("resource_create", {"package_id": draft["id"]}, "upload", "big.txt", b"0").result
    prepared.jobs_done(file["id"])
    fill(prepared.context.depot.path(file["id"]), size)
    with prepared.context.db.write() as tx:
        resources.patch(tx, file["id"], size=size, etag="0" * 32)
    download = f"/dataset/{draft['id']}/resource/{file['id']}/download/big.txt"
    return {"draft": draft["id"], "download": download, "token": porter.token, "source": str(source)}


def table(world: World, calls: list[str], clients: list[int], how: How) -> None:
    """Measure and print."""
    print("| call | clients | p50 ms | p99 ms | requests/s | server CPU ms | × peer's requests/s | p50 ÷ peer's |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for call in calls:
        p50_peer, _, one, eight = PEER[call]
        for count in clients:
            found, used = measure(world, call, count, how)
            against = {1: one, 8: eight}.get(count)
            ratio = f"{found.rate / against:.1f}" if against else ""
            slower = f"{found.p50 / p50_peer:.2f}" if count == 1 else ""
            print(
                f"| {call} | {count} | {found.p50:.2f} | {found.p99:.2f} | {found.rate:.0f} | {used:.3f} | {ratio} | {slower} |",
                flush=True,
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=1, help="of each measurement; the fastest counts")
    parser.add_argument("--clients", default="1,8,64")
    parser.add_argument("--only", default="", help="calls, comma-separated")
    parser.add_argument("--with-transfers", action="store_true", help="measure again while two transfers run")
    parser.add_argument("--size", type=int, default=2048, help="of a transfer [MiB]")
    parser.add_argument("--anew", action="store_true", help="never ask the same question twice")
    parser.add_argument("--commits", type=float, default=0, help="datasets changed a second meanwhile")
    parser.add_argument(
        "--datasets", type=int, default=27, help="datasets of 5 files; more than 27 take a while to make"
    )
    parser.add_argument("--folder", type=Path, help="where the data root is made (3 × size)")
    options = parser.parse_args()
    clients = [int(one) for one in options.clients.split(",")]
    calls = [call for call in PEER if not options.only or call in options.only.split(",")]
    how = How(options.seconds, options.rounds, options.anew, options.commits)
    size = options.size << 20 if options.with_transfers else 0
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        appliance(Path(folder), size, options.datasets) as world,
    ):
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}. Nothing else:\n")
        table(world, calls, clients, how)
        if size:
            bulk = world.bulk
            source = Path(bulk["source"])
            with Transfers(
                world.url, bulk["token"], download=bulk["download"], draft=bulk["draft"], source=source
            ) as two:
                print("\nWhile two transfers run:\n")
                table(world, calls, clients, how)
            print(f"\nMoved meanwhile: {two.rates}; peak memory {peak_memory(world.pid) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
