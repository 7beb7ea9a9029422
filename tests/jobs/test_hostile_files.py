"""Files made to do harm, through the whole appliance: each job ends with a reason, nothing from outside gets in, the runner works on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from appliance.jobs.runner import wait_until
from appliance.store import jobs
from tests.support import rtdc
from tests.support.rtdc_hostile import HOSTILE
from tests.support.rtdc_mutation import mutate_bytes, mutate_structure
from tests.support.rtdc_odd import ODD

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
    for name, builder in {**HOSTILE, **ODD}.items():
        path = tmp_path / "upload.rtdc"
        path.unlink(missing_ok=True)
        builder(path, secret)
        names[appliance.add(dataset_id, path, f"{name}.rtdc")] = name
    found = run_to_the_end(appliance, 240)
    for resource_id, name in names.items():
        metadata = found[resource_id]["metadata"]
        if name in HOSTILE:
            assert (metadata["state"], metadata["attempts"]) == ("failed", 1), name
            assert not appliance.depot.path(resource_id, "condensed").exists(), name
        for job in found[resource_id].values():
            assert job["state"] in {"done", "failed"}, name
            assert bool(job["error"]) == (job["state"] == "failed"), name
            assert str(tmp_path) not in job["error"], name
            assert "unexpected" not in job["error"], (name, job["error"])
    assert secret.read_bytes() == before
    assert_nothing_leaked(appliance, {appliance.depot.path(one) for one in names})


@pytest.mark.parametrize(
    "number", [40, pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(7200)])]
)
def test_mutants(appliance: Appliance, measurement: Path, tmp_path: Path, number: int) -> None:
    """Flipped bytes and twisted structures."""
    dataset_id = appliance.dataset()
    rtdc.plant_secret(tmp_path)
    path = tmp_path / "mutant.rtdc"
    for seed in range(number):
        rng = np.random.default_rng(number + seed)
        path.write_bytes(measurement.read_bytes())
        if seed % 2:
            path.write_bytes(mutate_bytes(path.read_bytes(), rng))
        else:
            rtdc.run_forked(lambda rng=rng: mutate_structure(path, rng))
        appliance.add(dataset_id, path, f"{seed}.rtdc")
    found = run_to_the_end(appliance, 3 * number + 120)
    assert len(found) == number
    endings: dict[str, int] = {}
    for resource_id, kinds in found.items():
        for job in kinds.values():
            assert job["state"] in {"done", "failed"}
            assert bool(job["error"]) == (job["state"] == "failed"), (resource_id, job["kind"])
            assert "unexpected" not in job["error"], job["error"]
            endings[job["state"]] = endings.get(job["state"], 0) + 1
    assert endings["done"] > number // 2
    assert endings["failed"] > number // 10
    assert_nothing_leaked(appliance, {appliance.depot.path(one) for one in found})
