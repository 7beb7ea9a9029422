"""Archived files through the appliance, compared with the object storage asked directly: whole file, and ranges as dclab asks them.

`python -m bench.archive [--megabytes N]`: Ceph (radosgw, objects in memory) and an appliance in a process of its own, both on this machine.
Ranges are measured with pieces that are not kept (first reading) and kept (second reading); both clients keep their connection.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from appliance.archive import access
from appliance.archive.moving import Mover
from tests.archive.conftest import settings_of
from tests.support.ceph import SECRET_KEY, Ceph
from tests.support.samples import synthetic
from tests.support.server import ApartAppliance

RANGES = 150


def seconds(work: Callable[[], int]) -> tuple[float, int]:
    """(seconds, bytes) of some reading."""
    begun = time.perf_counter()
    size = work()
    return time.perf_counter() - begun, size


def rate(name: str, store: tuple[float, int], appliance: tuple[float, int], reads: int = 1) -> None:
    """A line of the table."""
    ours, theirs = appliance[1] / appliance[0] / 1e6, store[1] / store[0] / 1e6
    each = f"{store[0] / reads * 1e3:.2f} / {appliance[0] / reads * 1e3:.2f}"
    print(f"| {name} | {theirs:.0f} | {ours:.0f} | {each} | {ours / theirs:.2f} |", flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=300)
    size = parser.parse_args().megabytes * 1_000_000
    with tempfile.TemporaryDirectory(prefix="bench-archive-") as top:
        ceph = Ceph(Path(top) / "ceph")
        bucket = ceph.bucket()
        appliance = ApartAppliance(Path(top) / "data", **settings_of(ceph, bucket))
        try:
            access.set_secret(appliance.settings, SECRET_KEY)
            owner = appliance.person("ada")
            owner.circle("lab")
            file = Path(top) / "noise.tif"
            with file.open("wb") as target:
                for _ in range(size // 1_000_000):
                    target.write(os.urandom(1_000_000))
            dataset = owner.draft("lab")["id"]
            resource = owner.add(dataset, file)["id"]
            owner.add(dataset, synthetic())
            owner.activate(dataset)
            appliance.jobs_done(resource)
            context = appliance.context
            moved = seconds(lambda: Mover(context.db, context.depot, context.settings).run().bytes)
            print(f"moved, read back and compared: {moved[1] / moved[0] / 1e6:.0f} MB/s\n")
            key = next(one for one in ceph.keys(bucket) if one.endswith(resource[6:]))
            client = ceph.client()
            path = f"/dataset/{dataset}/resource/{resource}/download/x"

            def direct(start: int, length: int) -> int:
                wanted = f"bytes={start}-{start + length - 1}"
                body = client.get_object(Bucket=bucket, Key=key, Range=wanted)["Body"]
                return sum(len(block) for block in body.iter_chunks(1 << 20))

            def through(start: int, length: int) -> int:
                headers = {"Range": f"bytes={start}-{start + length - 1}"}
                with owner.fetch(path, headers=headers, stream=True) as answer:
                    return sum(len(block) for block in answer.iter_content(1 << 20))

            print(
                "| reading | storage MB/s | appliance MB/s | ms each: storage / appliance | ratio |\n|---|---|---|---|---|"
            )
            direct(0, 1000), through(0, 1000)
            whole = (
                min(seconds(lambda: direct(0, size)) for _ in range(2)),
                min(seconds(lambda: through(0, size)) for _ in range(2)),
            )
            rate("whole file", *whole)
            for length in (262_144, 1_048_576, 8_388_608):
                places = [random.Random(length).randrange(0, size - length) for _ in range(RANGES)]
                storage = seconds(lambda: sum(direct(one, length) for one in places))  # noqa: B023
                first = seconds(lambda: sum(through(one, length) for one in places))  # noqa: B023
                again = seconds(lambda: sum(through(one, length) for one in places))  # noqa: B023
                rate(f"{RANGES} random ranges of {length >> 10} KiB", storage, first, RANGES)
                rate("the same again", storage, again, RANGES)
            chunks = range(0, min(size, 1 << 26), 1 << 18)
            ordered = seconds(lambda: sum(direct(one, 1 << 18) for one in chunks))
            rate(
                "64 MiB in order, 256 KiB each (dclab)",
                ordered,
                seconds(lambda: sum(through(one, 1 << 18) for one in chunks)),
                len(chunks),
            )
        finally:
            appliance.stop()
            ceph.end()


if __name__ == "__main__":
    main()
