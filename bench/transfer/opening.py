"""Opens remote measurements with dclab, each time in a fresh process (it keeps what it has fetched), and prints times [s]
and numbers of requests as JSON.

A program of its own, because its environment says whom to trust. Arguments: repetitions, then URLs.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from typing import Any

import dclab
import requests


def main(repetitions: int, urls: list[str]) -> None:
    """Take turns between the URLs, so that what else happens on the machine hits them alike."""
    fork = multiprocessing.get_context("fork")
    results: dict[str, list[tuple[float, int]]] = {url: [] for url in urls}
    for _ in range(repetitions):
        for url in urls:
            receiver, sender = fork.Pipe(duplex=False)
            process = fork.Process(target=_open, args=(url, sender))
            process.start()
            results[url].append(receiver.recv())
            process.join()
    print(json.dumps([results[url] for url in urls]))


def _open(url: str, sender: Any) -> None:
    count = 0
    send = requests.Session.send

    def counted(self: requests.Session, *args: Any, **options: Any) -> requests.Response:
        nonlocal count
        count += 1
        return send(self, *args, **options)

    requests.Session.send = counted  # type: ignore[method-assign]
    began = time.perf_counter()
    with dclab.new_dataset(url) as remote:
        remote["deform"][:]
        remote["area_um"][:]
        remote["image"][7]
    sender.send((time.perf_counter() - began, count))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
