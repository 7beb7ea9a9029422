"""What is remembered, and for how long."""

from __future__ import annotations

import threading

import pytest

from appliance.store.cache import AgeingCache


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock to turn by hand."""
    now = [1000.0]
    monkeypatch.setattr("appliance.store.cache.time.monotonic", lambda: now[0])
    return now


def test_a_value_lives_as_long_as_it_may(clock: list[float]) -> None:
    cache = AgeingCache(life=60)
    assert cache.get("a", lambda: 1) == 1
    clock[0] += 59
    assert cache.get("a", lambda: 2) == 1
    assert cache.get("b", lambda: 3) == 3
    clock[0] += 2
    assert cache.get("a", lambda: 4) == 4


def test_while_one_makes_a_value_anew_the_others_take_the_old_one(clock: list[float]) -> None:
    cache = AgeingCache(life=60)
    cache.get("a", lambda: "old")
    clock[0] += 61
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(30)
        return "new"

    found: list[str] = []
    worker = threading.Thread(target=lambda: found.append(cache.get("a", slow)))
    worker.start()
    assert begun.wait(30)
    assert cache.get("a", lambda: "never made") == "old"
    go_on.set()
    worker.join(30)
    assert found == ["new"]
    assert cache.get("a", lambda: "never made") == "new"


def test_too_many_keys_are_forgotten_all_at_once() -> None:
    cache = AgeingCache(life=60, size=2)
    for key in "abc":
        cache.get(key, lambda: 1)
    assert cache.get("a", lambda: 2) == 2
