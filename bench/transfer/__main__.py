"""Measure and print a table. ``--size MB`` (default 2048), ``--only WORD``, ``--folder DIR`` on the disk to measure."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.transfer import clients, peers
from bench.transfer.process import cpu, io_written, peak_memory

Rows = list[tuple[str, str, str]]


@contextmanager
def appliance(root: Path, size: int) -> Iterator[dict[str, Any]]:
    """A running appliance."""
    command = [sys.executable, "-m", "bench.transfer.server", str(root), str(size), "direct"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


class Bench:
    """One run over one appliance and one nginx."""

    def __init__(self, folder: Path, size: int, ours: dict[str, Any], theirs: str, pids: list[int]) -> None:
        self.folder, self.size, self.ours, self.theirs, self.pids = folder, size, ours, theirs, pids
        self.rows: Rows = []
        self.source = Path(ours["path"])
        self.turn = 0

    def note(self, what: str, value: str, target: str = "") -> None:
        """A line of the table."""
        self.rows.append((what, value, target))
        print(f"{what:58} {value:42} {target}", flush=True)

    def file_url(self) -> str:
        """Address of the file to fetch."""
        return f"{self.ours['url']}/dataset/{self.ours['draft']}/resource/{self.ours['resource']}/download/big.txt"

    def download(self) -> None:
        """One download by curl."""
        limit = self.theirs + "/files/" + self.source.name
        for url in (limit, self.file_url()):
            clients.download(url, self.ours["token"])
        nginx = max(clients.download(limit) for _ in range(3))
        before = cpu(self.ours["pid"])
        mine = max(clients.download(self.file_url(), self.ours["token"]) for _ in range(3))
        used = (cpu(self.ours["pid"]) - before) / 3
        self.note("download, 1 client", f"{mine / 1e6:.0f} MB/s, nginx {nginx / 1e6:.0f}: {mine / nginx:.2f}", "≥ 0.8")
        self.note("  CPU of the server", f"{used:.2f} s per {self.size / 1e9:.1f} GB")

    def ranges(self) -> None:
        """256 KiB ranges; processor time beside the rates, because it does not depend on what else the machine does."""
        for connections in (1, 20):
            used = sum(map(cpu, self.pids))
            nginx, late = clients.ranges(
                self.theirs + "/files/" + self.source.name, self.size, connections, 5, self.folder
            )
            theirs = (sum(map(cpu, self.pids)) - used) / (5 * nginx)
            used = cpu(self.ours["pid"])
            mine, p99 = clients.ranges(self.file_url(), self.size, connections, 5, self.folder, self.ours["token"])
            used = (cpu(self.ours["pid"]) - used) / (5 * mine)
            value = f"{mine:.0f}/s, nginx {nginx:.0f}: {mine / nginx:.2f}; p99 {p99:.1f} ms, nginx {late:.1f}"
            self.note(f"ranges of 256 KiB, {connections} readers", value, "≥ 0.6; p99 ≤ 20 ms at 20")
            self.note("  CPU of the server per range", f"{used * 1e6:.0f} µs, nginx {theirs * 1e6:.0f}")

    def upload(self) -> None:
        """One upload by form, ours and theirs, against TLS alone and the disk alone."""
        disk = peers.disk(self.folder, self.size)
        with peers.tls_sink(self.ours["certificate"], self.ours["key"]) as sink:
            tls = max(clients.form(sink, {}, "f", self.source, "f")[0] for _ in range(2))
        limit = min(disk, tls)
        self.note("limits for uploads", f"TLS {tls / 1e6:.0f} MB/s, disk {disk / 1e6:.0f} MB/s")
        before = sum(map(io_written, self.pids))
        peer = clients.form(self.theirs + "/upload", {}, "file", self.source, "f")[0]
        written = (sum(map(io_written, self.pids)) - before) / self.size
        self.note("upload by form, nginx + waitress", f"{peer / 1e6:.0f} MB/s, {written:.2f} bytes written per byte")
        before, used = io_written(self.ours["pid"]), cpu(self.ours["pid"])
        results = [self._form() for _ in range(2)]
        written = (io_written(self.ours["pid"]) - before) / self.size / 2
        used = (cpu(self.ours["pid"]) - used) / 2
        mine = max(speed for speed, _ in results)
        self.note("upload by form, 1 client", f"{mine / 1e6:.0f} MB/s: {mine / limit:.2f} of the limit", "≥ 0.7")
        self.note("  against nginx + waitress", f"{mine / peer:.2f}", "> 1")
        self.note("  answer after the last byte", f"{max(w for _, w in results):.2f} s", "≤ 1 s")
        self.note("  bytes written per byte", f"{written:.3f}", "≤ 1.05")
        self.note("  CPU of the server", f"{used:.2f} s per {self.size / 1e9:.1f} GB")

    def direct(self) -> None:
        """One upload to signed addresses."""
        before = io_written(self.ours["pid"])
        speed = self._direct()
        written = (io_written(self.ours["pid"]) - before) / self.size
        self.note("direct upload, 1 client", f"{speed / 1e6:.0f} MB/s")
        self.note("  bytes written per byte", f"{written:.3f}", "≤ 1.05")

    def latency(self) -> None:
        """The API while bulk bytes move."""
        url = f"{self.ours['url']}/api/3/action/package_show?id={self.ours['draft']}"
        with clients.Pulse(url, self.ours["token"]) as quiet:
            time.sleep(3)
        self.note("package_show, nothing else", f"p50 {quiet.percentile(0.5):.1f}, p99 {quiet.percentile(0.99):.1f} ms")
        ended = threading.Event()
        work = [self._form] * 2 + [lambda: (clients.download(self.file_url(), self.ours["token"]),)] * 4

        def repeat(job: Callable[[], Any]) -> None:
            while not ended.is_set():
                job()

        threads = [threading.Thread(target=repeat, args=(job,)) for job in work]
        for thread in threads:
            thread.start()
        time.sleep(2)
        with clients.Pulse(url, self.ours["token"]) as busy:
            time.sleep(15)
        ended.set()
        for thread in threads:
            thread.join()
        value = f"p50 {busy.percentile(0.5):.1f}, p99 {busy.percentile(0.99):.1f} ms, {len(busy.times)} calls"
        self.note("package_show, 2 uploads + 4 downloads", value, "p99 ≤ 100 ms")
        self.note("peak memory of the serving process", f"{peak_memory(self.ours['pid']) / 1e6:.0f} MB", "≤ 400 MB")

    def memory(self) -> None:
        """An upload, a download and the jobs of a measurement at once. The size to take it with is 10240."""
        path = self.folder / "condensed.rtdc"
        program = f"from appliance.demo import synthetic; synthetic.write({str(path)!r}, events=10000, seed=48)"
        subprocess.run([sys.executable, "-c", program], check=True)
        url = self.ours["url"] + "/api/3/action/"
        token = self.ours["token"]
        work = [self._form, lambda: clients.download(self.file_url(), token)]
        threads = [threading.Thread(target=job) for job in work]
        for thread in threads:
            thread.start()
        clients.form(url + "resource_create", {"package_id": self.ours["draft"]}, "upload", path, path.name, token)
        for thread in threads:
            thread.join()
        pending = [sys.executable, "-m", "appliance", "--data", self.ours["root"], "jobs", "list", "--json"]
        while any(
            job["state"] in {"queued", "running"}
            for job in json.loads(subprocess.run(pending, check=True, capture_output=True).stdout)
        ):
            time.sleep(0.5)
        value = f"{peak_memory(self.ours['pid']) / 1e6:.0f} MB with {self.size / 1e9:.1f} GB in, {self.size / 1e9:.1f} GB out"
        self.note("peak memory of the serving process", value, "≤ 400 MB")

    def opening(self) -> None:
        """A remote measurement with dclab: open it, two scalar features, an image."""
        stored = Path(self.ours["measurement"]["path"])
        shutil.copy(stored, self.source.parent / "measurement.rtdc")
        urls = [self.theirs + "/files/measurement.rtdc", self.ours["measurement"]["resource"]]
        command = [sys.executable, "-m", "bench.transfer.opening", "15", *urls]
        env = os.environ | {"REQUESTS_CA_BUNDLE": self.ours["certificate"]}
        results = json.loads(subprocess.run(command, env=env, check=True, capture_output=True).stdout.splitlines()[-1])
        nginx, mine = (statistics.median(seconds for seconds, _ in result[1:]) for result in results)
        value = f"{mine * 1e3:.0f} ms, nginx {nginx * 1e3:.0f}: {mine / nginx:.2f}; {sorted({n for _, n in results[1]})} requests, nginx {sorted({n for _, n in results[0]})}"
        self.note("dclab opens a file, deform, area_um, image", value, "≤ 1.5")

    def _form(self) -> tuple[float, float]:
        self.turn += 1
        name = f"up{os.getpid()}x{self.turn}x{threading.get_ident()}.txt"
        fields = {"package_id": self.ours["draft"]}
        url = self.ours["url"] + "/api/3/action/resource_create"
        result = clients.form(url, fields, "upload", self.source, name, self.ours["token"])
        for path in self.source.parents[2].rglob("*"):
            if path.is_file() and path.stat().st_size == self.size and path != self.source:
                path.unlink()
        return result

    def _direct(self) -> float:
        query = f"organization_id={self.ours['circle']}&file_size={self.size}"
        url = f"{self.ours['url']}/api/3/action/resource_upload_s3_urls?{query}"
        command = ["curl", "-sSkf", "-H", f"Authorization: {self.ours['token']}", url]
        urls = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["result"]["upload_urls"]
        step = -(-self.size // len(urls))
        seconds = 0.0
        for number, part in enumerate(urls):
            length = min(step, self.size - number * step)
            seconds += length / clients.put(part, self.source, number * step, length)[0]
        return self.size / seconds


MEASURES = ("download", "ranges", "upload", "direct", "latency", "memory", "opening")


def main() -> None:
    """Run all measures, or those asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--only", action="append", choices=MEASURES)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    size = options.size << 20
    folder = Path(tempfile.mkdtemp(prefix="dcor-bench-", dir=options.folder))
    try:
        with appliance(folder / "ours", size) as ours:
            files = Path(ours["path"]).parent
            with peers.nginx(folder / "nginx", ours["certificate"], ours["key"], files) as (theirs, pids):
                bench = Bench(folder, size, ours, theirs, pids)
                for measure in options.only or MEASURES:
                    getattr(bench, measure)()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
