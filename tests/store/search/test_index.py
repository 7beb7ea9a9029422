"""The index follows the catalogue, change by change, and leaves nothing behind."""

from __future__ import annotations

import random
import sqlite3

import pytest

from appliance.store import collections, datasets, resources, tags
from appliance.store.search import index
from tests.store.search.conftest import Catalogue

TABLES = ("search_dataset", "search_posting", "search_value")


def content(conn: sqlite3.Connection) -> dict[str, object]:
    """Everything the index says, without the numbers it gives to values."""
    values = {
        row[0]: (row[1], row[2], row[3], row[4])
        for row in conn.execute(
            "SELECT v.id, f.name, v.text, v.number, v.words FROM search_value v JOIN search_field f ON f.id = v.field_id"
        )
    }
    return {
        "postings": sorted(
            (values[row[0]][:2], row[1]) for row in conn.execute("SELECT value_id, pk FROM search_posting")
        ),
        "values": {
            value
            for id_, value in values.items()
            if conn.execute("SELECT 1 FROM search_posting WHERE value_id = ?", (id_,)).fetchone()
        },
        "datasets": [
            tuple(row)
            for row in conn.execute(
                "SELECT pk, title_key, num_tags, num_events, size, digest FROM search_dataset ORDER BY pk"
            )
        ],
        "texts": [tuple(row) for row in conn.execute("SELECT rowid, * FROM search_text ORDER BY rowid")],
    }


def test_changes_are_found_at_once(catalogue: Catalogue) -> None:
    catalogue.add("First title", name="one", tag="old")
    with catalogue.changed("one") as (tx, id_):
        datasets.update(tx, id_, title="Second title")
        tags.assign(tx, id_, ["new"])
        collections.add(tx, catalogue.id_of(tx, "g1"), id_, basis="operator")
        catalogue.add_file(tx, id_, dc={"dc:setup:flow rate": 0.5}, events=7)
    assert catalogue.found("first") == catalogue.found("tags:old") == []
    for q in ("second", "tags:new", "groups:g1", "Group", "dc:setup:flow rate:0.5", "num_events:7", "res_format:RT-DC"):
        assert catalogue.found(q) == ["one"], q
    with catalogue.changed("one") as (tx, id_):
        resources.remove(tx, tx.execute("SELECT id FROM resource").fetchone()[0])
        collections.remove(tx, catalogue.id_of(tx, "g1"), id_)
    for q in ("groups:g1", "Group", "dc:setup:flow rate:0.5", "num_events:7", "res_format:RT-DC"):
        assert catalogue.found(q) == [], q


def test_rolled_back_changes_are_not_found(catalogue: Catalogue) -> None:
    catalogue.add("Kept", name="one")

    def change() -> None:
        with catalogue.changed("one") as (tx, id_):
            datasets.update(tx, id_, title="Lost")
            datasets.touch(tx, id_)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change()
    assert catalogue.found("lost") == []
    assert catalogue.found("kept") == ["one"]


def test_purge_leaves_nothing(catalogue: Catalogue) -> None:
    catalogue.add(
        "To be purged",
        name="one",
        tag="t",
        collection="g1",
        files=[{"dc": {"dc:setup:flow rate": 0.5}, "supplements": {"sp:cells:organism": "mouse"}}],
    )
    with catalogue.changed("one") as (tx, id_):
        datasets.purge(tx, id_)
    with catalogue.db.read() as conn:
        for table in ("search_dataset", "search_posting", "search_text"):
            assert conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0
    catalogue.add("Another in its place", name="two")
    assert catalogue.found("purged") == catalogue.found("tags:t") == catalogue.found("sp:cells:organism:mouse") == []
    assert catalogue.found() == ["two"]


def test_rebuild_gives_what_the_changes_gave(catalogue: Catalogue) -> None:
    """A random walk of changes leaves the index as if it were built from scratch."""
    draw = random.Random(3)
    words = ["beads", "Zellen", "blood", "Größe", "flow", "RT-DC"]
    for number in range(12):
        catalogue.add(
            draw.choice(words),
            name=f"d{number}",
            tag=draw.choice(words),
            files=[{"dc": {"dc:setup:flow rate": draw.choice([0.1, 0.2])}, "events": number}],
        )
    for _ in range(60):
        with catalogue.db.read() as conn:
            names = [row[0] for row in conn.execute("SELECT name FROM dataset")]
        with catalogue.changed(draw.choice(names)) as (tx, id_):
            match draw.randrange(6):
                case 0:
                    datasets.update(tx, id_, title=" ".join(draw.sample(words, 2)), notes=draw.choice(words))
                case 1:
                    tags.assign(tx, id_, draw.sample(words, draw.randrange(3)))
                case 2:
                    collections.add(tx, catalogue.id_of(tx, "g1"), id_, basis="operator")
                case 3:
                    collections.remove(tx, catalogue.id_of(tx, "g1"), id_)
                case 4:
                    for row in tx.execute("SELECT id FROM resource WHERE dataset_id = ?", (id_,)).fetchall():
                        resources.patch(
                            tx,
                            row[0],
                            dc={"dc:setup:flow rate": draw.random(), "dc:setup:medium": draw.choice(words)},
                            event_count=draw.randrange(99),
                        )
                case 5 if len(names) > 5:
                    datasets.purge(tx, id_)
    with catalogue.db.read() as conn:
        before = content(conn)
    with catalogue.db.write() as tx:
        assert index.rebuild(tx) == len(before["datasets"])  # type: ignore[arg-type]
    with catalogue.db.read() as conn:
        assert content(conn) == before


def test_strange_values_are_taken(catalogue: Catalogue) -> None:
    dc = {
        "dc:setup:a": 10**400,
        "dc:setup:b": "",
        "dc:setup:c": "x" * 10_000,
        "dc:setup:d": 1e300,
        "dc:setup:e": "\u0000",
        "dc:setup:f": [1, None, {}],
        "dc:setup:g": None,
        "dc:setup:h": "1e999",
    }
    catalogue.add(
        "Odd",
        notes="\u0000 \ufffe " + "long " * 30_000,
        files=[{"dc": dc, "supplements": {"sp:identifiers:tags": ["a", 5, None]}}],
    )
    assert catalogue.found("dc:setup:d:>1e299") == ["odd"]
    assert catalogue.found("sp:identifiers:tags:5") == ["odd"]
    assert catalogue.found("dc:setup:g:*") == []


def test_unknown_ids_are_ignored(catalogue: Catalogue) -> None:
    with catalogue.db.write() as tx:
        index.refresh(tx, ["no-such-id"])
    assert catalogue.found() == []


def test_all_times_and_states_come_from_the_row(catalogue: Catalogue) -> None:
    catalogue.add("One", name="one")
    with catalogue.db.read() as conn:
        columns = {row[1] for table in TABLES for row in conn.execute(f"PRAGMA table_info({table})")}
    assert not columns & {"private", "state", "circle_id", "creator_id", "modified", "created"}
