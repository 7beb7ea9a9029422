"""Counters of attempts stay small whoever tries what."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from appliance.security.attempt_storage import BoundedStorage
from appliance.security.limits import Limiter, Rates


def test_names_made_up_by_an_address_that_is_refused_are_not_kept() -> None:
    limiter = Limiter(Rates(login_address="30/minute"))
    for number in range(31):
        limiter.login_attempt(f"known{number}", "10.0.0.1")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    assert all(limiter.login_attempt(f"name{number}", "10.0.0.1") for number in range(5000))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000


def test_keys_have_a_bound_and_the_one_tried_longest_ago_goes_first() -> None:
    storage = BoundedStorage(most=10)
    for number in range(50):
        storage.acquire_entry("again", 100, 60)
        storage.acquire_entry(str(number), 5, 60)
    assert len(storage) <= 10
    assert storage.get_moving_window("again", 100, 60)[1] == 50
    assert storage.get_moving_window("0", 5, 60)[1] == 0


def test_what_has_expired_goes_with_the_attempts_that_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = BoundedStorage()
    for number in range(100):
        storage.acquire_entry(str(number), 5, 60)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    for number in range(40):
        storage.acquire_entry(f"later {number}", 5, 60)
    assert len(storage) <= 41


def test_the_window_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    storage, start = BoundedStorage(), time.time()
    for second in (0, 10, 20):
        monkeypatch.setattr(time, "time", lambda second=second: start + second)
        assert storage.acquire_entry("a", 3, 30)
    assert not storage.acquire_entry("a", 3, 30)
    monkeypatch.setattr(time, "time", lambda: start + 31)
    assert storage.acquire_entry("a", 3, 30)
    assert not storage.acquire_entry("a", 3, 30)
    storage.clear("a")
    assert storage.acquire_entry("a", 3, 30, amount=3)
    assert not storage.acquire_entry("b", 3, 30, amount=4)
