"""How long the catalogue's calls take in the process that serves them: p50 and p99 by kind of call.

Both wall-clock and processor time are given: on a machine that does other things, only the second says something about the code.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.model.viewer import Viewer
from appliance.store import communities, documents, users
from appliance.store.cache import Cache
from appliance.store.database import Database
from appliance.store.search import SearchQuery, index, package_search
from bench.catalogue.generate import VIEWER
from bench.catalogue.words import TOPICS, Writer

Call = Callable[[sqlite3.Connection, Viewer], Any]
FACETS = '["organization", "tags"]'
PAGE_FACETS = '["organization", "groups", "tags", "res_format", "license_id", "year", "dc:setup:chip region", "sp:general:sample type"]'
WARM = 20
#: Every search is made, columns are kept: as if somebody committed between all calls, but changed no dataset.
_COLUMNS_ONLY = Cache(itertools.count().__next__)


def measure(path: Path, *, calls: int = 300, seed: int = 7) -> dict[str, dict[str, float]]:
    """Times in ms: {call: {"p50", "p99", "max", "cpu p50", "cpu p99"}}. One connection, no result cache, a warm page cache."""
    db = Database(path)
    with db.read() as conn:
        viewer = _viewer(conn)
        times = {name: _time(conn, viewer, make, calls, seed) for name, make in _calls(conn).items()}
    times["index one changed dataset (write)"] = _writes(db, calls, seed)
    return times


def _writes(db: Database, calls: int, seed: int) -> dict[str, float]:
    """New words and values for a dataset of five resources, inside a transaction that is then taken back."""
    draw, taken = random.Random(seed), []
    with db.read() as conn:
        ids = [row[0] for row in conn.execute("SELECT id FROM dataset ORDER BY random() LIMIT ?", (calls,))]
    with contextlib.suppress(_TakeBack), db.write() as tx:
        for id_ in ids:
            tx.execute("UPDATE dataset SET title = title || ? WHERE id = ?", (f" changed {draw.random()}", id_))
            taken.append(_timed(lambda id_=id_: index.refresh(tx, [id_])))  # type: ignore[misc]
        raise _TakeBack
    return _summary(taken)


class _TakeBack(Exception):
    """Undo a transaction."""


def _timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Wall-clock and processor time in ms."""
    wall, cpu = time.perf_counter(), time.thread_time()
    call()
    return (time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000


def _summary(taken: list[tuple[float, float]]) -> dict[str, float]:
    wall, cpu = sorted(one[0] for one in taken), sorted(one[1] for one in taken)
    middle, late = len(taken) // 2, int(len(taken) * 0.99)
    return {"p50": wall[middle], "p99": wall[late], "max": wall[-1], "cpu p50": cpu[middle], "cpu p99": cpu[late]}


def _viewer(conn: sqlite3.Connection) -> Viewer:
    row = users.find(conn, VIEWER)
    assert row is not None
    circles, collections = communities.roles_of(conn, row["id"])
    return Viewer(user_id=row["id"], name=VIEWER, sees_public=True, circles=circles, collections=collections)


def _time(
    conn: sqlite3.Connection, viewer: Viewer, make: Callable[[random.Random], Call], calls: int, seed: int
) -> dict[str, float]:
    draw = random.Random(seed)
    todo = [make(draw) for _ in range(calls)]
    for call in todo[:WARM]:
        call(conn, viewer)
    return _summary([_timed(lambda call=call: call(conn, viewer)) for call in todo])  # type: ignore[misc]


def _calls(conn: sqlite3.Connection) -> dict[str, Callable[[random.Random], Call]]:
    """Makers of calls, one for each line of the table."""
    writer = Writer(1)
    ids = [row[0] for row in conn.execute("SELECT id FROM dataset ORDER BY random() LIMIT 500")]
    circles = [row[0] for row in conn.execute("SELECT name FROM community WHERE kind = 'circle'")]

    def words(draw: random.Random, count: int) -> str:
        """Words as they are frequent in the catalogue: what people type is not evenly drawn either."""
        writer.random = draw
        return writer.text(count)

    return {
        "free text, 2 facets, 20 rows": lambda draw: _search(
            q=words(draw, draw.randint(1, 3)), rows=20, **{"facet.field": FACETS}
        ),
        "one very common word, 2 facets, 20 rows": lambda draw: _search(
            q=draw.choice(TOPICS[:8]), rows=20, **{"facet.field": FACETS}
        ),
        "page of the web interface: 8 facets, 20 rows": lambda draw: _search(
            q=words(draw, 1), rows=20, **{"facet.field": PAGE_FACETS}
        ),
        "everything, 10 rows": lambda draw: _search(q="*:*", rows=10),
        "everything, 2 facets, 20 rows": lambda draw: _search(q="*:*", rows=20, **{"facet.field": FACETS}),
        "a circle changed since, 100 rows": lambda draw: _search(
            q="*:*",
            fq=f"(organization:{draw.choice(circles)} AND metadata_modified:[2016-01-01T00\\:00\\:00Z TO NOW])",
            rows=100,
            sort="metadata_created desc",
        ),
        "flow rate and events, 20 rows": lambda draw: _search(
            q=f"dc:setup:flow rate:[0.03 TO {draw.choice((0.05, 0.07))}] num_events:>200000", rows=20
        ),
        "all datasets of a collection by name, 1000 rows": lambda draw: _search(
            q="*:*", fq=" groups:collection-0", rows=1000, sort="name asc"
        ),
        "free text right after a change (facets read anew)": lambda draw: _search(
            None, q=words(draw, 1), rows=20, **{"facet.field": FACETS}
        ),
        "package_show, 5 resources": lambda draw: _show(draw.choice(ids)),
        "organization_list, all fields": lambda draw: (
            lambda conn, viewer: communities.listed(conn, "circle", viewer, limit=1000)
        ),
    }


def _search(cache: Cache | None = _COLUMNS_ONLY, **parameters: Any) -> Call:
    def call(conn: sqlite3.Connection, viewer: Viewer) -> int:
        query = SearchQuery.from_parameters({"include_private": "True"} | parameters)
        result = package_search(conn, query, viewer, cache)
        return result.count + len(documents.packages(conn, result.pks))

    return call


def _show(id_: str) -> Call:
    return lambda conn, viewer: documents.package(conn, id_)
