"""The queue is fair: nobody's many files keep another's waiting, and people come before bulk work."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from appliance.jobs.registry import Done, JobContext, JobKind
from appliance.jobs.sandbox import Outcome, Sandbox
from appliance.jobs.sandbox_child import SandboxError
from appliance.store import jobs
from tests.support.waiting import wait_for

from .conftest import Appliance


def order(appliance: Appliance, held: dict[str, int] | None = None, limit: int = 1000) -> list[str]:
    """Users in the order in which their jobs run."""
    with appliance.db.read() as conn:
        return [job.user_id for job in jobs.ready(conn, limit, held=held)]


def queue(appliance: Appliance, user: str, count: int, kind: str = "metadata", priority: int | None = None) -> None:
    with appliance.db.write() as tx:
        for number in range(count):
            jobs.enqueue(tx, kind, resource_id=f"{user}-{kind}-{number}", user_id=user, priority=priority)


def test_one_file_does_not_wait_for_300_of_another(appliance: Appliance) -> None:
    queue(appliance, "greedy", 300)
    queue(appliance, "other", 1)
    assert order(appliance).index("other") <= 1
    assert order(appliance, {"greedy": 2})[0] == "other"


def test_users_take_turns(appliance: Appliance) -> None:
    for user in "abc":
        queue(appliance, user, 3)
    found = order(appliance)
    assert [set(found[start : start + 3]) for start in (0, 3, 6)] == [set("abc")] * 3


def test_urgent_kinds_do_not_push_in_before_another_user(appliance: Appliance) -> None:
    queue(appliance, "greedy", 20, "preview")
    queue(appliance, "other", 1, "condense")
    assert order(appliance).index("other") == 1


def test_people_come_before_bulk_work_and_maintenance(appliance: Appliance) -> None:
    queue(appliance, "importer", 5, priority=jobs.PRIORITY["preview"] - 50)
    queue(appliance, "", 1, "scrub")
    queue(appliance, "person", 5)
    assert order(appliance)[:5] == ["person"] * 5


def test_whose_file_it_is_decides(appliance: Appliance) -> None:
    with appliance.db.write() as tx:
        resource = {"id": "r1", "dataset_id": "d1", "name": "a.rtdc", "sha256": None, "etag": None, "crc32": None}
        jobs.enqueue_pipeline(tx, resource, user_id="ada")  # type: ignore[arg-type]
    assert set(order(appliance)) == {"ada"}


def test_a_user_whose_jobs_hang_leaves_a_worker_for_others(appliance: Appliance) -> None:
    go, started = threading.Event(), []

    def hang(context: JobContext) -> Done:
        started.append(context.job.user_id)
        go.wait(60)
        return Done()

    queue(appliance, "greedy", 30, "hang", 50)
    runner = appliance.runner(extra={"hang": JobKind("hang", hang)})
    runner.start()
    try:
        wait_for(lambda: len(started) == runner._workers)
        queue(appliance, "other", 3, "hang", 50)
        runner.wake()
        wait_for(lambda: "other" in started)
        assert started.count("other") == 1
        assert started.count("greedy") == runner._workers
    finally:
        go.set()
        runner.stop(20.0)


def test_two_users_whose_jobs_hang_leave_a_place_for_a_third(appliance: Appliance) -> None:
    go, started = threading.Event(), []

    def hang(context: JobContext) -> Done:
        started.append(context.job.user_id)
        go.wait(60)
        return Done()

    runner = appliance.runner(extra={"hang": JobKind("hang", hang)})
    runner.start()
    try:
        for user in ("greedy", "keen", "late"):
            queue(appliance, user, 30 if user != "late" else 1, "hang", 50)
            runner.wake()
            wait_for(lambda user=user: user in started)
        assert (started.count("keen"), started.count("late")) == (1, 1)
    finally:
        go.set()
        runner.stop(20.0)


class Recording(Sandbox):
    """Notes the bounds of what it is asked to run, and runs nothing."""

    bounds: dict[str, Any]

    def run(self, task: str, input: Path, request: dict[str, Any], **bounds: Any) -> Outcome:  # type: ignore[override]
        self.bounds = bounds
        raise SandboxError("damaged", "not looked at", permanent=True)


def test_metadata_of_a_huge_file_may_take_minutes_of_processor_time_not_hours(
    appliance: Appliance, tmp_path: Path
) -> None:
    small = tmp_path / "huge.rtdc"
    small.write_bytes(b"x")
    resource_id = appliance.add(appliance.dataset(), small)
    os.truncate(appliance.depot.path(resource_id), 100 << 30)
    sandbox = Recording(tmp_path / "scratch")
    appliance.run_all(sandbox=sandbox)
    assert sandbox.bounds["cpu"] == 300
    assert sandbox.bounds["timeout"] <= 3600
