"""A task that fails publishes nothing, whatever files it has left and however it ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.jobs.sandbox import Sandbox
from appliance.store import artefacts, incidents, jobs, resources, rtdc

from .conftest import HERE, Appliance

WAYS = ("refuse", "break", "kill", "empty", "list", "wrong")


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Callable[[str], Sandbox]]:
    """A sandbox whose tasks end in a way."""
    made: list[Sandbox] = []

    def begin(way: str) -> Sandbox:
        folder = tmp_path / "tasks"
        folder.mkdir()
        shutil.copyfile(HERE / "failing_tasks.py", folder / "failing_tasks.py")
        (folder / "ends").write_text(way)
        made.append(Sandbox(tmp_path / "scratch", tasks="failing_tasks", tasks_folder=folder))
        return made[0]

    yield begin
    for sandbox in made:
        sandbox.close()


def state(appliance: Appliance, resource_id: str) -> dict[str, Any]:
    """All that is published of a resource: files with their content, rows, what stands in the quarantine."""
    with appliance.db.read() as conn:
        row, kernel = resources.get(conn, resource_id), rtdc.row(conn, resource_id)
        made = {kind: dict(one) for kind, one in artefacts.of_resource(conn, resource_id).items()}
    assert row is not None
    return {
        "files": {kind: path.read_bytes() for kind, path in appliance.depot.files(resource_id).items()},
        "resource": dict(row),
        "kernel": dict(kernel) if kernel is not None else None,
        "artefacts": made,
        "quarantine": sorted(path.name for path in (appliance.root / "quarantine").glob("*")),
    }


def left_over(appliance: Appliance, sandbox_folder: Path) -> list[str]:
    """Files in scratch folders."""
    found = [*sandbox_folder.rglob("*"), *(appliance.root / "tmp").rglob("*")]
    return [path.name for path in found if path.is_file() and path.suffix != ".lock"]


@pytest.mark.parametrize("way", WAYS)
def test_a_failed_task_leaves_everything_as_it_was(
    appliance: Appliance, measurement: Path, failing: Callable[[str], Sandbox], tmp_path: Path, way: str
) -> None:
    """Once with everything there that is made anew, once with a file of which nothing was made yet."""
    dataset_id = appliance.dataset()
    old = appliance.add(dataset_id, measurement, "old.rtdc")
    appliance.run_all()
    new = appliance.add(dataset_id, measurement, "new.rtdc", queue=False)
    before = {one: state(appliance, one) for one in (old, new)}
    assert len(before[old]["files"]) > 5
    assert left_over(appliance, tmp_path / "scratch") == []
    sandbox = failing(way)
    for kind in ("condense", "preview", "metadata"):
        made = [
            appliance.enqueue(kind, resource_id=one, dataset_id=dataset_id, arguments={"force": True}, max_attempts=1)
            for one in (old, new)
        ]
        appliance.run_all(sandbox=sandbox)
        for job_id in made:
            job = appliance.job(job_id)
            assert (job["state"], job["result"]) == ("failed", {}), (kind, job)
            assert job["error"]
        after = {one: state(appliance, one) for one in (old, new)}
        if kind == "metadata" and way not in {
            "break",
            "kill",
        }:  # that the file cannot be read is what the job has found out
            for one in (old, new):
                assert after[one].pop("kernel")["sane"] == 0
                before[one].pop("kernel")
        assert after == before, kind
        assert left_over(appliance, tmp_path / "scratch") == []


def test_a_good_run_after_failures_publishes(
    appliance: Appliance, measurement: Path, failing: Callable[[str], Sandbox]
) -> None:
    resource_id = appliance.add(appliance.dataset(), measurement)
    appliance.run_all(sandbox=failing("empty"))
    assert appliance.states(resource_id)["metadata"] != "done"
    with appliance.db.write() as tx:
        row = resources.get(tx, resource_id)
        assert row is not None
        for job in jobs.for_resource(tx, resource_id):
            jobs.cancel(tx, job["id"])
        jobs.enqueue_pipeline(tx, row, force=True)
    appliance.run_all()
    assert set(appliance.states(resource_id).values()) == {"done"}


def test_a_file_removed_while_a_task_looks_at_it_is_no_incident(
    appliance: Appliance, measurement: Path, failing: Callable[[str], Sandbox]
) -> None:
    """Its reason has no row to stand in any more; nobody needs it."""
    dataset_id = appliance.dataset()
    resource_id = appliance.add(dataset_id, measurement, queue=False)
    sandbox = failing("refuse")
    refuse = sandbox.run

    def removed_then_refused(*arguments: Any, **options: Any) -> Any:
        with appliance.db.write() as tx:
            resources.remove(tx, resource_id)
        return refuse(*arguments, **options)

    sandbox.run = removed_then_refused  # type: ignore[method-assign]
    appliance.enqueue("metadata", resource_id=resource_id, dataset_id=dataset_id, max_attempts=1)
    appliance.run_all(sandbox=sandbox)
    with appliance.db.read() as conn:
        assert incidents.latest(conn) == []
