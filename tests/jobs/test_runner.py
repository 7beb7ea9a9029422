"""The runner: what it does with successes, failures, crashes, stops and restarts. Jobs here are plain functions."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator

import pytest

from appliance.jobs import job_kinds
from appliance.jobs.queue import Queue
from appliance.jobs.registry import Done, JobContext, JobFailed, JobKind, Postponed
from appliance.jobs.runner import JobRunner
from appliance.jobs.sandbox_child import SandboxError
from appliance.jobs.slots import heavy_slots
from appliance.model.problem import Problem
from appliance.store import incidents, jobs
from tests.support.waiting import wait_until

from .conftest import Appliance

Run = Callable[[JobContext], Done]


@pytest.fixture
def start(appliance: Appliance) -> Iterator[Callable[..., JobRunner]]:
    """Start a runner whose kinds are the given functions."""
    running: list[JobRunner] = []

    def begin(lease: float = 60.0, lanes: dict[str, str] | None = None, **runs: Run) -> JobRunner:
        kinds = {name: JobKind(name, run, lane=(lanes or {}).get(name, "")) for name, run in runs.items()}
        runner = appliance.runner(extra=kinds, lease=lease)
        running.append(runner)
        runner.start()
        return runner

    yield begin
    for runner in running:
        runner.stop(2.0)


def until(appliance: Appliance, job_id: str, state: str, seconds: float = 15.0) -> dict[str, object]:
    assert wait_until(lambda: appliance.job(job_id)["state"] == state, seconds), appliance.job(job_id)
    return appliance.job(job_id)


def test_success_is_written_with_its_effect(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    job_id = appliance.enqueue("note")
    start(
        note=lambda _context: Done(
            {"n": 1}, lambda tx: tx.execute("INSERT INTO meta VALUES ('k', 'v')") and None, "some lines"
        )
    )
    done = until(appliance, job_id, "done")
    assert (done["result"], done["log"], done["progress"]) == ({"n": 1}, "some lines", 1.0)
    with appliance.db.read() as conn:
        assert conn.execute("SELECT value FROM meta WHERE key = 'k'").fetchone()[0] == "v"


def test_a_damaged_queue_file_does_not_matter(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    for suffix in ("", "-wal", "-shm"):
        (appliance.settings.data / f"jobs.sqlite{suffix}").write_bytes(b"garbage " * 1000)
    job_id = appliance.enqueue("nothing")
    start(nothing=lambda _context: Done())
    until(appliance, job_id, "done")


def test_jobs_queued_later_are_woken(
    appliance: Appliance, start: Callable[..., JobRunner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.jobs.runner.TICK", 3600.0)  # it does not look for itself
    runner = start(nothing=lambda _context: Done())
    assert wait_until(runner.idle, 5)
    job_id = appliance.enqueue("nothing")
    runner.wake()
    until(appliance, job_id, "done")


def test_a_failure_between_jobs_does_not_end_the_dispatcher(
    appliance: Appliance, start: Callable[..., JobRunner], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()

    def fail_once(_tx: object, **at_the_start: object) -> None:
        if not at_the_start and not failed.is_set():
            failed.set()
            raise KeyError("nobody thought of this")

    monkeypatch.setattr("appliance.store.jobs.sweep", fail_once)
    start(nothing=lambda _context: Done())
    assert failed.wait(10)
    until(appliance, appliance.enqueue("nothing"), "done")


def test_a_job_nobody_announced_is_found(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    start(nothing=lambda _context: Done())
    until(appliance, appliance.enqueue("nothing"), "done")


@pytest.mark.parametrize(
    "error", [JobFailed("not this one"), SandboxError("forbidden", "not this one", permanent=True)]
)
def test_permanent_failures_end_at_once(
    appliance: Appliance, start: Callable[..., JobRunner], error: Exception
) -> None:
    def run(_context: JobContext) -> Done:
        raise error

    job_id = appliance.enqueue("bad")
    start(bad=run)
    failed = until(appliance, job_id, "failed")
    assert (failed["error"], failed["attempts"]) == ("not this one", 1)


def test_other_failures_wait_for_another_attempt(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    attempts = []

    def run(_context: JobContext) -> Done:
        attempts.append(1)
        if len(attempts) == 1:
            raise SandboxError("crash", "crashed", permanent=False, log="why")
        return Done()

    job_id = appliance.enqueue("flaky")
    runner = start(flaky=run)
    assert wait_until(lambda: appliance.job(job_id)["error"] == "crashed", 10)
    with appliance.db.write() as tx:
        tx.execute("UPDATE job SET available = created")
    runner.wake()
    assert until(appliance, job_id, "done")["attempts"] == 2


def test_unexpected_errors_become_incidents(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    def run(_context: JobContext) -> Done:
        raise ZeroDivisionError("secret detail")

    job_id = appliance.enqueue("wrong", max_attempts=1)
    start(wrong=run)
    failed = until(appliance, job_id, "failed")
    assert "secret" not in str(failed["error"])
    incident = str(failed["error"]).rpartition(" ")[2].strip("`")
    with appliance.db.read() as conn:
        found = incidents.get(conn, incident)
    assert found is not None
    assert "secret detail" in found["trace"]


def test_unknown_kinds_fail_with_a_reason(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    job_id = appliance.enqueue("from_the_future")
    start()
    assert "no job 'from_the_future'" in str(until(appliance, job_id, "failed")["error"])


def test_a_message_that_got_lost_is_sent_again(
    appliance: Appliance, start: Callable[..., JobRunner], monkeypatch: pytest.MonkeyPatch
) -> None:
    send, lost = Queue.send, []

    def lose_one(queue: Queue, job_id: str, priority: int) -> None:
        if lost:
            send(queue, job_id, priority)
        else:
            lost.append(job_id)

    monkeypatch.setattr(Queue, "send", lose_one)
    job_id = appliance.enqueue("nothing")
    start(nothing=lambda _context: Done(), lease=1.0)
    until(appliance, job_id, "done")
    assert lost == [job_id]


def test_postponed_jobs_run_after_what_they_found_out_to_need(
    appliance: Appliance, start: Callable[..., JobRunner]
) -> None:
    order: list[str] = []
    needed = appliance.enqueue("late", resource_id="other", priority=-5)

    def wants(_context: JobContext) -> Done:
        if "late" not in order:
            raise Postponed([needed])
        order.append("wants")
        return Done()

    job_id = appliance.enqueue("wants", resource_id="mine", priority=99)
    start(wants=wants, late=lambda _context: order.append("late") or Done())
    assert until(appliance, job_id, "done")["attempts"] == 1
    assert order == ["late", "wants"]


def test_progress_is_shown_and_the_lease_kept(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    go = threading.Event()

    def slow(context: JobContext) -> Done:
        context.progress(0.25, "copy")
        go.wait(20)
        return Done()

    job_id = appliance.enqueue("slow")
    start(slow=slow, lease=1.0)
    assert wait_until(lambda: appliance.job(job_id)["progress"] == 0.25, 10)
    first = appliance.job(job_id)["lease_until"]
    assert wait_until(lambda: appliance.job(job_id)["lease_until"] != first, 10)
    go.set()
    assert until(appliance, job_id, "done")["attempts"] == 1


def test_cancelling_reaches_a_running_job(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    def endless(context: JobContext) -> Done:
        assert wait_until(context.cancelled, 20)
        raise JobFailed("cancelled")

    job_id = appliance.enqueue("endless")
    runner = start(endless=endless, lease=1.0)
    until(appliance, job_id, "running")
    with appliance.db.write() as tx:
        assert jobs.cancel(tx, job_id)
    assert wait_until(runner.idle, 10)
    assert appliance.job(job_id)["state"] == "cancelled"


def test_stopping_puts_running_jobs_back(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    def endless(context: JobContext) -> Done:
        assert wait_until(context.cancelled, 20)
        raise JobFailed("stopped")

    job_id = appliance.enqueue("endless")
    runner = start(endless=endless)
    until(appliance, job_id, "running")
    runner.stop(0.1)
    found = appliance.job(job_id)
    assert (found["state"], found["attempts"]) == ("queued", 0)
    start(endless=lambda _context: Done())
    until(appliance, job_id, "done")


def test_a_successor_takes_over_what_a_dead_process_held(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    job_id = appliance.enqueue("nothing")
    with appliance.db.write() as tx:
        assert jobs.claim(tx, job_id, "dead", 3600)
    start(nothing=lambda _context: Done())
    assert until(appliance, job_id, "done")["attempts"] == 2


def test_one_process_at_a_time(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    start()
    with pytest.raises(Problem):
        appliance.runner().start()


def test_background_work_is_one_at_a_time_and_blocks_nobody(
    appliance: Appliance, start: Callable[..., JobRunner]
) -> None:
    go, inside, most = threading.Event(), [0], [0]
    guard = threading.Lock()

    def long(_context: JobContext) -> Done:
        with guard:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        go.wait(20)
        with guard:
            inside[0] -= 1
        return Done()

    for number in range(3):
        appliance.enqueue("long", dedupe=f"long:{number}")
    runner = start(long=long, quick=lambda _context: Done(), lanes={"long": "care"})
    assert wait_until(lambda: inside[0] == 1, 10)
    for number in range(20):
        appliance.enqueue("quick", dedupe=f"quick:{number}")
    runner.wake()
    assert wait_until(lambda: _counts(appliance)["done"] == 20, 10)
    go.set()
    assert wait_until(lambda: _counts(appliance)["done"] == 23, 10)
    assert most[0] == 1


@pytest.mark.parametrize("kind", ["directory", "provider", "virus_scan", "forward_audit", "notify", "watch"])
def test_hours_of_backup_and_a_full_queue_keep_nothing_waiting_that_is_due_every_few_minutes(
    appliance: Appliance, kind: str
) -> None:
    go, started = threading.Event(), []

    def hang(context: JobContext) -> Done:
        started.append(context.job.kind)
        go.wait(60)
        return Done()

    known = job_kinds.all_()
    hanging = {name: dataclasses.replace(known[name], run=hang) for name in ("backup", "scrub", "metadata")}
    for name in ("backup", "scrub"):
        appliance.enqueue(name)
    with appliance.db.write() as tx:
        for number in range(200):
            jobs.enqueue(tx, "metadata", dedupe=str(number))
    runner = appliance.runner(extra={**hanging, kind: dataclasses.replace(known[kind], run=lambda _context: Done())})
    runner.start()
    try:
        assert wait_until(lambda: {"backup", "metadata"} <= set(started), 20), started
        due = appliance.enqueue(kind)
        runner.wake()
        until(appliance, due, "done")
        assert "scrub" not in started, "long work is one at a time"
    finally:
        go.set()
        runner.stop(20.0)


def test_hundreds_of_jobs_run_once_each(appliance: Appliance, start: Callable[..., JobRunner]) -> None:
    seen: list[str] = []
    with appliance.db.write() as tx:
        for number in range(300):
            jobs.enqueue(tx, "count", dedupe=str(number), arguments={"n": number})

    def count(context: JobContext) -> Done:
        seen.append(context.arguments["n"])
        return Done()

    runner = start(count=count)
    assert wait_until(runner.idle, 60)
    assert sorted(seen) == list(range(300))
    assert _counts(appliance)["done"] == 300


@pytest.mark.parametrize(("workers", "memory", "slots"), [(2, 1 << 20, 1), (8, 1 << 20, 7), (8, 1 << 60, 1)])
def test_memory_bounds_heavy_jobs(workers: int, memory: int, slots: int) -> None:
    assert heavy_slots(workers, memory) == slots


def _counts(appliance: Appliance) -> dict[str, int]:
    with appliance.db.read() as conn:
        return jobs.counts(conn)
