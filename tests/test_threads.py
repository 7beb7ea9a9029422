"""Long-lived threads: a failed round is no end, and a thread that hangs or ended is seen."""

from __future__ import annotations

import logging
import threading

import pytest

from appliance import threads
from appliance.threads import Loop
from tests.support.waiting import wait_for


def test_a_failed_round_is_named_and_the_next_one_follows(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "PAUSE", 0.01)
    rounds: list[int] = []

    def turn() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise MemoryError
        loop.stopping.wait(0.01)

    loop = Loop("sweeper", turn)
    with caplog.at_level(logging.ERROR):
        loop.start()
        wait_for(lambda: len(rounds) > 3)
    loop.stop()
    loop.join()
    assert "thread.failed name=sweeper" in caplog.text
    assert not loop.alive


def test_a_loop_that_hangs_is_stalled_and_one_that_turns_is_not() -> None:
    gate = threading.Event()
    loop = Loop("hanging", lambda: bool(gate.wait()) and None)
    assert not loop.stalled(0.0)  # it has not begun
    loop.start()
    wait_for(lambda: loop.stalled(0.05))
    assert not loop.stalled(60.0)
    loop.stop()
    assert not loop.stalled(0.0)
    gate.set()
    loop.join()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_loop_whose_thread_ended_is_stalled(caplog: pytest.LogCaptureFixture) -> None:
    def turn() -> None:
        raise SystemExit

    loop = Loop("ended", turn)
    loop.start()
    loop.join()
    assert loop.stalled(60.0)


def test_the_death_of_any_thread_is_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    threads.report_deaths()

    def fail() -> None:
        raise KeyError("secret")

    thread = threading.Thread(target=fail, name="mortal")
    thread.start()
    thread.join()
    assert "thread.died name=mortal" in caplog.text
