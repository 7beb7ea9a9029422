"""How many SQL statements a request takes: few, and as many for a thousand results as for one."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from appliance.store import resources
from appliance.web.api.registry import ACTIONS
from tests.support.server import Person
from tests.web.api.permission_fixture import World


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that the pool's connections run meanwhile, without those that SQLite runs inside of them."""
    ran: list[str] = []
    pool: list[sqlite3.Connection] = list(world.context.db._idle)
    for conn in pool:
        conn.set_trace_callback(lambda statement: ran.append(statement) if not statement.startswith("--") else None)
    yield ran
    for conn in pool:
        conn.set_trace_callback(None)


def statements(world: World, ask: Callable[[], Any]) -> list[str]:
    """What a request runs when everything that is cached has been asked for before. No job may come between."""
    for _ in range(20):
        before = world.context.db.generation()
        ask()
        with counted(world) as ran:
            ask()
        if ran and world.context.db.generation() == before:
            return ran
    raise AssertionError("the database is never quiet")


@pytest.fixture(scope="module")
def reader(world: World) -> Iterator[Person]:
    world.appliance.service.jobs.stop(grace=5.0)  # nobody else asks the database
    declared = dict(ACTIONS)
    ACTIONS.update({name: dataclasses.replace(action, cacheable=False) for name, action in declared.items()})
    yield world.people["Cm"]
    ACTIONS.update(declared)


def test_package_show(world: World, reader: Person) -> None:
    small, large = world.datasets("private", 2, files=False)
    with world.context.db.write() as tx:
        for number in range(200):
            resources.create(
                tx, f"{number:08d}-0000-4000-8000-{large.id[-12:]}", large.id, f"{number}.txt", size=1, sha256="0" * 64, etag="0" * 32, mimetype=None, format_=""
            )  # fmt: skip
    counts = [
        len(statements(world, lambda one=one: reader.get("package_show", id=one.id).result)) for one in (small, large)
    ]
    assert len(reader.get("package_show", id=large.id).result["resources"]) == 201
    assert counts == [3, 3]


def test_package_search(world: World, reader: Person) -> None:
    world.datasets("private", 30, files=False)
    facets = {"facet.field": '["organization", "tags"]'}

    def ask(rows: int, **more: str) -> Any:
        found = reader.get("package_search", q="dataset", include_private=True, rows=rows, **facets, **more).result
        assert len(found["results"]) == rows
        return found

    # what depends on the moment is searched each time, everything else is cached until somebody commits
    now = {"fq": "metadata_created:[* TO NOW]"}
    searched = [len(statements(world, lambda rows=rows: ask(rows, **now))) for rows in (1, 20, 30)]
    cached = [len(statements(world, lambda rows=rows: ask(rows))) for rows in (1, 20, 30)]
    assert searched == [5, 5, 5]
    assert cached == [1, 1, 1]


@pytest.mark.parametrize(("action", "kind"), [("organization_list", "circle"), ("group_list", "collection")])
def test_lists_of_communities(world: World, reader: Person, action: str, kind: str) -> None:
    def ask() -> Any:
        return reader.get(action, all_fields=True).result

    few, before = len(statements(world, ask)), len(ask())
    for _ in range(20):
        world.fresh(kind)
    assert len(ask()) == before + 20
    assert len(statements(world, ask)) == few == 1


def test_dcserv_and_downloads(world: World, reader: Person) -> None:
    one = world.dataset("private")
    assert (
        len(statements(world, lambda: reader.get("dcserv", id=one.resource, query="metadata", version=2).result)) <= 4
    )
    path = f"/dataset/{one.id}/resource/{one.resource}/download/data.rtdc"
    reader.fetch(path)
    with counted(world) as ran:
        assert reader.fetch(path, headers={"Range": "bytes=0-3"}).status_code == 206
    assert ran == []  # known until anybody writes
