"""What the benchmarks of pages and API share: an appliance in a process of its own, with resources whose files nobody fetches."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.store import datasets, resources

_START_SECONDS = 300.0


@contextmanager
def serving(root: Path, port: int) -> Iterator[int]:
    """Have the data root `root` served on `port` meanwhile; yields the process' id. Raises TimeoutError."""
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance", "--data", str(root), "serve"], stderr=subprocess.DEVNULL
    )
    try:
        answers_at(port)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def add_resources(tx: sqlite3.Connection, dataset_id: str, template_id: str, count: int, *, series: int = 0) -> None:
    """Give a dataset `count` measurements with the metadata of the resource `template_id`: rows without files.

    :param series: a number of the dataset's own, from which the ids are made.
    """
    template = resources.get(tx, template_id)
    assert template is not None
    dc = json.loads(template["dc"])
    for position in range(count):
        resource_id = f"{series:08x}-0000-4000-8000-{position:012x}"
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
        resources.patch(tx, resource_id, dc=dc, event_count=10_000)
    datasets.touch(tx, dataset_id)


def answers_at(port: int) -> None:
    """Wait until somebody listens. Raises TimeoutError."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the appliance did not start")
