"""Requests per second and latency of the calls that a real CKAN+DCOR was measured with, on a running appliance.

    python -m bench.throughput [--calls 300] [--clients 1,8,64] [--bulk]

The appliance runs in a process of its own with 27 datasets of 5 resources. Clients keep their TLS connections; each is a
thread of one client process. Ratios compare with the peer's figures in `PEER` (CKAN 2.11.6 with DCOR's extensions, uWSGI
with 4 workers, 2 cores, loopback; its run-to-run spread is 20–30 %).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """A running appliance and what to ask it."""

    port: int
    pid: int
    certificate: Path
    paths: dict[str, str]
    headers: dict[str, str]


class Client:
    """One keep-alive TLS connection."""

    def __init__(self, world: World) -> None:
        context = ssl.create_default_context(cafile=str(world.certificate))
        raw = socket.create_connection(("127.0.0.1", world.port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(raw, server_hostname="localhost")
        self._rest = b""

    def get(self, request: bytes) -> int:
        """Send a request, read the whole answer; returns its status."""
        self._socket.sendall(request)
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        head = data[:end].lower()
        start = head.index(b"content-length:") + 15
        stop = head.find(b"\r\n", start)
        length = int(head[start : stop if stop >= 0 else None])
        have = len(data) - end - 4
        while have < length:
            have += len(self._receive())
        self._rest = b""
        return int(head[9:12])

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data


def measure(world: World, call: str, clients: int, calls: int) -> tuple[float, float, float]:
    """(p50 ms, p99 ms, requests/s) of `calls` requests for each of `clients`."""
    request = _request(world, call)
    connections = [Client(world) for _ in range(clients)]
    for one in connections:
        status = one.get(request)
        assert status == 200, (call, status)
    times: list[float] = []
    gate = threading.Barrier(clients + 1)

    def work(one: Client) -> None:
        mine = []
        gate.wait()
        for _ in range(calls):
            begun = time.perf_counter()
            one.get(request)
            mine.append(time.perf_counter() - begun)
        times.extend(mine)

    threads = [threading.Thread(target=work, args=(one,)) for one in connections]
    for thread in threads:
        thread.start()
    gate.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begun
    times.sort()
    return statistics.median(times) * 1e3, times[int(len(times) * 0.99)] * 1e3, len(times) / wall


def _request(world: World, call: str) -> bytes:
    lines = [f"GET {world.paths[call]} HTTP/1.1", f"Host: localhost:{world.port}"]
    lines += [f"{name}: {value}" for name, value in world.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@contextmanager
def appliance(folder: Path) -> Iterator[World]:
    """An appliance with the peer's catalogue, in a process of its own."""
    from tests.support.server import Appliance

    prepared = Appliance(folder / "data", **{"policy.anonymous_access": True})
    try:
        world = _fill(prepared)
    finally:
        prepared.stop()
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance", "--data", str(prepared.root), "serve"], stderr=subprocess.DEVNULL
    )
    try:
        _await(world.port)
        world.pid = process.pid
        yield world
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _fill(prepared: Any) -> World:
    from appliance.store import datasets, resources
    from tests.support.samples import synthetic

    owner = prepared.person("owner")
    circle = owner.circle("bench-circle")
    draft = owner.draft("bench-circle", private=False, tags=[{"name": "bench"}])
    measured = owner.add(draft["id"], synthetic())
    owner.activate(draft["id"])
    prepared.jobs_done(measured["id"])
    ids = []
    with prepared.context.db.write() as tx:
        template = dict(resources.get(tx, measured["id"]))
        for number in range(26):
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
            for position in range(5):
                resource_id = f"{number:08x}-0000-4000-8000-{position:012x}"
                resources.create(
                    tx,
                    resource_id,
                    dataset_id,
                    f"M{position:03d}_data.rtdc",
                    size=620_000_000,
                    sha256="0" * 64,
                    etag="0" * 32,
                    mimetype="RT-DC",
                    format_="RT-FDC",
                )
                resources.patch(tx, resource_id, dc=json.loads(template["dc"]))
            datasets.touch(tx, dataset_id)
    api = "/api/3/action/"
    paths = {
        "status_show": api + "status_show",
        "package_show": f"{api}package_show?id={ids[0]}",
        "package_search": api + "package_search?q=blood&rows=10",
        "organization_list": api + "organization_list",
        "dcserv metadata": f"{api}dcserv?id={measured['id']}&query=metadata&version=2",
        "dcserv basins": f"{api}dcserv?id={measured['id']}&query=basins&version=2",
        "dataset page": f"/dataset/{ids[0]}",
        "front page": "/",
    }
    return World(prepared.settings.server.port, 0, prepared.certificate, paths, {"Authorization": owner.token})


def _await(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the appliance did not start")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--clients", default="1,8,64")
    parser.add_argument("--only", default="", help="calls, comma-separated")
    options = parser.parse_args()
    clients = [int(one) for one in options.clients.split(",")]
    with tempfile.TemporaryDirectory() as folder, appliance(Path(folder)) as world:
        print(
            f"| call | clients | p50 ms | p99 ms | requests/s | × peer's requests/s | p50 ÷ peer's |\n|---|---|---|---|---|---|---|  <!-- {os.cpu_count()} cores -->"
        )
        for call, (p50_peer, _, one, eight) in PEER.items():
            if options.only and call not in options.only.split(","):
                continue
            for count in clients:
                p50, p99, rate = measure(world, call, count, max(20, options.calls // max(1, count // 8)))
                against = {1: one, 8: eight}.get(count)
                ratio = f"{rate / against:.1f}" if against else ""
                print(
                    f"| {call} | {count} | {p50:.2f} | {p99:.2f} | {rate:.0f} | {ratio} | {p50 / p50_peer:.2f} |"
                    if count == 1
                    else f"| {call} | {count} | {p50:.2f} | {p99:.2f} | {rate:.0f} | {ratio} | |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
