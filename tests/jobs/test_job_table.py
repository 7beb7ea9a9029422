"""The job table as a state machine: random walks never lose, double or strand a job."""

from __future__ import annotations

import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from appliance.model import times
from appliance.store import jobs
from appliance.store.database import Database

from .conftest import Appliance

OPEN = {"queued", "running"}


def row(db: Database, job_id: str) -> sqlite3.Row:
    with db.read() as conn:
        found = jobs.get(conn, job_id)
    assert found is not None
    return found


def claim(db: Database, job_id: str, worker: str = "w", lease: float = 60) -> jobs.Attempt | None:
    with db.write() as tx:
        return jobs.claim(tx, job_id, worker, lease)


def make_due(db: Database, job_id: str) -> None:
    with db.write() as tx:
        tx.execute("UPDATE job SET available = ? WHERE id = ?", (times.ahead(timedelta(hours=-1)), job_id))


def test_an_open_job_is_not_queued_twice(appliance: Appliance) -> None:
    first = appliance.enqueue("x", resource_id="r")
    assert appliance.enqueue("x", resource_id="r") == first
    assert appliance.enqueue("x", resource_id="other") != first
    job = claim(appliance.db, first)
    assert job is not None
    assert appliance.enqueue("x", resource_id="r") == first
    with appliance.db.write() as tx:
        assert jobs.finish(tx, job)
    assert appliance.enqueue("x", resource_id="r") != first


def test_a_job_runs_after_what_it_needs(appliance: Appliance) -> None:
    first = appliance.enqueue("a", resource_id="r")
    second = appliance.enqueue("b", resource_id="r", needs=[first])
    assert claim(appliance.db, second) is None
    job = claim(appliance.db, first)
    assert job is not None
    with appliance.db.write() as tx:
        jobs.finish(tx, job, {"n": 1})
    assert claim(appliance.db, second) is not None
    assert appliance.job(first)["result"] == {"n": 1}
    assert appliance.job(second)["needs"] == [first]


def test_only_one_may_claim(appliance: Appliance) -> None:
    job_id = appliance.enqueue("a")
    assert claim(appliance.db, job_id, "one") is not None
    assert claim(appliance.db, job_id, "two") is None


def test_failures_are_tried_again_after_a_pause_and_then_given_up(appliance: Appliance) -> None:
    first = appliance.enqueue("a", resource_id="r", max_attempts=2)
    last = appliance.enqueue("c", resource_id="r", needs=[appliance.enqueue("b", resource_id="r", needs=[first])])
    job = claim(appliance.db, first)
    assert job is not None
    with appliance.db.write() as tx:
        assert jobs.fail(tx, job, "broken", permanent=False, log="trace") == "queued"
    assert claim(appliance.db, first) is None, "it waits before the next attempt"
    assert row(appliance.db, first)["error"] == "broken"
    make_due(appliance.db, first)
    job = claim(appliance.db, first)
    assert job is not None
    with appliance.db.write() as tx:
        assert jobs.fail(tx, job, "broken", permanent=False) == "failed"
    assert row(appliance.db, last)["state"] == "failed"
    assert row(appliance.db, last)["error"] == "a failed: broken"


def test_a_refused_file_fails_at_once(appliance: Appliance) -> None:
    job = claim(appliance.db, appliance.enqueue("a"))
    assert job is not None
    with appliance.db.write() as tx:
        assert jobs.fail(tx, job, "forbidden", permanent=True) == "failed"


def test_needs_of_another_resource_only_have_to_be_over(appliance: Appliance) -> None:
    other = appliance.enqueue("metadata", resource_id="other")
    mine = appliance.enqueue("condense", resource_id="mine", needs=[other])
    assert claim(appliance.db, mine) is None
    job = claim(appliance.db, other)
    assert job is not None
    with appliance.db.write() as tx:
        jobs.fail(tx, job, "bad", permanent=True)
        jobs.sweep(tx)
    assert claim(appliance.db, mine) is not None


def test_who_lost_the_lease_writes_nothing(appliance: Appliance) -> None:
    job_id = appliance.enqueue("a")
    lost = claim(appliance.db, job_id, "one", lease=-1)
    assert lost is not None
    with appliance.db.write() as tx:
        assert jobs.sweep(tx) == 1
    again = claim(appliance.db, job_id, "one")
    assert again is not None
    with appliance.db.write() as tx:
        assert not jobs.holds(tx, lost)
        assert not jobs.finish(tx, lost, {"old": True})
        assert jobs.fail(tx, lost, "old", permanent=True) == ""
        assert jobs.finish(tx, again, {"new": True})
    assert appliance.job(job_id)["result"] == {"new": True}


def test_heartbeats_prolong_and_report(appliance: Appliance) -> None:
    job_id = appliance.enqueue("a")
    job = claim(appliance.db, job_id, lease=-1)
    assert job is not None
    with appliance.db.write() as tx:
        jobs.heartbeat(tx, {job.ticket: (0.4, "copy")}, 60)
        assert jobs.sweep(tx) == 0
    assert (row(appliance.db, job_id)["progress"], row(appliance.db, job_id)["stage"]) == (0.4, "copy")


def test_a_restart_takes_over_at_once(appliance: Appliance) -> None:
    job_id = appliance.enqueue("a")
    claim(appliance.db, job_id, "dead", lease=3600)
    with appliance.db.write() as tx:
        assert jobs.sweep(tx, dead_worker_except="new") == 1
    assert row(appliance.db, job_id)["state"] == "queued"


def test_a_job_that_keeps_killing_its_process_is_given_up(appliance: Appliance) -> None:
    job_id = appliance.enqueue("a", max_attempts=1)
    for _ in range(jobs.INTERRUPTIONS + 1):
        assert claim(appliance.db, job_id, lease=-1) is not None
        with appliance.db.write() as tx:
            jobs.sweep(tx)
    assert row(appliance.db, job_id)["state"] == "failed"
    assert "given up" in row(appliance.db, job_id)["error"]


def test_release_and_postpone_do_not_count(appliance: Appliance) -> None:
    job_id, other = appliance.enqueue("a", resource_id="r"), appliance.enqueue("b", resource_id="s")
    job = claim(appliance.db, job_id)
    assert job is not None
    with appliance.db.write() as tx:
        jobs.release(tx, job)
    assert row(appliance.db, job_id)["attempts"] == 0
    job = claim(appliance.db, job_id)
    assert job is not None
    with appliance.db.write() as tx:
        jobs.postpone(tx, job, [other])
    assert claim(appliance.db, job_id) is None


def test_cancelled_jobs_take_dependants_along_and_can_be_retried(appliance: Appliance) -> None:
    first = appliance.enqueue("a", resource_id="r")
    second = appliance.enqueue("b", resource_id="r", needs=[first])
    with appliance.db.write() as tx:
        assert jobs.cancel(tx, first)
        assert not jobs.cancel(tx, first)
    assert row(appliance.db, second)["error"] == "a was cancelled"
    with appliance.db.write() as tx:
        assert set(jobs.retry(tx, second)) == {first, second}
    assert {row(appliance.db, one)["state"] for one in (first, second)} == {"queued"}
    with appliance.db.write() as tx:
        assert jobs.retry(tx, first) == []


def test_retry_leaves_a_job_that_has_a_successor(appliance: Appliance) -> None:
    first = appliance.enqueue("a", resource_id="r")
    with appliance.db.write() as tx:
        jobs.cancel(tx, first)
    appliance.enqueue("a", resource_id="r")
    with appliance.db.write() as tx:
        assert jobs.retry(tx, first) == []


def test_order_is_by_urgency_then_age(appliance: Appliance) -> None:
    slow = appliance.enqueue("condense", resource_id="1")
    made = [appliance.enqueue(kind, resource_id="2") for kind in ("checksum", "metadata", "preview")]
    care = appliance.enqueue("scrub")
    with appliance.db.read() as conn:
        assert [one.id for one in jobs.ready(conn, 10)] == [*reversed(made), slow, care]
        assert [one.id for one in jobs.ready(conn, 10, without=["scrub", "condense"])] == [*reversed(made)]


def test_lists_and_counts(appliance: Appliance) -> None:
    done = appliance.enqueue("metadata", resource_id="r", dataset_id="d")
    job = claim(appliance.db, done)
    assert job is not None
    with appliance.db.write() as tx:
        jobs.finish(tx, job)
    again = appliance.enqueue("metadata", resource_id="r", dataset_id="d")
    appliance.enqueue("checksum", resource_id="r", dataset_id="d")
    with appliance.db.read() as conn:
        assert jobs.counts(conn) == {"queued": 2, "running": 0, "done": 1, "failed": 0, "cancelled": 0}
        assert [one["kind"] for one in jobs.for_resource(conn, "r")] == ["checksum", "metadata"]
        assert jobs.for_dataset(conn, "d")[1]["id"] == again
        assert [one["id"] for one in jobs.list_(conn, state="done")] == [done]
        assert jobs.last_done(conn, "metadata")
        assert jobs.open_job(conn, "metadata", "r") == again
    with appliance.db.write() as tx:
        assert jobs.forget(tx, times.now()) == 1


@pytest.mark.parametrize(
    ("name", "hashed", "kinds"),
    [
        ("a.rtdc", True, ["metadata", "condense", "preview"]),
        ("a.rtdc", False, ["checksum", "metadata", "condense", "preview"]),
        ("a.txt", False, ["checksum"]),
        ("a.txt", True, []),
    ],
)
def test_pipeline_of_a_new_file(
    appliance: Appliance, tmp_path: Path, name: str, hashed: bool, kinds: list[str]
) -> None:
    source = tmp_path / name
    source.write_bytes(b"x")
    resource_id = appliance.add(appliance.dataset(), source, hashed=hashed)
    with appliance.db.read() as conn:
        found = jobs.for_resource(conn, resource_id)
    assert [job["kind"] for job in found] == kinds
    ids = {job["kind"]: job["id"] for job in found}
    needs = {job["kind"]: set(job["needs"]) for job in found}
    for kind, needed in {
        "metadata": ["checksum"],
        "condense": ["metadata"],
        "preview": ["metadata", "condense"],
    }.items():
        assert needs.get(kind, set()) == ({ids[one] for one in needed if one in ids} if kind in ids else set())


def test_a_preview_does_without_a_condensed_file(appliance: Appliance) -> None:
    """It waits for it, and starts all the same when it fails; but not when the file itself cannot be read."""
    for failing, expected in (("condense", "queued"), ("metadata", "failed")):
        metadata = appliance.enqueue("metadata", resource_id=failing)
        condense = appliance.enqueue("condense", resource_id=failing, needs=[metadata])
        preview = appliance.enqueue("preview", resource_id=failing, needs=[metadata, condense])
        for job_id in (metadata, condense):
            with appliance.db.read() as conn:
                assert preview not in [one.id for one in jobs.ready(conn, 10)]
            job = claim(appliance.db, job_id)
            if job is None:
                continue
            with appliance.db.write() as tx:
                if job.kind == failing:
                    jobs.fail(tx, job, "no", permanent=True)
                else:
                    jobs.finish(tx, job)
        assert row(appliance.db, preview)["state"] == expected
        with appliance.db.read() as conn:
            assert (preview in [one.id for one in jobs.ready(conn, 10)]) == (expected == "queued")


class JobTable(RuleBasedStateMachine):
    """Workers that claim, die, succeed and fail at random."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.db = Database(Path(self.folder.name) / "db.sqlite")
        self.db.create()
        self.held: list[jobs.Attempt] = []
        self.successes: dict[str, int] = {}
        self.over: dict[str, str] = {}
        self.number = 0

    @rule(length=st.integers(1, 4))
    def enqueue(self, length: int) -> None:
        self.number += 1
        with self.db.write() as tx:
            made: list[str] = []
            for kind in jobs.PIPELINE[:length]:
                needs = made[-2:] if kind == "preview" else made[-1:]
                made.append(jobs.enqueue(tx, kind, resource_id=f"r{self.number}", needs=needs, max_attempts=2))

    @rule(lease=st.sampled_from([-1.0, 60.0]), worker=st.sampled_from(["a", "b"]), pick=st.integers(0, 3))
    def claim(self, lease: float, worker: str, pick: int) -> None:
        with self.db.write() as tx:
            found = jobs.ready(tx, 4)
            if found:
                job = jobs.claim(tx, found[pick % len(found)].id, worker, lease)
                assert job is not None
                self.held.append(job)

    @rule(pick=st.integers(0, 9), permanent=st.booleans(), good=st.booleans())
    def settle(self, pick: int, permanent: bool, good: bool) -> None:
        if not self.held:
            return
        job = self.held.pop(pick % len(self.held))
        with self.db.write() as tx:
            owned = jobs.holds(tx, job)
            if good:
                assert jobs.finish(tx, job) == owned
                self.successes[job.id] = self.successes.get(job.id, 0) + owned
            else:
                assert bool(jobs.fail(tx, job, "no", permanent=permanent)) == owned

    @rule()
    def sweep(self) -> None:
        with self.db.write() as tx:
            jobs.sweep(tx)

    @rule()
    def restart(self) -> None:
        with self.db.write() as tx:
            jobs.sweep(tx, dead_worker_except="new")
            tx.execute("UPDATE job SET available = created")

    @rule(pick=st.integers(0, 9), again=st.booleans())
    def administer(self, pick: int, again: bool) -> None:
        with self.db.write() as tx:
            found = jobs.list_(tx)
            if found:
                job = found[pick % len(found)]
                if again:
                    for job_id in jobs.retry(tx, job["id"]):
                        self.over.pop(job_id, None)
                else:
                    jobs.cancel(tx, job["id"])

    @invariant()
    def nobody_is_doubled_or_stranded(self) -> None:
        with self.db.read() as conn:
            found = {job["id"]: job for job in jobs.list_(conn, limit=-1)}
        for job_id, job in found.items():
            assert self.successes.get(job_id, 0) == (job["state"] == "done")
            if job_id in self.over:
                assert job["state"] == self.over[job_id], "what is over stays over"
            if job["state"] not in OPEN:
                self.over[job_id] = job["state"]
            if job["state"] in {"running", "done"}:
                hard = [
                    found[need]
                    for need in job["needs"]
                    if (job["kind"], found[need]["kind"]) != ("preview", "condense")
                ]
                assert all(need["state"] == "done" for need in hard)
            if job["state"] == "failed":
                assert job["error"]
            if job["state"] == "running":
                assert job["attempts"] >= 1
                assert job["lease_until"]

    def teardown(self) -> None:
        """Whatever happened, an honest worker can bring everything to its end."""
        with self.db.write() as tx:
            jobs.sweep(tx, dead_worker_except="last")
            tx.execute("UPDATE job SET available = created")
            while found := jobs.ready(tx, 1):
                job = jobs.claim(tx, found[0].id, "last", 60)
                assert job is not None
                assert jobs.finish(tx, job)
            jobs.sweep(tx)
            left = jobs.counts(tx)
        assert left["queued"] == left["running"] == 0
        self.db.close()
        self.folder.cleanup()


JobTable.TestCase.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
TestJobTable = JobTable.TestCase
