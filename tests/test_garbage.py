"""Garbage is looked for while nobody waits, but not put off for ever."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from appliance import garbage


class Circle:
    """Something that only a collection frees."""

    alive = 0

    def __init__(self) -> None:
        self.itself = self
        Circle.alive += 1

    def __del__(self) -> None:
        Circle.alive -= 1


@pytest.fixture(autouse=True)
def interpreter() -> Iterator[None]:
    """The interpreter's own settings afterwards."""
    before = gc.get_threshold()
    gc.collect()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def churn(rounds: int) -> None:
    """Make the interpreter look through its younger objects so often."""
    for _ in range(rounds):
        gc.collect(1)


def test_what_is_there_at_the_start_is_not_looked_through_again() -> None:
    collector = garbage.Collector(lambda: False)
    collector.start()
    assert gc.get_freeze_count() > 1000


def test_garbage_is_collected_when_nobody_is_answered() -> None:
    busy, now = [True], [0.0]
    collector = garbage.Collector(lambda: busy[0], lambda: now[0])
    collector.start()
    assert not collector.turn()  # there is nothing to do
    keep = [Circle() for _ in range(10)]
    churn(10)
    del keep
    assert not collector.turn()
    assert Circle.alive == 10
    busy[0] = False
    assert collector.turn()
    assert (Circle.alive, collector.collections) == (0, 1)
    assert not collector.turn()


def test_garbage_is_collected_after_a_while_in_any_case() -> None:
    collector = garbage.Collector(lambda: True)
    collector.start()
    churn(200)
    assert collector.turn()


def test_a_quiet_service_collects_every_few_minutes() -> None:
    now = [0.0]
    collector = garbage.Collector(lambda: False, lambda: now[0])
    collector.start()
    now[0] += 3600.0
    assert collector.turn()
