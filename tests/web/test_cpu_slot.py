"""Short work goes one at a time, in order, and nobody waits for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from appliance.web import cpu_slot
from tests.support.server import wait_for


def _take_and_give() -> None:
    cpu_slot.acquire()
    cpu_slot.release()


@pytest.fixture(autouse=True)
def _nobody_keeps_a_turn() -> Iterator[None]:
    yield
    cpu_slot.release()


def test_one_at_a_time_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_slot, "_PATIENCE", 60.0)
    order: list[int] = []
    cpu_slot.acquire()

    def work(number: int) -> None:
        cpu_slot.acquire()
        order.append(number)
        cpu_slot.release()

    threads = []
    for number in range(8):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        wait_for(lambda count=number + 1: len(cpu_slot._waiting) == count)
    assert order == []
    cpu_slot.release()
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_who_has_the_turn_may_take_it_again() -> None:
    cpu_slot.acquire()
    cpu_slot.acquire()
    cpu_slot.release()
    other = threading.Thread(target=_take_and_give)
    other.start()
    other.join(30)
    assert not other.is_alive()
    assert not cpu_slot._taken


def test_nobody_waits_long_for_one_who_keeps_it() -> None:
    cpu_slot.acquire()
    other = threading.Thread(target=_take_and_give)
    other.start()
    other.join(30)
    assert not other.is_alive()
    cpu_slot.release()
    assert not cpu_slot._taken


def test_a_turn_is_never_lost_however_many_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience shorter than the work makes every second waiter give up in the moment its turn comes."""
    monkeypatch.setattr(cpu_slot, "_PATIENCE", 1e-4)

    def hurry() -> None:
        for _ in range(300):
            cpu_slot.acquire()
            sum(range(500))
            cpu_slot.release()

    threads = [threading.Thread(target=hurry) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not cpu_slot._taken
    assert not cpu_slot._waiting
