"""Those who fetch and send: curl for bulk, wrk for ranges, threads of this process for the API."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import time
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

_WRK = """
local size = {size}
function setup(thread) thread:set("seed", os.time()) end
function request()
  local chunk = math.random(0, math.floor(size / 262144) - 1)
  local first = chunk * 262144
  return wrk.format("GET", nil, {{["Range"] = "bytes=" .. first .. "-" .. (first + 262143){auth}}})
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %.3f %d\\n", summary.requests, summary.duration, latency:percentile(99) / 1000, summary.errors.status))
end
"""


def download(url: str, token: str = "") -> float:
    """Bytes per second of one download by curl."""
    headers = ["-H", f"Authorization: {token}"] if token else []
    command = ["curl", "-sSkf", "-o", "/dev/null", "-w", "%{speed_download}", *headers, url]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def form(url: str, fields: dict[str, str], field: str, path: Path, name: str, token: str = "") -> tuple[float, float]:
    """(bytes per second, seconds from the last byte sent to the answer) of one upload by form."""
    size = path.stat().st_size
    boundary = "b" * 32
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    )
    head += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    tail = f"\r\n--{boundary}--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    headers |= {"Authorization": token} if token else {}
    return _send("POST", url, headers, head.encode(), path, 0, size, tail.encode())


def put(url: str, path: Path, offset: int, length: int) -> tuple[float, float]:
    """Like `form`, of one part by PUT."""
    return _send("PUT", url, {}, b"", path, offset, length, b"")


def _send(
    method: str, url: str, headers: dict[str, str], head: bytes, path: Path, offset: int, length: int, tail: bytes
) -> tuple[float, float]:
    parts = urlsplit(url)
    connection = HTTPSConnection(parts.hostname or "", parts.port, context=_context(), timeout=600)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    began = time.perf_counter()
    connection.putrequest(method, target)
    for key, value in (headers | {"Content-Length": str(len(head) + length + len(tail))}).items():
        connection.putheader(key, value)
    connection.endheaders()
    if head:
        connection.send(head)
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        left = length
        while left and (block := file.read(min(1 << 18, left))):
            connection.send(block)
            left -= len(block)
    if tail:
        connection.send(tail)
    sent = time.perf_counter()
    answer = connection.getresponse()
    body = answer.read()
    ended = time.perf_counter()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{answer.status} {body[:300]!r}")
    return length / (ended - began), ended - sent


def ranges(url: str, size: int, connections: int, seconds: int, folder: Path, token: str = "") -> tuple[float, float]:
    """(requests per second, 99th percentile [ms]) of random 256 KiB ranges over kept connections."""
    script = folder / "ranges.lua"
    auth = f', ["Authorization"] = "{token}"' if token else ""
    script.write_text(_WRK.format(size=size, auth=auth))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "10", "-s", str(script), url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) ([\d.]+) (\d+)", text)
    if found is None or int(found[4]):
        raise RuntimeError(text)
    return int(found[1]) / (int(found[2]) / 1e6), float(found[3])


class Pulse:
    """Asks one address again and again from a process of its own, and notes how long each answer took [s]."""

    def __init__(self, url: str, token: str = "") -> None:
        self._command = [sys.executable, "-m", "bench.transfer.latency_probe", url, token]
        self.times: list[float] = []

    def __enter__(self) -> Pulse:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *error: object) -> None:
        self.times = json.loads(self._process.communicate()[0])[1:]

    def percentile(self, share: float) -> float:
        """Milliseconds within which `share` of the answers came."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
