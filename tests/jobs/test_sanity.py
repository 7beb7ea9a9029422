"""Checks that somebody waits for: few children at once, one for each file, a fair share for everybody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from appliance.jobs.registry import processor_seconds
from appliance.jobs.sandbox import Outcome
from appliance.jobs.sandbox_child import SandboxError
from appliance.jobs.sanity import SanityChecks
from appliance.model.problem import Problem
from tests.support.waiting import wait_for


class SlowSandbox:
    """Stands for the children: each check lasts until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.started: list[str] = []
        self.at_once = self.most = 0
        self._lock = threading.Lock()
        self.error: SandboxError | None = None

    def run(self, task: str, path: Path, _request: dict[str, Any], **_bounds: object) -> Outcome:
        with self._lock:
            self.started.append(path.name)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.go.wait(60)
        with self._lock:
            self.at_once -= 1
        if self.error:
            raise self.error
        return Outcome({"valid": True, "reasons": []})


@pytest.fixture
def sandbox() -> SlowSandbox:
    return SlowSandbox()


def checks(sandbox: SlowSandbox, **options: Any) -> SanityChecks:
    return SanityChecks(sandbox, memory=1 << 30, **options)  # type: ignore[arg-type]


def test_25_activations_of_one_dataset_start_one_child(sandbox: SlowSandbox) -> None:
    made = checks(sandbox)
    with ThreadPoolExecutor(25) as pool:
        asked = [pool.submit(made.check, Path("one"), f"user {number}") for number in range(25)]
        wait_for(lambda: sum(made._waiting.values()) == 25)
        sandbox.go.set()
        assert all(one.result(60).valid for one in asked)
    assert sandbox.started == ["one"]


def test_children_are_few_whoever_asks(sandbox: SlowSandbox) -> None:
    made = checks(sandbox, most=3)
    with ThreadPoolExecutor(25) as pool:
        asked = [pool.submit(made.check, Path(f"file {number}"), f"user {number % 5}") for number in range(25)]
        wait_for(lambda: len(sandbox.started) == 3)
        sandbox.go.set()
        assert all(one.result(60).valid for one in asked)
    assert sandbox.most == 3
    assert len(sandbox.started) == 25
    assert (made._running, made._waiting, len(made._places)) == ({}, {}, 0)


def test_who_asks_for_much_leaves_a_place_for_others(sandbox: SlowSandbox) -> None:
    made = checks(sandbox, most=3)
    with ThreadPoolExecutor(25) as pool:
        for number in range(10):
            pool.submit(made.check, Path(f"greedy {number}"), "greedy")
        wait_for(lambda: len(sandbox.started) == 2 and sum(made._waiting.values()) == 10)
        pool.submit(made.check, Path("other"), "other")
        wait_for(lambda: "other" in sandbox.started)
        assert len(sandbox.started) == 3
        sandbox.go.set()


def test_a_crowd_is_told_to_come_back(sandbox: SlowSandbox) -> None:
    made = checks(sandbox)
    with ThreadPoolExecutor(16) as pool:
        for number in range(16):
            pool.submit(made.check, Path(f"file {number}"), "greedy")
        wait_for(lambda: made._waiting.get("greedy") == 16)
        with pytest.raises(Problem) as caught:
            made.check(Path("one more"), "greedy")
        assert caught.value.status == 503
        sandbox.go.set()
    assert Path("one more") not in made._running


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (SandboxError("forbidden", "a link", permanent=True, answered=True), False),
        (SandboxError("crash", "crashed", permanent=False), False),
        (SandboxError("lost", "no process", permanent=False), None),
        (SandboxError("weak-sandbox", "no Landlock", permanent=True), None),
        (SandboxError("storage", "disk full", permanent=False, answered=True), None),
    ],
)
def test_only_the_files_own_fault_is_a_verdict(sandbox: SlowSandbox, error: SandboxError, verdict: bool | None) -> None:
    sandbox.go.set()
    sandbox.error = error
    if verdict is None:
        with pytest.raises(Problem) as caught:
            checks(sandbox).check(Path("file"))
        assert caught.value.status == 503
    else:
        assert checks(sandbox).check(Path("file")).valid is verdict


def test_a_small_file_gets_little_time() -> None:
    assert processor_seconds(7 << 20) <= 25
    assert processor_seconds(1 << 30) >= 1000
