"""What it costs to add, change and remove one file of a large dataset: `python -m bench.catalogue.one_file [--files N …] [--keys N]`.

Milliseconds of processor time of the transaction (median of 5), and bytes that it writes into the database's log, which are proportional
to the pages that it changes.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from appliance.model import names
from appliance.store import data_root, datasets, resources
from appliance.store.database import Database

_REPEATS = 5


def main() -> None:
    """A line for each number of files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="+", default=[20, 200, 2000])
    parser.add_argument("--keys", type=int, default=38)
    options = parser.parse_args()
    for count in options.files:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{count} files: " + ", ".join(measure(Path(folder) / "data", count, options.keys)), flush=True)


def measure(root: Path, count: int, keys: int) -> list[str]:
    """The figures of a dataset of `count` files."""
    db, dataset_id, ids = filled(root, count, keys)
    bare = [add(db, dataset_id, 2 * count + number, None) for number in range(_REPEATS)]
    last, first = iter(ids[::-1]), iter(ids)
    steps: dict[str, Callable[[int], object]] = {
        "add": lambda number: add(db, dataset_id, count + number, keys),
        "note metadata": lambda number: note(db, bare[number], 2 * count + number, keys),
        "change metadata": lambda number: note(db, ids[count // 2 + number], 3 * count + number, keys),
        "remove the last": lambda _number: remove(db, next(last)),
        "remove the first": lambda _number: remove(db, next(first)),
    }
    found = []
    for name, step in steps.items():
        cost = [_cost(db, lambda step=step, number=number: step(number)) for number in range(_REPEATS)]
        milliseconds, written = (statistics.median(one) for one in zip(*cost, strict=True))
        found.append(f"{name} {milliseconds:.1f} ms, {written / 1000:.0f} kB")
    db.close()
    return found


def filled(root: Path, count: int, keys: int) -> tuple[Database, str, list[str]]:
    """A database with one dataset of `count` files with metadata. → (database, dataset's id, files' ids)."""
    data_root.create(root)
    db = Database(root / "dcor.sqlite")
    db.create()
    with db.write() as tx:
        tx.execute("INSERT INTO community (id, kind, name, created) VALUES ('c1', 'circle', 'lab', '2024')")
        values = {
            "name": "many",
            "title": "Many",
            "private": 1,
            "state": "draft",
            "circle_id": "c1",
            "creator_id": "u1",
        }
        dataset_id = datasets.create(tx, values)
        ids = [_create(tx, dataset_id, number, keys) for number in range(count)]
    return db, dataset_id, ids


def add(db: Database, dataset_id: str, number: int, keys: int | None) -> str:
    """One more file, with metadata or (None) without. → its id."""
    with db.write() as tx:
        return _create(tx, dataset_id, number, keys)


def note(db: Database, resource_id: str, number: int, keys: int) -> None:
    """As the metadata job does."""
    with db.write() as tx:
        resources.patch(tx, resource_id, dc=metadata(number, keys), event_count=number)


def remove(db: Database, resource_id: str) -> None:
    """One file less."""
    with db.write() as tx:
        resources.remove(tx, resource_id)


def metadata(number: int, keys: int) -> dict[str, object]:
    """Like a measurement's: most values are those of the other files, some are its own."""
    own = {
        "dc:experiment:event count": 1000 + number,
        "dc:experiment:run index": number,
        "dc:experiment:time": f"{number}",
    }
    return own | {f"dc:setup:key {key}": f"value {key} of the setup" for key in range(keys - len(own))}


def _create(tx: sqlite3.Connection, dataset_id: str, number: int, keys: int | None) -> str:
    resource_id = names.new_id()
    resources.create(
        tx,
        resource_id,
        dataset_id,
        f"M{number:05d}_data.rtdc",
        size=1000 + number,
        sha256="0" * 64,
        etag="0" * 32,
        mimetype="RT-DC",
        format_="RT-DC",
        crc32=0,
    )
    if keys is not None:
        resources.patch(tx, resource_id, dc=metadata(number, keys), event_count=1000 + number)
    return resource_id


def log_size(db: Database) -> int:
    """Bytes in the database's log."""
    return db.path.with_name(f"{db.path.name}-wal").stat().st_size


def empty_log(db: Database) -> None:
    """Write the log into the database and cut it."""
    with db.write() as tx:
        pass
    tx.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _cost(db: Database, step: Callable[[], object]) -> tuple[float, int]:
    empty_log(db)
    began = time.process_time()
    step()
    return (time.process_time() - began) * 1e3, log_size(db)


if __name__ == "__main__":
    main()
