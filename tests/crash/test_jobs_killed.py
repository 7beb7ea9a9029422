"""kill -9 at random points of the pipeline: the service, the process that forks children, or a child. Afterwards everything is done, once and right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from appliance.jobs import missing
from appliance.jobs.artefact_publishing import hash_file
from appliance.store import artefacts, jobs, rtdc
from tests.jobs.conftest import Appliance
from tests.support.waiting import wait_until

SCRIPT = Path(__file__).with_name("runner_process.py")
FILES = 3


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    made = Appliance(tmp_path / "data")
    yield made
    made.db.close()


@pytest.fixture(scope="module")
def measurement(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from appliance.demo import synthetic

    path = tmp_path_factory.mktemp("files") / "synthetic.rtdc"
    synthetic.write(path, events=200)
    return path


class Service:
    """The runner in another process."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def kill(self, victim: str) -> None:
        """kill -9 the `service`, its `zygote` or one `child`, if there is one."""
        family = [self._process.pid, *descendants(self._process.pid)]
        depth = {"service": 0, "zygote": 1, "child": 2}[victim]
        os.kill(family[min(depth, len(family) - 1)], signal.SIGKILL)
        if victim == "service" or len(family) == 1:
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()

    def at_work(self) -> bool:
        """Is a child busy with a file?"""
        return len(descendants(self._process.pid)) >= 2

    @property
    def alive(self) -> bool:
        """Does it still run?"""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it properly."""
        self._process.communicate(timeout=60)


def descendants(pid: int) -> list[int]:
    """Process ids below `pid`, parents first."""
    found: list[int] = []
    pending = [pid]
    while pending:
        one = pending.pop(0)
        try:
            children = [
                int(child)
                for task in Path(f"/proc/{one}/task").iterdir()
                for child in (task / "children").read_text().split()
            ]
        except OSError:
            continue
        found += children
        pending += children
    return found


def make_due(appliance: Appliance) -> None:
    """Nobody waits for the pause after a failed attempt."""
    with appliance.db.write() as tx:
        tx.execute("UPDATE job SET available = created WHERE state = 'queued'")


def contents(appliance: Appliance, resource_id: str) -> dict[str, object]:
    """What the pipeline made of a file, without times."""
    with appliance.db.read() as conn:
        kernel = rtdc.get(conn, resource_id)
        made = artefacts.of_resource(conn, resource_id)
    assert kernel is not None
    for kind, row in made.items():
        found = hash_file(appliance.depot.path(resource_id, kind))
        assert (row["size"], row["sha256"], row["etag"]) == (found.size, found.sha256, found.etag), kind
    with h5py.File(appliance.depot.path(resource_id, "condensed")) as h5:
        values = {name: np.asarray(h5["events"][name]).tobytes() for name in h5["events"]}
    described = {
        key: kernel[key]
        for key in (
            "config",
            "features",
            "scalar_features",
            "condensed_features",
            "traces",
            "tables",
            "statistics",
            "identifier",
            "preview_alt",
            "sane",
        )
    }
    return {"kinds": sorted(made), "values": values, **described}


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_kill_at_random_points(appliance: Appliance, measurement: Path, kills: int) -> None:
    chance = random.Random(kills)
    dataset_id = appliance.dataset()
    reference = appliance.add(dataset_id, measurement, "reference.rtdc")
    started = time.monotonic()
    appliance.run_all()
    longest = time.monotonic() - started  # on a busy machine everything takes longer, so the blows fall further apart
    wanted = contents(appliance, reference)
    ids = [appliance.add(dataset_id, measurement, f"{number}.rtdc", hashed=False) for number in range(FILES)]
    service = Service(appliance.root)
    for _ in range(kills):
        wait_until(service.at_work, 30)
        time.sleep(chance.uniform(0.0, longest))
        with appliance.db.read() as conn:
            counts = jobs.counts(conn)
        assert counts["failed"] == 0, _failures(appliance)
        if counts["queued"] + counts["running"] == 0:
            missing.run_missing(appliance.db, appliance.settings, force=True)
        service.kill(chance.choice(["service", "service", "zygote", "child"]))
        make_due(appliance)
        if not service.alive:
            service = Service(appliance.root)

    def over() -> bool:
        make_due(appliance)
        with appliance.db.read() as conn:
            counts = jobs.counts(conn)
        return counts["queued"] + counts["running"] == 0

    assert wait_until(over, 120, step=0.1), _failures(appliance)
    service.stop()
    with appliance.db.read() as conn:
        counts = jobs.counts(conn)
        finished = [job for job in jobs.list_(conn, limit=-1) if job["state"] == "done"]
    assert {state for state, number in counts.items() if number} == {"done"}, _failures(appliance)
    for resource_id in ids:
        assert contents(appliance, resource_id) == wanted
        kinds = [job["kind"] for job in finished if job["resource_id"] == resource_id]
        assert set(kinds) == set(jobs.PIPELINE)
    assert all(job["result"] and job["finished"] for job in finished)
    _nothing_left_behind(appliance)


def _nothing_left_behind(appliance: Appliance) -> None:
    """A runner that starts cleans up what killed ones left."""
    appliance.run_all()
    assert list((appliance.settings.tmp / "jobs").iterdir()) == []
    depot_files = {path for path in (appliance.root / "depot" / "resources").rglob("*") if path.is_file()}
    with appliance.db.read() as conn:
        known = {
            appliance.depot.path(row[0], row[1])
            for row in conn.execute("SELECT resource_id, kind FROM artefact UNION SELECT id, 'original' FROM resource")
        }
    assert depot_files == known


def _failures(appliance: Appliance) -> list[tuple[str, str, str]]:
    with appliance.db.read() as conn:
        return [
            (job["kind"], job["error"], job["log"][-500:])
            for job in jobs.list_(conn, limit=-1)
            if job["state"] != "done"
        ]


def test_nothing_outlives_a_killed_service(appliance: Appliance, measurement: Path) -> None:
    for number in range(4):
        appliance.add(appliance.dataset(f"d{number}"), measurement)
    service = Service(appliance.root)
    assert wait_until(lambda: len(descendants(service._process.pid)) >= 2, 60), "a child is at work"
    family = descendants(service._process.pid)
    service.kill("service")
    assert wait_until(lambda: not any(_alive(pid) for pid in family), 20)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
