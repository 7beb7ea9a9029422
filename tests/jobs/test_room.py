"""Jobs leave the reserve of the data volume alone: they wait for room, say so, and go on by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.jobs.artefact_publishing import Output, publish, scratch
from appliance.jobs.registry import Done, JobContext, JobKind
from appliance.jobs.room import NoRoom, Room
from appliance.jobs.runner import JobRunner
from appliance.store import alarms, jobs, uploads
from appliance.web.pages.frame import job_texts
from tests.support.waiting import wait_until

from .conftest import Appliance

GIB = 1 << 30
ORDER = ["metadata", "condense", "preview"]


class Volume:
    """The free space that the depot is told. :ivar free: bytes."""

    def __init__(self) -> None:
        self.free = 100 * GIB


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> Volume:
    made = Volume()
    monkeypatch.setattr("appliance.store.depot.Depot.free", lambda _self: made.free)
    return made


@pytest.fixture
def start(appliance: Appliance) -> Iterator[Callable[..., JobRunner]]:
    running: list[JobRunner] = []

    def begin(**runs: Callable[[JobContext], Done]) -> JobRunner:
        runner = appliance.runner(extra={name: JobKind(name, run) for name, run in runs.items()}, lease=2.0)
        running.append(runner)
        runner.start()
        return runner

    yield begin
    for runner in running:
        runner.stop(2.0)


def jobs_of(appliance: Appliance, resource_id: str) -> dict[str, dict[str, object]]:
    with appliance.db.read() as conn:
        return {job["kind"]: job for job in jobs.for_resource(conn, resource_id)}


def open_alarms(appliance: Appliance) -> list[str]:
    with appliance.db.read() as conn:
        return [alarm["kind"] for alarm in alarms.open_(conn)]


def waits(appliance: Appliance, job_id: str) -> bool:
    job = appliance.job(job_id)
    return (job["state"], job["stage"]) == ("queued", jobs.NO_ROOM)


def test_jobs_wait_for_room_and_go_on_by_themselves(
    appliance: Appliance, volume: Volume, measurement: Path, start: Callable[..., JobRunner]
) -> None:
    """The reserve is there, but not the room for what the job may write besides."""
    volume.free = appliance.settings.depot.reserve + (1 << 20)
    resource_id = appliance.add(appliance.dataset(), measurement)
    start()
    assert wait_until(lambda: jobs_of(appliance, resource_id)["metadata"]["stage"] == jobs.NO_ROOM, 30)
    job = jobs_of(appliance, resource_id)["metadata"]
    assert (job["state"], job["attempts"]) == ("queued", 0)
    shown = job_texts.job(job)
    assert shown["text"] == "waiting for free space on the data volume"
    assert "starts automatically when there is space" in shown["error"]
    assert open_alarms(appliance) == ["room"]
    assert list(appliance.depot.files(resource_id)) == ["original"]

    volume.free = 100 * GIB
    assert wait_until(lambda: set(appliance.states(resource_id).values()) == {"done"}, 60), jobs_of(
        appliance, resource_id
    )
    assert open_alarms(appliance) == []
    assert {job["error"] for job in jobs_of(appliance, resource_id).values()} == {""}


@pytest.mark.parametrize("kind", ORDER)
def test_a_job_whose_output_takes_the_reserve_publishes_nothing(
    appliance: Appliance, volume: Volume, measurement: Path, start: Callable[..., JobRunner], kind: str
) -> None:
    """The volume fills up as soon as the job has its room; it is stopped, or finds out when it publishes."""
    resource_id = appliance.add(appliance.dataset(), measurement)
    hold, held = Room.hold, []

    @contextmanager
    def hold_and_fill(room: Room, need: int) -> Iterator[None]:
        with hold(room, need):
            held.append(need)
            if len(held) == ORDER.index(kind) + 1:
                volume.free = 0
            yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Room, "hold", hold_and_fill)
        start()
        assert wait_until(lambda: jobs_of(appliance, resource_id)[kind]["stage"] == jobs.NO_ROOM, 60)
    made = set(appliance.depot.files(resource_id)) - {"original"}
    with appliance.db.read() as conn:
        rows = {row["kind"] for row in conn.execute("SELECT kind FROM artefact WHERE resource_id = ?", (resource_id,))}
    assert made == rows
    assert made == ({"condensed"} if kind == "preview" else set())
    volume.free = 100 * GIB
    assert wait_until(lambda: set(appliance.states(resource_id).values()) == {"done"}, 60)


def test_the_reserve_is_asked_for_before_publishing(
    appliance: Appliance, volume: Volume, measurement: Path, start: Callable[..., JobRunner]
) -> None:
    resource_id = appliance.add(appliance.dataset(), measurement, queue=False)
    runs: list[int] = []

    def make(context: JobContext) -> Done:
        runs.append(1)
        with scratch(context) as folder:
            (folder / "made").write_bytes(b"output")
            volume.free = 0 if len(runs) == 1 else 100 * GIB
            return Done({}, publish(context, folder, {"preview": Output("made", 100)}))

    job_id = appliance.enqueue("make", resource_id=resource_id)
    start(make=make)
    assert wait_until(lambda: waits(appliance, job_id), 30)
    assert "preview" not in appliance.depot.files(resource_id)
    volume.free = 100 * GIB
    assert wait_until(lambda: appliance.job(job_id)["state"] == "done", 30)
    assert "preview" in appliance.depot.files(resource_id)


def test_a_full_disk_is_no_failure_of_a_job(
    appliance: Appliance, volume: Volume, start: Callable[..., JobRunner]
) -> None:
    runs: list[int] = []

    def make(_context: JobContext) -> Done:
        runs.append(1)
        if len(runs) < 5:  # more often than a job may fail
            raise OSError(28, "No space left on device")
        return Done()

    job_id = appliance.enqueue("make")
    start(make=make)
    assert wait_until(lambda: appliance.job(job_id)["state"] == "done", 60)
    assert appliance.job(job_id)["attempts"] == 1


def test_room_that_is_promised_is_not_given_again(appliance: Appliance, volume: Volume) -> None:
    reserve = appliance.settings.depot.reserve
    volume.free = reserve + 1000
    room = Room(appliance.db, appliance.depot, reserve)
    with room.hold(600):
        with pytest.raises(NoRoom), room.hold(600):
            pass
        with room.hold(400):
            assert room.left() == 0
    with appliance.db.write() as tx:
        uploads.create(
            tx, "0" * 8 + "-0000-4000-8000-" + "0" * 12, "r", user_id="u", kind="browser", size=700, lifetime=9
        )
    assert room.left() == 300
