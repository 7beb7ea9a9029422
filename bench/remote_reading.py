"""Requests, connections and time that dclab needs for a remote resource: `python -m bench.remote_reading [--file FILE] [--source TREE]`.

An appliance in a process of its own (of `TREE`, another checkout, with its `.venv-test`, if given) serves one measurement, public and private; a fresh process for
each line reads it with dclab by its address, with token and certificate. Requests are those that the server counted; connections are those
that the client opened. "near": as fast as the loopback is, where dclab keeps nothing of what it fetches in less than 10 ms. "far": each
request takes 25 ms longer. With `--upstream` the file is served as DCOR answers (`bench.upstream_answers`). Processor time is the client's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import requests

from bench.upstream_answers import RESOURCE, UpstreamAnswers
from tests.support.ports import own_loopback
from tests.support.samples import synthetic

PORT = 443
STEPS = ("open", "first feature", "first image", "50 random images", "all scalar features", "contour")
_FAR_SECONDS = 0.025


def main() -> None:
    """Serve, read, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--file", type=Path, default=None)
    parser.add_argument("--events", type=int, default=500)
    parser.add_argument("--source", type=Path, default=Path.cwd())
    parser.add_argument("--upstream", action="store_true", help="of DCOR's answers instead of ours")
    parser.add_argument("--read", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(_read(*options.read)))
        return
    path = options.file or synthetic(events=options.events)
    with tempfile.TemporaryDirectory() as folder:
        (_measure_upstream if options.upstream else _measure)(path, Path(folder), options.source)


def _measure_upstream(path: Path, folder: Path, _source: Path) -> None:
    print(f"| {path.name} as DCOR | visibility | " + " | ".join(STEPS) + " |")
    for visibility in ("public", "private"):
        host = own_loopback()
        site = UpstreamAnswers(path, folder, host, private=visibility == "private")
        server = _Server(host, "token")
        server.certificate = site.certificate.read_text()
        for distance in ("near", "far"):
            _show(server, RESOURCE, visibility, distance, folder)
        site.stop()


def _show(server: _Server, resource: str, visibility: str, distance: str, folder: Path) -> None:
    cells = server.read(resource, distance, folder)
    print(f"| {distance} | {visibility} | " + " | ".join(cells) + " |", flush=True)


def _measure(path: Path, folder: Path, source: Path) -> None:
    host, root = own_loopback(), folder / "data"
    run = [
        str(source / ".venv-test/bin/python") if (source / ".venv-test").is_dir() else sys.executable,
        "-m",
        "appliance",
        "--data",
        str(root),
    ]
    options: dict[str, Any] = {
        "cwd": source,
        "env": {key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        "check": True,
        "capture_output": True,
        "text": True,
    }
    given = ["--hostname", host, "--admin", "admin", "--email", "a@example.org", "--password-stdin"]
    subprocess.run([*run, "init", *given], input="correct-horse-battery-staple-9\n", **options)
    for name, value in (("policy.anonymous_access", "true"), ("depot.reserve", "0")):
        subprocess.run([*run, "config", "set", name, value], **options)
    made = subprocess.run([*run, "token", "create", "admin", "--name", "t", "--scope", "admin"], **options)
    token = made.stdout.split()[-1]
    serve = [*run, "serve", "--bind", host, "--port", str(PORT), "--http-port", "0"]
    process = subprocess.Popen(serve, cwd=source, env=options["env"], stderr=subprocess.DEVNULL)
    try:
        server = _Server(host, token)
        server.wait()
        print(f"| {path.name} | visibility | " + " | ".join(STEPS) + " |")
        for visibility in ("public", "private"):
            resource = server.publish(path, private=visibility == "private")
            for distance in ("near", "far"):
                _show(server, resource, visibility, distance, folder)
    finally:
        process.terminate()
        process.wait(60)


class _Server:
    """The measured appliance."""

    def __init__(self, host: str, token: str) -> None:
        self.host, self.token = host, token
        self.http = requests.Session()
        self.http.trust_env, self.http.verify = False, False
        self.http.headers["Authorization"] = token

    def wait(self) -> None:
        """Until it answers."""
        warnings.simplefilter("ignore")
        for _ in range(600):
            try:
                self.certificate = self.http.get(f"https://{self.host}/connect/server.cert", timeout=5).text
            except requests.RequestException:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError("the appliance did not start")

    def call(self, action: str, **values: Any) -> Any:
        """The result of an action."""
        reply = self.http.post(f"https://{self.host}/api/3/action/{action}", timeout=900, **values)
        reply.raise_for_status()
        return reply.json()["result"]

    def publish(self, path: Path, *, private: bool) -> str:
        """Upload a measurement and wait for its jobs. → id of the resource."""
        name = f"circle-{random.randrange(10**9)}"
        self.call("organization_create", json={"name": name})
        about = {"title": "Bench", "authors": "A B", "license_id": "CC0-1.0", "state": "draft"}
        dataset = self.call("package_create", json=about | {"owner_org": name, "private": private})
        with path.open("rb") as file:
            upload = {"upload": (path.name, file)}
            resource = str(self.call("resource_create", data={"package_id": dataset["id"]}, files=upload)["id"])
        address = f"https://{self.host}/dataset/{dataset['id']}/resource/{resource}/condensed.rtdc"
        for _ in range(3000):
            if self.http.get(address, timeout=60, stream=True).status_code == 200:
                break
            time.sleep(0.1)
        self.call("package_revise", json={"match": {"id": dataset["id"]}, "update": {"state": "active"}})
        return resource

    def read(self, resource: str, distance: str, folder: Path) -> list[str]:
        """Have a fresh process read it. → what each step took, as cells."""
        certificates = folder / "certificates"
        certificates.mkdir(exist_ok=True)
        (certificates / f"{self.host}.cert").write_text(self.certificate)
        environment = os.environ | {"REQUESTS_CA_BUNDLE": str(certificates / f"{self.host}.cert")}
        command = [
            sys.executable,
            "-m",
            "bench.remote_reading",
            "--read",
            f"{self.host}/{resource}",
            self.token,
            distance,
            str(certificates),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=1200)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return [
            f"{one['requests']} / {one['connections']} / {one['seconds']:.2f} s / {one['processor']:.2f} s"
            + (f" ({one['error']})" if one["error"] else "")
            for one in json.loads(done.stdout.splitlines()[-1])
        ]


def _read(address: str, token: str, distance: str, certificates: str) -> list[dict[str, Any]]:
    """What each step takes in this process."""
    import dclab
    from dclab.rtdc_dataset.fmt_dcor import DCOR_CERTS_SEARCH_PATHS
    from dclab.rtdc_dataset.fmt_dcor.api import APIHandler

    warnings.simplefilter("ignore")
    host, resource = address.split("/")
    DCOR_CERTS_SEARCH_PATHS.append(certificates)
    APIHandler.add_api_key(token)
    metrics = requests.Session()
    metrics.headers["Authorization"] = token
    connections = asked = 0
    connect, send = socket.socket.connect, requests.Session.send

    def connected(self: socket.socket, target: Any) -> None:
        nonlocal connections
        connections += 1
        connect(self, target)

    def sent(self: requests.Session, *args: Any, **options: Any) -> requests.Response:
        if distance == "far" and self is not metrics:
            time.sleep(_FAR_SECONDS)
        return send(self, *args, **options)

    def counted() -> int:
        """Requests that the server has answered so far, without these questions."""
        nonlocal asked
        lines = metrics.get(f"https://{host}/metrics", timeout=60).text.splitlines()
        found = [line for line in lines if line.startswith("dcor_http_requests_total{")]
        total = int(sum(float(line.rsplit(" ", 1)[1]) for line in found)) - asked
        asked += 1
        return total

    counted()
    socket.socket.connect = connected  # type: ignore[method-assign,assignment]
    requests.Session.send = sent  # type: ignore[method-assign]
    dataset: Any = None

    def open_() -> None:
        nonlocal dataset
        dataset = dclab.new_dataset(f"https://{host}/api/3/action/dcserv?id={resource}")

    numbers = random.Random(1)
    found = []
    for step in STEPS:
        action = {
            "open": open_,
            "first feature": lambda: dataset["deform"][:],
            "first image": lambda: dataset["image"][0],
            "50 random images": lambda: [dataset["image"][numbers.randrange(len(dataset))] for _ in range(50)],
            "all scalar features": lambda: [
                dataset[name][:] for name in dataset.features_scalar if name in dataset.features_basin
            ],
            "contour": lambda: dataset["contour"][3],
        }[step]
        requests_before, connections_before, began, error = counted(), connections, time.perf_counter(), ""
        processor = time.process_time()
        try:
            action()
        except Exception as exc:
            error = type(exc).__name__
        seconds, processor = time.perf_counter() - began, time.process_time() - processor
        time.sleep(0.7)  # answers that nobody waits for are counted when they end
        found.append(
            {
                "requests": counted() - requests_before,
                "connections": connections - connections_before,
                "seconds": seconds,
                "processor": processor,
                "error": error,
            }
        )
    return found


if __name__ == "__main__":
    main()
