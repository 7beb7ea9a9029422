"""Write a catalogue of any size straight into a database, then index it as the appliance does."""

from __future__ import annotations

import random
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.model import times
from appliance.store import collections as entries
from appliance.store import communities, documents, users
from appliance.store.database import Database
from appliance.store.search import index
from bench.catalogue.words import LICENCES, Writer

VIEWER = "bench-user"
_BATCH = 500
_FIRST = datetime(2015, 1, 1)
#: A benchmark's database may be lost in a power cut, and all its references are known to be right; its indexes are written
#: in random places, so they have to stay in memory.
_HASTE = (
    "PRAGMA synchronous = OFF",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA cache_size = -2000000",
    "PRAGMA wal_autocheckpoint = 100000",
)


def generate(
    path: Path,
    datasets: int,
    *,
    resources: int = 5,
    circles: int = 0,
    keys: int = 99,
    bare: bool = False,
    seed: int = 1,
) -> dict[str, float]:
    """Make the database `path` with `datasets` datasets of `resources` resources each.

    A tenth of the circles has the user VIEWER as a member; three of ten datasets are private, one of fifty a draft.

    :param circles: number of circles; 0 = one for a hundred datasets, at least 20.
    :param keys: metadata keys kept of each measurement (99 = all, about 38).
    :param bare: leave the API answers of resources empty (they are most of the bytes and no search reads them).
    :returns: seconds for ``rows`` and ``index``, and the file's size in MB.
    """
    db = Database(path)
    db.create()
    writer = Writer(seed)
    began = time.monotonic()
    owners, collections = _people(db, circles or max(20, datasets // 100), writer.random)
    with db.write() as tx:
        tag_ids = _tags(tx, writer)
    for pragma in _HASTE:  # outside of a transaction: the connection stays the writer's
        tx.execute(pragma)
    for start in range(0, datasets, _BATCH):
        batch = [
            _dataset(writer, number, owners, resources, keys) for number in range(start, min(start + _BATCH, datasets))
        ]
        _write(db, batch, tag_ids, collections, writer.random, bare=bare)
    rows = time.monotonic()
    _index(db)
    done = time.monotonic()
    with db.write() as tx:
        tx.execute("PRAGMA optimize")
    tx.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return {"rows": rows - began, "index": done - rows, "MB": path.stat().st_size / 1e6}


def _people(db: Database, count: int, draw: random.Random) -> tuple[list[str], list[str]]:
    """Circles and collections, some with the viewer as a member."""
    with db.write() as tx:
        user = users.create(tx, VIEWER, "bench@example.org")
        circles = [
            communities.create(tx, "circle", f"circle-{number}", title=f"Circle {number}") for number in range(count)
        ]
        collections = [
            communities.create(tx, "collection", f"collection-{number}", title=f"Collection {number}")
            for number in range(max(5, count // 4))
        ]
        for community in [*draw.sample(circles, max(1, count // 10)), collections[0]]:
            communities.set_member(tx, community, user, "member")
    return circles, collections


def _tags(tx: Any, writer: Writer) -> list[str]:
    names = list(dict.fromkeys(writer.words[:400]))
    tx.executemany("INSERT INTO tag (id, name) VALUES (?, ?)", [(str(uuid.uuid4()), name) for name in names])
    return [row[0] for row in tx.execute("SELECT id FROM tag")]


def _dataset(writer: Writer, number: int, owners: list[str], resources: int, keys: int) -> dict[str, Any]:
    """The rows of one dataset."""
    draw, id_, title = writer.random, str(uuid.uuid4()), writer.title()
    created = _FIRST + timedelta(minutes=5 * number, microseconds=draw.randrange(10**6))
    private = draw.random() < 0.3
    state = "draft" if private and draw.random() < 0.07 else "active"
    row = (
        id_,
        f"{title.lower().replace(' ', '-')[:80]}-{number}",
        title,
        writer.text(draw.randint(20, 120)),
        writer.people(),
        draw.choice(LICENCES),
        int(private),
        state,
    )
    moment = times.text(created)
    owner = owners[min(int(draw.expovariate(3 / len(owners))), len(owners) - 1)]
    setup = writer.setup()
    files = []
    for position in range(resources):
        dc = dict(list(writer.measurement(setup, position).items())[-keys:])
        files.append(
            (
                str(uuid.uuid4()),
                id_,
                position,
                f"{setup['dc:experiment:sample']}_{number}_{position}.rtdc",
                draw.randint(10**6, 10**9),
                f"{draw.getrandbits(256):064x}",
                f"{draw.getrandbits(128):032x}",
                moment,
                dc,
                writer.supplements(),
            )
        )
    return {"row": (*row, owner, "bench-creator", moment, moment), "files": files}


def _write(
    db: Database,
    batch: list[dict[str, Any]],
    tag_ids: list[str],
    collections: list[str],
    draw: random.Random,
    *,
    bare: bool,
) -> None:
    with db.write() as tx:
        tx.executemany(
            "INSERT INTO dataset (id, name, title, notes, authors, license_id, private, state, circle_id, creator_id, created, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [one["row"] for one in batch],
        )
        for one in batch:
            id_ = one["row"][0]
            tx.executemany(
                "INSERT OR IGNORE INTO dataset_tag VALUES (?, ?)",
                [
                    (id_, tag_ids[min(int(draw.expovariate(1 / 40)), len(tag_ids) - 1)])
                    for _ in range(draw.randint(0, 5))
                ],
            )
            if draw.random() < 0.2:
                entries.add(tx, draw.choice(collections), id_, basis="operator")
            for file in one["files"]:
                _file(tx, file, bare=bare)
            if not bare:
                documents.refresh_dataset(tx, id_)


def _file(tx: Any, file: tuple[Any, ...], *, bare: bool) -> None:
    id_, dataset_id, position, name, size, sha256, etag, moment, dc, supplements = file
    tx.execute(
        """INSERT INTO resource (id, dataset_id, position, name, size, sha256, etag, mimetype, format, created, last_modified, metadata_modified,
             supplements, dc, event_count) VALUES (?, ?, ?, ?, ?, ?, ?, 'RT-DC', ?, ?, ?, ?, ?, ?, ?)""",
        (
            id_,
            dataset_id,
            position,
            name,
            size,
            sha256,
            etag,
            "RT-FDC" if position % 2 else "RT-DC",
            moment,
            moment,
            moment,
            documents.dump(supplements),
            documents.dump(dc),
            dc.get("dc:experiment:event count"),
        ),
    )
    if not bare:
        documents.refresh_resource(tx, id_)


def _index(db: Database) -> None:
    """Index everything, in transactions of a size that the write-ahead log bears."""
    with db.read() as conn:
        ids = [row[0] for row in conn.execute("SELECT id FROM dataset ORDER BY pk")]
    for start in range(0, len(ids), 2000):
        with db.write() as tx:
            index.refresh(tx, ids[start : start + 2000])
    with db.write() as tx:
        tx.execute("INSERT INTO search_text(search_text) VALUES ('optimize')")
        tx.execute("ANALYZE")
