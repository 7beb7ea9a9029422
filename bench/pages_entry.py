"""What a page and a form cost on their way into the pages and back.

    python -m bench.pages_entry [--calls 300]

One client on one TLS connection; processor time of the server for each answer, which tells more than the clock where other work
shares the machine.
"""

from __future__ import annotations

import argparse
import http.client
import ssl
import tempfile
import time
from pathlib import Path

from bench.appliance_process import serving
from bench.transfer.process import cpu

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
#: what is asked → (method, path, body); {} is another number in each request
CALLS = {
    "front page, known": ("GET", "/", ""),
    "front page, new address": ("GET", "/?n={}", ""),
    "page that is never kept": ("GET", "/about?n={}", ""),
    "form": ("POST", "/preferences", "theme=dark&next=/about"),
}


def measure(port: int, pid: int, certificate: Path, call: str, calls: int) -> str:
    """A line of the table."""
    method, path, body = CALLS[call]
    context = ssl.create_default_context(cafile=str(certificate))
    connection = http.client.HTTPSConnection("localhost", port, context=context)
    times = []
    before = began = 0.0
    for number in range(-20, calls):
        if number == 0:
            before, began = cpu(pid), time.monotonic()
        start = time.perf_counter()
        connection.request(method, path.format(number), body or None, _FORM if body else {})
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - start) * 1e3)
        if answer.status >= 400:
            raise RuntimeError(f"{call}: {answer.status}")
    rate, used = calls / (time.monotonic() - began), (cpu(pid) - before) / calls * 1e3
    connection.close()
    times = sorted(times[20:])
    return f"| {call} | {times[calls // 2]:.2f} / {times[int(calls * 0.99)]:.1f} | {rate:.0f} | {used:.2f} |"


def main() -> None:
    """Print the table."""
    from tests.support.server import Appliance

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepared = Appliance(Path(folder) / "data", **{"policy.anonymous_access": True})
        prepared.stop()
        port = prepared.settings.server.port
        print("| call | p50 / p99 ms | answers/s | server CPU ms |\n|---|---|---|---|")
        with serving(prepared.root, port) as pid:
            for call in CALLS:
                print(measure(port, pid, prepared.certificate, call, options.calls), flush=True)


if __name__ == "__main__":
    main()
