"""The cache: what is kept, how long, and in how many bytes."""

from __future__ import annotations

import sqlite3
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model.viewer import Viewer
from appliance.store.cache import Cache
from appliance.store.sizeof import size_of


class Commits:
    """A generation that a test changes."""

    def __init__(self) -> None:
        self.number = 1

    def __call__(self) -> int:
        return self.number


@pytest.fixture
def commits() -> Commits:
    return Commits()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock to turn by hand."""
    now = [1000.0]
    monkeypatch.setattr("appliance.store.cache.time.monotonic", lambda: now[0])
    return now


def never() -> Any:
    raise AssertionError("made although it is kept")


# --- how long ---------------------------------------------------------------------------------------------------------


def test_a_value_is_kept_until_somebody_commits(commits: Commits) -> None:
    cache = Cache(commits)
    assert cache.get("a", lambda: 1) == 1
    assert cache.get("a", never) == 1
    commits.number += 1
    assert cache.look_up("a") is None
    assert cache.get("a", lambda: 2) == 2


def test_what_was_read_before_a_commit_is_not_kept(commits: Commits) -> None:
    cache = Cache(commits)
    began = cache.generation()
    commits.number += 1
    assert cache.get("a", lambda: 1, since=began) == 1
    cache.store("b", 1, since=began)
    assert (cache.look_up("a"), cache.look_up("b"), len(cache)) == (None, None, 0)


def test_what_a_commit_overtakes_while_it_is_made_is_not_kept(commits: Commits) -> None:
    cache = Cache(commits)

    def slow() -> int:
        commits.number += 1
        return 1

    assert cache.get("a", slow) == 1
    assert cache.get("a", lambda: 2) == 2
    assert cache.get("a", never) == 2


def test_what_follows_from_its_key_alone_outlives_commits(commits: Commits) -> None:
    cache = Cache(commits)
    assert cache.get_lasting("a", lambda: 1) == 1
    commits.number += 1
    assert cache.look_up("b") is None
    assert cache.get_lasting("a", never) == 1
    assert len(cache) == 1


@pytest.mark.parametrize("way", ["get", "get_lasting"])
def test_a_value_gets_no_older_than_it_may(clock: list[float], commits: Commits, way: str) -> None:
    cache = Cache(commits)
    get: Callable[..., int] = getattr(cache, way)
    assert get("a", lambda: 1, max_age=60) == 1
    clock[0] += 59
    assert get("a", never, max_age=60) == 1
    clock[0] += 2
    assert get("a", lambda: 2, max_age=60) == 2
    assert get("a", never, max_age=60) == 2


def test_while_one_makes_a_value_anew_the_others_take_the_old_one(clock: list[float], commits: Commits) -> None:
    cache = Cache(commits)
    cache.get_lasting("a", lambda: "old", max_age=60)
    clock[0] += 61
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(30)
        return "new"

    found: list[str] = []
    worker = threading.Thread(target=lambda: found.append(cache.get_lasting("a", slow, max_age=60)))
    worker.start()
    assert begun.wait(30)
    assert cache.get_lasting("a", never, max_age=60) == "old"
    go_on.set()
    worker.join(30)
    assert found == ["new"]
    assert cache.get_lasting("a", never, max_age=60) == "new"


def test_nothing_is_kept_of_a_failure_and_of_none(commits: Commits) -> None:
    cache = Cache(commits)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0)
    assert cache.get("a", lambda: None) is None
    assert cache.get_lasting("b", lambda: None) is None
    assert (len(cache), cache.size) == (0, 0)


# --- how many bytes ---------------------------------------------------------------------------------------------------


def test_those_not_asked_for_longest_give_way(commits: Commits) -> None:
    cache = Cache(commits, limit=14_000)  # room for ten
    for number in range(10):
        cache.get(number, lambda: bytes(1000))
    cache.get(0, never)
    cache.get(10, lambda: bytes(1000))
    cache.get(11, lambda: bytes(1000))
    assert [number for number in range(12) if cache.look_up(number) is None] == [1, 2]
    assert cache.size <= 14_000


def test_a_value_that_would_push_out_most_others_is_not_kept(commits: Commits) -> None:
    cache = Cache(commits, limit=80_000)
    cache.get("small", lambda: b"x")
    assert len(cache.get("large", lambda: bytes(20_000))) == 20_000
    assert cache.look_up("large") is None
    assert cache.look_up("small") == b"x"


def test_a_limit_of_nothing_keeps_nothing(commits: Commits) -> None:
    cache = Cache(commits, limit=0)
    assert [cache.get("a", lambda number=number: number) for number in (1, 2)] == [1, 2]
    assert (len(cache), cache.size) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from(["get", "get_lasting", "commit"]), st.integers(0, 12), st.integers(0, 3000))))
def test_the_bound_holds_whatever_comes(steps: list[tuple[str, int, int]]) -> None:
    commits = Commits()
    cache = Cache(commits, limit=12_000)
    for way, key, length in steps:
        if way == "commit":
            commits.number += 1
        else:
            getattr(cache, way)((way, key), lambda length=length: bytes(length))
        assert cache.size <= cache.limit
        assert cache.size >= sum(entry.size for entry in cache._entries.values()) == cache.size
    commits.number += 1
    cache.look_up("nothing")
    assert all(entry.lasting for entry in cache._entries.values())


def test_many_threads_agree(commits: Commits) -> None:
    cache = Cache(commits, limit=20_000)
    wrong: list[Any] = []

    def work(seed: int) -> None:
        for step in range(2000):
            key = (seed * step) % 40
            value = cache.get(key, lambda key=key: (key, commits.number, bytes(500)))
            if value[0] != key:
                wrong.append(value)
            if step % 100 == 0:
                commits.number += 1

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert 0 <= cache.size <= 20_000


# --- the size of a value ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slotted:
    name: str
    values: list[float]


@dataclass
class Plain:
    name: str
    values: dict[str, str]


def row() -> sqlite3.Row:
    conn = sqlite3.connect(":memory:")
    conn.row_factory = sqlite3.Row
    found: sqlite3.Row = conn.execute("SELECT hex(randomblob(2000)) AS a, hex(randomblob(30)) AS b").fetchone()
    conn.close()
    return found


MAKERS: dict[str, Callable[[int], Any]] = {
    "text": lambda number: "ä" * 1000 + str(number),
    "bytes": lambda number: b"x" * 1000 + bytes(number % 9),
    "lists": lambda number: [[float(number + one)] * 2 for one in range(20)],
    "a mapping": lambda number: MappingProxyType({f"{number}-{one}": f"role-{number}-{one}" for one in range(20)}),
    "a set": lambda number: frozenset(f"{number}-{one}" for one in range(20)),
    "slots": lambda number: Slotted(f"n{number}", [float(number + one) for one in range(20)]),
    "a dataclass": lambda number: Plain(f"n{number}", {f"{number}-{one}": f"v{number}-{one}" for one in range(20)}),
    "a row": lambda number: row(),
    "an array": lambda number: np.arange(500) + number,
    "a path": lambda number: Path(f"/data/depot/resources/abc/def/{number}"),
    "a viewer": lambda number: Viewer(f"u{number}", circles={f"c{number}-{one}": "member" for one in range(20)}),
}


@pytest.mark.parametrize("what", MAKERS)
def test_the_size_is_what_the_interpreter_allocates_or_more(what: str) -> None:
    make = MAKERS[what]
    size_of(make(0))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    values = [make(number) for number in range(200)]
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    counted = sum(map(size_of, values))
    assert 0.9 * taken <= counted <= 3 * taken


def test_what_can_not_be_counted_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        size_of([object()])
