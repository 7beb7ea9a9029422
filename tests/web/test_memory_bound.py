"""What is kept stays within `server.cache`, whatever is asked for."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from appliance.store import datasets, resources
from appliance.store.cache import Cache
from appliance.store.search import words
from tests.web.api.permission_fixture import World

_LIMIT = 4 << 20
_ADDRESSES = 150  # were 52 MB before there was one bound in bytes


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    made.appliance.service.jobs.stop(grace=5.0)
    yield made
    made.stop()


@pytest.fixture
def cache(world: World) -> Cache:
    """An empty cache with little room."""
    world.context.cache = Cache(world.context.db.generation, _LIMIT)
    return world.context.cache


@pytest.fixture(scope="module")
def large(world: World) -> str:
    """The name of a dataset with 300 files: its page has some 70 kB, its answer of the API more."""
    one = world.dataset("public")
    with world.context.db.write() as tx:
        for number in range(300):
            resources.create(
                tx, f"{number:08d}-0000-4000-8000-{one.id[-12:]}", one.id, f"M{number}_data.rtdc", size=1, sha256="0" * 64,
                etag="0" * 32, mimetype="RT-DC", format_="RT-FDC",
            )  # fmt: skip
        datasets.touch(tx, one.id)
    return one.name


@pytest.mark.parametrize(
    ("path", "coding"),
    [
        ("/dataset/{}?n={}", "identity"),
        ("/dataset/{}?n={}", "gzip"),
        ("/api/3/action/package_show?id={}&ext_n={}", "identity"),
    ],
)
def test_ever_new_addresses_of_a_large_answer_stay_within_the_bound(
    world: World, cache: Cache, large: str, path: str, coding: str
) -> None:
    reader = world.people["Cm"]
    total = 0
    for number in range(_ADDRESSES):
        answer = reader.fetch(path.format(large, number), headers={"Accept-Encoding": coding})
        assert answer.status_code == 200
        assert len(answer.content) > 70_000
        total += int(answer.headers["Content-Length"])
        assert 0 < cache.size <= _LIMIT
    answers = [getattr(entry.value, "response", entry.value) for entry in cache._entries.values()]
    kept = sum(len(one if isinstance(one, bytes) else getattr(one, "body", b"")) for one in answers)
    assert min(total, _LIMIT) / 2 < kept <= cache.size


def test_ever_new_searches_take_no_more_memory(world: World, cache: Cache) -> None:
    reader = world.people["Cm"]
    for number in range(100):
        reader.get("package_search", q=f"dataset OR {'x' * 2000}{number}", include_private=True)
        assert cache.size <= _LIMIT


def test_ever_new_words_take_no_more_memory() -> None:
    """Pieces of text are kept by a library's cache that counts entries: long ones are left out, so that their bytes are bounded."""
    pieces = [f"{'aB' * 990}{number}" for number in range(300)]
    words.parts("warm")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for piece in pieces:
        words.parts(piece)
        list(words.indexed(piece))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 1 << 20


def test_nothing_is_kept_where_the_site_wants_it(world: World, large: str) -> None:
    world.context.cache = Cache(world.context.db.generation, 0)
    assert [world.people["Cm"].fetch(f"/dataset/{large}").status_code for _ in range(3)] == [200] * 3
    assert len(world.context.cache) == 0
