"""One large download and one large upload that go on and on while something else is measured."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from pathlib import Path

_BLOCK = 1 << 20


def fill(path: Path, size: int) -> None:
    """Write `size` bytes that do not compress."""
    block = os.urandom(_BLOCK)
    with path.open("wb") as file:
        for _ in range(size // _BLOCK):
            file.write(block)


class Transfers:
    """A context in which two clients move `source`'s size again and again, each by a curl of its own.

    :param url: of the appliance; `token` of an administrator, who uploads to the draft `draft` and removes again.
    :param download: path of the file to fetch.
    :param source: the file to send; each upload is deleted again.
    :ivar moved: bytes received and sent while the context was open.
    """

    def __init__(self, url: str, token: str, *, download: str, draft: str, source: Path) -> None:
        self._url, self._token, self._download, self._draft, self._source = url, token, download, draft, source
        self._ended = threading.Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.moved = {"download": 0, "upload": 0}
        self.seconds = 0.0

    def __enter__(self) -> Transfers:
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._repeat, args=(work,)) for work in (self._fetch, self._send)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.monotonic() - self._began
        self._ended.set()
        for name, process in list(self._running.items()):
            self.moved[name] = self.moved.get(name, 0) + _progress(name, process.pid)
            process.terminate()
        for thread in self._threads:
            thread.join()

    @property
    def rates(self) -> str:
        """What was moved, in words."""
        return ", ".join(f"{name} {self.moved[name] / 1e6 / self.seconds:.0f} MB/s" for name in ("download", "upload"))

    def _repeat(self, work: object) -> None:
        number = 0
        while not self._ended.is_set():
            work(number)  # type: ignore[operator]
            number += 1

    def _fetch(self, number: int) -> None:
        self._curl("download", ["-o", "/dev/null", "-w", "\n%{size_download}", self._url + self._download])

    def _send(self, number: int) -> None:
        form = ["-F", f"package_id={self._draft}", "-F", f"upload=@{self._source};filename=bulk-{number}.txt"]
        answer = self._curl("upload", ["-w", "\n%{size_upload}", *form, f"{self._url}/api/3/action/resource_create"])
        if answer:
            body = json.dumps({"id": json.loads(answer)["result"]["id"]})
            self._curl("", ["-d", body, f"{self._url}/api/3/action/resource_delete"])

    def _curl(self, name: str, arguments: list[str]) -> str:
        """Run curl; returns the answer's body, "" when it was ended."""
        command = ["curl", "-sSk", "--fail-with-body", "-H", f"Authorization: {self._token}", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._running[name] = process
        if self._ended.is_set() and name:
            process.terminate()
        output = process.communicate()[0].decode()
        body, _, size = output.rpartition("\n")
        if name and size.isdigit() and not self._ended.is_set():
            self.moved[name] += int(size)
        if process.returncode > 0:
            raise RuntimeError(f"curl ended with {process.returncode}: {output[:300]}")
        return body if process.returncode == 0 else ""


def _progress(name: str, pid: int) -> int:
    """Bytes of a transfer that is still running: what curl has read of the file, or written to /dev/null."""
    wanted = "rchar" if name == "upload" else "wchar"
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:  # it has just ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(wanted)), 0)
