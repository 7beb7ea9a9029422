"""Clients that ask one address again and again: wrk where it is installed, else threads of this process.

wrk is the better one for more than one client: threads of a Python process take as much of the two cores as the server does.
"""

from __future__ import annotations

import random
import re
import shutil
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

_SCRIPT = """
local paths, number = {{{paths}}}, 0
function request()
  number = number + 1
  return wrk.format("GET", paths[number % #paths + 1] .. {more}, {{{headers}}})
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True)
class Target:
    """What to ask: https addresses, one after the other, and headers.

    :ivar number: the number of the request stands behind the address: each is a question that was never asked before.
    """

    urls: tuple[str, ...]
    headers: dict[str, str]
    certificate: Path
    number: bool = False

    @property
    def paths(self) -> list[str]:
        """The addresses without their host."""
        parts = [urlsplit(url) for url in self.urls]
        return [f"{one.path}?{one.query}" if one.query else one.path for one in parts]


@dataclass(frozen=True)
class Figures:
    """What came of it: milliseconds within which half and 99 of 100 answers came, answers a second.

    The percentiles are those of the answers, not corrected for what a stalled client would have asked meanwhile.
    """

    p50: float
    p99: float
    rate: float


def measure(target: Target, clients: int, seconds: float) -> Figures:
    """`clients` kept connections for `seconds`. Raises RuntimeError when anything but 200 comes."""
    plain = _threads(target, clients, seconds)
    return replace(plain, rate=_wrk(target, clients, seconds)) if shutil.which("wrk") else plain


def _wrk(target: Target, clients: int, seconds: float) -> float:
    """Answers a second. (wrk's percentiles are corrected, so they are not used.)"""
    more = f"{random.randrange(10**9)} .. number" if target.number else '""'
    paths = ", ".join(f'"{path}"' for path in target.paths)
    headers = ", ".join(f'["{name}"] = "{value}"' for name, value in target.headers.items())
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT.format(paths=paths, more=more, headers=headers))
        script.flush()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}", "--timeout", "30"]
        output = subprocess.run(
            [*command, "-s", script.name, target.urls[0]], check=True, capture_output=True, text=True
        ).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+)", output)
    if found is None or int(found[3]):
        raise RuntimeError(output)
    return int(found[1]) / (int(found[2]) / 1e6)


class _Client:
    """One keep-alive TLS connection."""

    def __init__(self, target: Target) -> None:
        parts = urlsplit(target.urls[0])
        context = ssl.create_default_context(cafile=str(target.certificate))
        raw = socket.create_connection((parts.hostname or "", parts.port or 443))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(raw, server_hostname="localhost")
        self._paths, self._numbered = target.paths, target.number
        self._rest = "".join(f"{name}: {value}\r\n" for name, value in {"Host": parts.netloc, **target.headers}.items())

    def get(self, number: int) -> None:
        """Send a request, read the whole answer. Raises RuntimeError unless it is 200."""
        path = self._paths[number % len(self._paths)] + (str(number) if self._numbered else "")
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{self._rest}\r\n".encode())
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        head = data[:end].lower()
        start = head.index(b"content-length:") + 15
        stop = head.find(b"\r\n", start)
        missing = int(head[start : stop if stop >= 0 else None]) - (len(data) - end - 4)
        while missing > 0:
            missing -= len(self._receive())
        if head[9:12] != b"200":
            raise RuntimeError(data.decode(errors="replace"))

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data


def _threads(target: Target, clients: int, seconds: float) -> Figures:
    connections = [_Client(target) for _ in range(clients)]
    times: list[float] = []
    gate = threading.Barrier(clients + 1)
    until = [0.0]
    first = random.randrange(10**6) * 10**9

    def work(place: int, one: _Client) -> None:
        mine = []
        gate.wait()
        while (begun := time.perf_counter()) < until[0]:
            one.get(first + place * 10**6 + len(mine))
            mine.append(time.perf_counter() - begun)
        times.extend(mine)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(connections)]
    for thread in threads:
        thread.start()
    until[0] = time.perf_counter() + seconds
    gate.wait()
    for thread in threads:
        thread.join()
    times.sort()
    return Figures(statistics.median(times) * 1e3, times[int(len(times) * 0.99)] * 1e3, len(times) / seconds)
