"""Files made to do harm, through the whole appliance: each job ends with a reason, nothing from outside gets in, the runner works on."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from appliance.jobs import registry
from appliance.jobs.registry import Done, JobContext, JobKind
from appliance.jobs.sandbox import Sandbox
from appliance.store import jobs
from appliance.store import rtdc as stored
from tests.support import rtdc
from tests.support.rtdc_hostile import HOSTILE, STRANGE
from tests.support.rtdc_mutation import mutate_bytes, mutate_structure
from tests.support.rtdc_odd import ODD
from tests.support.waiting import wait_until

from .conftest import Appliance

NEEDLE = rtdc.SECRET[:24]


def run_to_the_end(appliance: Appliance, seconds: float) -> dict[str, dict[str, sqlite3.Row]]:
    """Run every job, attempt after attempt without pauses. → jobs by resource and kind."""
    runner = appliance.runner()
    runner.start()

    def over() -> bool:
        with appliance.db.write() as tx:
            tx.execute("UPDATE job SET available = created WHERE state = 'queued'")
            counts = jobs.counts(tx)
        return counts["queued"] + counts["running"] == 0

    try:
        assert wait_until(over, seconds, step=0.1)
    finally:
        runner.stop(5)
    found: dict[str, dict[str, sqlite3.Row]] = {}
    with appliance.db.read() as conn:
        for job in conn.execute("SELECT * FROM job"):
            found.setdefault(job["resource_id"], {})[job["kind"]] = job
    return found


def assert_nothing_leaked(appliance: Appliance, originals: set[Path]) -> None:
    """The secret stands in no file of the data root but the uploads themselves (one of them may hold it by its own content)."""
    for path in appliance.root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path not in originals:
            assert NEEDLE not in path.read_bytes(), path


def test_hostile_and_odd_files(appliance: Appliance, tmp_path: Path) -> None:
    dataset_id = appliance.dataset()
    secret = rtdc.plant_secret(tmp_path)
    before = secret.read_bytes()
    names: dict[str, str] = {}
    for name, builder in {**HOSTILE, **STRANGE, **ODD}.items():
        path = tmp_path / "upload.rtdc"
        path.unlink(missing_ok=True)
        builder(path, secret)
        names[appliance.add(dataset_id, path, f"{name}.rtdc")] = name
    found = run_to_the_end(appliance, 600)
    for resource_id, name in names.items():
        metadata = found[resource_id]["metadata"]
        if name in HOSTILE:
            assert (metadata["state"], metadata["attempts"]) == ("failed", 1), name
            assert not appliance.depot.path(resource_id, "condensed").exists(), name
            with appliance.db.read() as conn:
                assert stored.get(conn, resource_id)["sane"] == 0, name
        for job in found[resource_id].values():
            assert job["state"] in {"done", "failed"}, name
            assert bool(job["error"]) == (job["state"] == "failed"), name
            assert str(tmp_path) not in job["error"], name
            assert "unexpected" not in job["error"], (name, job["error"])
    assert secret.read_bytes() == before
    assert_nothing_leaked(appliance, {appliance.depot.path(one) for one in names})


def test_a_small_file_that_keeps_the_processor_busy_is_given_up_soon(
    appliance: Appliance, hostile: Sandbox, measurement: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time allowed grows with the file; an hour is for 20 GB."""
    monkeypatch.setattr(registry, "_LEAST_SECONDS", 1)

    def spin(context: JobContext) -> Done:
        return Done({"never": context.run("spin", {}, hostile.new_scratch(), answer={})})

    resource_id = appliance.add(appliance.dataset(), measurement, queue=False)
    job_id = appliance.enqueue("spin", resource_id=resource_id)
    appliance.run_all(30, sandbox=hostile, extra={"spin": JobKind("spin", spin)})
    job = appliance.job(job_id)
    assert (job["state"], job["attempts"]) == ("failed", 1)
    assert "processor time" in str(job["error"])


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this machine that nobody may call; fails the test when somebody did. → its number."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def tempting(path: Path, secret: Path, port: int) -> Path:
    """A sound file whose basins lead to the secret and to a port: damage lets them stand in other places. → its path."""
    rtdc.sound(path, events=24)
    with h5py.File(path, "a") as h5:
        for key, basin in {
            "b1": {"type": "file", "format": "hdf5", "paths": [str(secret)], "features": ["image"]},
            "b2": {
                "type": "remote",
                "format": "http",
                "urls": [f"http://127.0.0.1:{port}/x.rtdc"],
                "features": ["volume"],
            },
        }.items():
            text = json.dumps({"name": key, "mapping": "same", "identifier": "abc"} | basin, indent=2).split("\n")
            h5.create_dataset(f"basins/{key}", data=np.array([line.encode() for line in text], dtype="S200"))
    return path


def mutant(source: bytes, path: Path, seed: int) -> Path:
    """Write the mutant of this number: odd ones have damaged bytes, even ones a twisted structure. → its path."""
    rng = np.random.default_rng(seed)
    path.write_bytes(mutate_bytes(source, rng) if seed % 2 else source)
    if seed % 2 == 0:
        rtdc.run_forked(lambda: mutate_structure(path, rng))
    return path


LARGE = [pytest.param(first, 500, marks=[pytest.mark.slow, pytest.mark.soak]) for first in range(2000, 4000, 500)]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("first", "number"), [(40, 40), *LARGE])
def test_mutants(appliance: Appliance, tmp_path: Path, listener: int, first: int, number: int) -> None:
    """Flipped bytes and twisted structures: 0 bytes and 0 packets get out, each job ends with a reason."""
    dataset_id = appliance.dataset()
    source = tempting(tmp_path / "sound.rtdc", rtdc.plant_secret(tmp_path), listener).read_bytes()
    for seed in range(first, first + number):
        appliance.add(dataset_id, mutant(source, tmp_path / "mutant.rtdc", seed), f"{seed}.rtdc")
    started = time.monotonic()
    found = run_to_the_end(appliance, 6 * number + 120)
    assert len(found) == number
    endings: Counter[str] = Counter()
    for resource_id, kinds in found.items():
        for job in kinds.values():
            assert job["state"] in {"done", "failed"}
            assert bool(job["error"]) == (job["state"] == "failed"), (resource_id, job["kind"])
            assert "unexpected" not in job["error"], job["error"]
            endings[job["state"]] += 1
    print(f"mutants {first} to {first + number - 1}: {dict(endings)} in {time.monotonic() - started:.0f} s")
    assert endings["done"] > number // 2
    assert endings["failed"] > number // 10
    assert_nothing_leaked(appliance, {appliance.depot.path(one) for one in found})
