"""Damaged and twisted files: every task ends with a right result or a reason, and nothing from outside gets out."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.jobs.rtdc import tasks
from appliance.jobs.rtdc.errors import RtdcError
from tests.support import rtdc
from tests.support.rtdc_hostile import HOSTILE
from tests.support.rtdc_mutation import mutate_bytes, mutate_structure
from tests.support.rtdc_odd import ODD

PIPELINE = ("preflight", "metadata", "sanity", "condense", "preview", "read")
#: Processor seconds for all tasks on one file, a hundred times what a sound one takes. Damage can make HDF5 run in circles.
ENOUGH = 20
#: What the sample runs on most files.
QUICK = ("preflight", "metadata", "condense")


def run_pipeline(path: Path, scratch: Path, names: Sequence[str] = PIPELINE) -> dict[str, Any]:
    """Run the tasks on a file one after the other in a child. → {task: outcome}."""

    def one(name: str) -> dict[str, Any]:
        request = {"cores": 1, "what": "event", "event": 1}
        try:
            return {"answer": getattr(tasks, name)(request, path, scratch)}
        except RtdcError as exc:
            return {"kind": exc.kind, "message": exc.message}
        except Exception as exc:
            return {"bug": f"{type(exc).__name__}: {exc}"}

    def all_of_them() -> dict[str, Any]:
        resource.setrlimit(resource.RLIMIT_CPU, (ENOUGH, ENOUGH))  # not by the clock: the machine may be busy
        return {name: one(name) for name in names}

    result = rtdc.run_forked(all_of_them, seconds=30 * ENOUGH)
    return result.get("answer", {"all": result})  # type: ignore[no-any-return]


def assert_contained(outcomes: dict[str, Any], scratch: Path, folder: Path) -> None:
    """No bug, no path, no secret. (A crash or a hang of the library is one of the child only.)"""
    for task, outcome in outcomes.items():
        assert "bug" not in outcome, (task, outcome)
        if "message" in outcome:
            assert outcome["message"].strip(), task
            assert str(folder) not in outcome["message"], (task, outcome)
    needle = rtdc.SECRET[:24]
    assert needle not in json.dumps(outcomes).encode()
    for file in scratch.iterdir():
        assert needle not in file.read_bytes(), file.name


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_files(name: str, tmp_path: Path, scratch: Path) -> None:
    """All tasks on all hostile files."""
    path = tmp_path / "upload.rtdc"
    HOSTILE[name](path, rtdc.plant_secret(tmp_path))
    outcomes = run_pipeline(path, scratch)
    assert_contained(outcomes, scratch, tmp_path)
    assert "all" in outcomes or "answer" not in outcomes["preflight"] or "answer" not in outcomes["metadata"]


@pytest.mark.parametrize("name", sorted(ODD))
def test_odd_files(name: str, tmp_path: Path, scratch: Path) -> None:
    """All tasks on all odd files; the pre-flight lets them pass."""
    path = tmp_path / "upload.rtdc"
    ODD[name](path, rtdc.plant_secret(tmp_path))
    outcomes = run_pipeline(path, scratch)
    assert_contained(outcomes, scratch, tmp_path)
    assert not any("crash" in outcome for outcome in outcomes.values())
    assert outcomes["preflight"].get("answer", {}).get("ok"), outcomes["preflight"]


def mutate(source: Path, target: Path, seed: int) -> None:
    """Write one mutant: odd seeds damage bytes, even ones twist the structure."""
    rng = np.random.default_rng(seed)
    if seed % 2:
        target.write_bytes(mutate_bytes(source.read_bytes(), rng))
        return
    target.write_bytes(source.read_bytes())
    rtdc.run_forked(lambda: mutate_structure(target, rng))


def run_mutants(seeds: range, source: Path, folder: Path, drawn: Callable[[int], bool]) -> dict[str, int]:
    """Run all tasks on the mutants of `source`. → how often each kind of outcome was seen."""
    seen: dict[str, int] = {}
    secret = rtdc.plant_secret(folder)
    scratch = folder / "mutants"
    scratch.mkdir()
    for seed in seeds:
        path = folder / "mutant.rtdc"
        mutate(source, path, seed)
        outcomes = run_pipeline(path, scratch, PIPELINE if drawn(seed) else QUICK)
        try:
            assert_contained(outcomes, scratch, folder)
        except AssertionError as exc:
            raise AssertionError(f"seed {seed}: {exc}") from exc
        for outcome in outcomes.values():
            kind = outcome.get("kind") or ("crash" if "crash" in outcome else "answer")
            seen[kind] = seen.get(kind, 0) + 1
        for file in scratch.iterdir():
            file.unlink()
    assert secret.read_bytes().startswith(rtdc.SECRET)
    return seen


def test_a_hundred_mutants(small: Path, tmp_path: Path) -> None:
    """A sample of the large run below."""
    seen = run_mutants(range(100), small, tmp_path, lambda seed: seed % 7 == 0)
    assert seen["answer"] > 50
    assert sum(seen.values()) - seen["answer"] > 50
    assert seen.get("crash", 0) <= 2


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(1000, 3000, 200))
def test_two_thousand_mutants(small: Path, tmp_path: Path, first: int) -> None:
    """Byte flips and twisted structures, in ten portions that may run side by side (`-n`)."""
    seen = run_mutants(range(first, first + 200), small, tmp_path, lambda seed: True)
    print(f"seeds {first} to {first + 199}: {dict(sorted(seen.items()))}")
    assert seen["answer"] > 100
    assert seen.get("crash", 0) <= 5
