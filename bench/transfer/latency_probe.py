"""Asks one address again and again over one connection until its input ends; prints the times [s] as JSON.

A process of its own: the bulk clients must not share an interpreter with what is measured.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from http.client import HTTPSConnection
from urllib.parse import urlsplit


def main(url: str, token: str) -> None:
    """Measure until standard input is closed."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    parts = urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=60)
    target = f"{parts.path}?{parts.query}"
    times = []
    while not ended.is_set():
        began = time.perf_counter()
        connection.request("GET", target, headers={"Authorization": token} if token else {})
        connection.getresponse().read()
        times.append(time.perf_counter() - began)
        ended.wait(0.01)
    print(json.dumps(times))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
