"""The job runner inside the serving process: dispatches queued jobs to worker threads, keeps their leases, sweeps and schedules."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import sqlite3
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from appliance.jobs import job_kinds, schedule, waiting_for_room
from appliance.jobs.queue import Queue
from appliance.jobs.registry import Done, JobContext, JobFailed, JobKind, Postponed
from appliance.jobs.room import NoRoom, Room
from appliance.jobs.sandbox import Sandbox
from appliance.jobs.sandbox_child import SandboxError
from appliance.jobs.slots import Slots, Taken
from appliance.jobs.user_tree import UserTree
from appliance.model import names
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.settings import Settings
from appliance.store import jobs
from appliance.store.database import Database
from appliance.store.depot import Depot
from appliance.store.incidents import Incidents
from appliance.store.jobs import Attempt
from appliance.threads import Loop

LEASE_SECONDS = 60.0
TICK = 1.0
_SWEEP_EVERY = 15.0
_PROGRESS_EVERY = 3.0
_NO_GRACE_LEFT = 10.0

_log = logging.getLogger("dcor.jobs")


@dataclass
class _Active:
    """A job run by a worker thread."""

    job: Attempt
    sent: Taken
    progress: float = 0.0
    stage: str = ""
    cancel: threading.Event = field(default_factory=threading.Event)


class JobRunner:
    """Runs the jobs of one data root; only one process may at a time.

    :param sandbox: one to share, whose owner closes it; by default the runner has its own.
    :param extra: further kinds, or other code for known ones (the backup's, tests').
    :param lease: seconds until a silent worker counts as dead.
    """

    def __init__(
        self,
        db: Database,
        depot: Depot,
        settings: Settings,
        *,
        sandbox: Sandbox | None = None,
        extra: Mapping[str, JobKind] | None = None,
        lease: float = LEASE_SECONDS,
        scheduled: bool = True,
    ) -> None:
        self._db, self._depot, self._settings = db, depot, settings
        self.sandbox = sandbox or Sandbox(settings.tmp / "jobs", allow_weak=settings.jobs.allow_weak_sandbox)
        self._own_sandbox = sandbox is None
        self._room = Room(db, depot, settings.depot.reserve)
        self._kinds = {**job_kinds.all_(), **(extra or {})}
        self._lease = lease
        self._scheduled = scheduled
        self.worker = f"{os.getpid()}-{names.new_id()[:8]}"
        self._cores = max(1, len(os.sched_getaffinity(0)))
        self._workers = settings.jobs.workers or max(2, self._cores)
        self._slots = Slots(self._kinds, self._workers, settings.jobs.memory)
        self._active: dict[str, _Active] = {}
        self._sent: dict[str, Taken] = {}
        self._guard = threading.Lock()
        self._wakeup = threading.Event()
        self._stopping = threading.Event()
        self._queue: Queue | None = None
        self._dispatcher = Loop("jobs", self._turn, self._wakeup.set)
        tree = UserTree(db, depot)
        self._follower = Loop("user-tree", lambda: tree.follow_and_wait(self._stopping))
        self._lock_file: IO[bytes] | None = None
        self._incidents = Incidents(db)
        self._last_flush = 0.0
        self._next_sweep = 0.0
        self._next_schedule = 0.0

    def use_settings(self, settings: Settings) -> None:
        """Use these settings for jobs scheduled and started from now on."""
        self._settings = settings
        self._room.reserve = settings.depot.reserve

    def start(self) -> None:
        """Take over the jobs of an earlier process, then start. Raises Problem when another process runs the jobs of this data root."""
        self._settings.tmp.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_file = (self._settings.tmp / "jobs.lock").open("wb")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock_file.close()
            raise Problem(
                409, "Validation Error", message="Another process runs the jobs of this data root."
            ) from error
        with self._db.write() as tx:
            jobs.sweep(tx, dead_worker_except=self.worker)
        waiting_for_room.retry(self._db, self._room)
        self.sandbox.clear_scratch()
        self._queue = Queue(self._settings.data / "jobs.sqlite", self._slots.threads, self._execute)
        self._queue.start()
        self._dispatcher.start()
        threading.Thread(target=self._warm_up, name="jobs-warm-up", daemon=True).start()
        self._follower.start()

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The long-lived threads of the runner."""
        return self._dispatcher, self._follower

    def wake(self) -> None:
        """A job was queued: dispatch now."""
        self._wakeup.set()

    def stop(self, grace: float = 20.0) -> None:
        """Stop dispatching, give running jobs `grace` seconds, then kill and requeue them. Idempotent."""
        if self._queue is None:
            return
        self._stopping.set()
        self._wakeup.set()
        self._queue.stop(grace)
        for active in self._snapshot():
            active.cancel.set()
        self._queue.stop(_NO_GRACE_LEFT)
        for loop in self.loops:
            loop.stop()
            loop.join(_NO_GRACE_LEFT)
        if self._own_sandbox:
            self.sandbox.close()
        self._queue.close()
        self._queue = None
        if self._lock_file is not None:
            self._lock_file.close()

    def idle(self) -> bool:
        """Whether nothing is running or due. (Jobs waiting for a retry do not count.)"""
        with self._guard:
            if self._active or self._sent:
                return False
        with self._db.read() as conn:
            return not jobs.ready(conn, 1)

    def _warm_up(self) -> None:
        with suppress(SandboxError):  # the first job that needs it reports the reason
            self.sandbox.warm_up()

    # The dispatcher's thread

    def _turn(self) -> None:
        self._wakeup.wait(TICK)
        self._wakeup.clear()
        if self._stopping.is_set():
            self._dispatcher.stop()
            return
        for step in (self._heartbeat, self._sweep, self._schedule, self._dispatch):
            try:
                step()
            except Exception:  # a failing step must not prevent the others
                _log.exception("jobs.step_failed step=%s", step.__name__)

    def _dispatch(self) -> None:
        """Send the next jobs to the workers."""
        if self._queue is None or self._stopping.is_set():
            return
        with self._guard:
            horizon = time.monotonic() - self._lease  # a job not claimed by then is sent again
            self._sent = {job_id: sent for job_id, sent in self._sent.items() if sent.at > horizon}
            taken = self._sent.keys() | self._active.keys()
            load = [*self._sent.values(), *(active.sent for active in self._active.values())]
        with self._db.read() as conn:
            found = list(self._slots.next(conn, load, taken))
        for job, sent in found:
            with self._guard:
                self._sent[job.id] = sent
            self._queue.send(job.id, job.priority)

    def _heartbeat(self) -> None:
        """Prolong the leases of running jobs, and cancel those that are no longer owned."""
        now = time.monotonic()
        active = self._snapshot()
        if not active or now - self._last_flush < min(_PROGRESS_EVERY, self._lease / 4):
            return
        self._last_flush = now
        with self._db.write() as tx:
            jobs.heartbeat(tx, {one.job.ticket: (one.progress, one.stage) for one in active}, self._lease)
            lost = [one for one in active if not jobs.holds(tx, one.job)]
        for one in lost:
            one.cancel.set()

    def _sweep(self) -> None:
        """Requeue the jobs of dead workers, and replace dead threads."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + min(_SWEEP_EVERY, self._lease / 2)
        if self._queue is not None:
            self._queue.replace_dead_workers()
        with self._db.write() as tx:
            jobs.sweep(tx)
        waiting_for_room.retry(self._db, self._room)

    def _schedule(self) -> None:
        """Queue scheduled jobs that are due."""
        now = time.monotonic()
        if self._scheduled and now >= self._next_schedule:
            self._next_schedule = now + schedule.EVERY
            schedule.enqueue_due(self._db, self._settings, self._kinds)

    # A worker's thread

    def _execute(self, job_id: str) -> None:
        """Run one job and record its outcome. Never raises."""
        try:
            active = self._claim(job_id)
            if active is not None:
                self._settle(active, self._outcome(active))
        except (Problem, sqlite3.Error) as error:
            _log.error(
                "jobs.not_recorded id=%s error=%s", job_id, type(error).__name__
            )  # the lease expires, then the job is retried
        finally:
            with self._guard:
                self._active.pop(job_id, None)
                self._sent.pop(job_id, None)
            self._wakeup.set()

    def _claim(self, job_id: str) -> _Active | None:
        if self._stopping.is_set():
            return None
        with self._db.write() as tx:
            job = jobs.claim(tx, job_id, self.worker, self._lease)
        with self._guard:
            sent = self._sent.pop(job_id, Taken())
            if job is None:
                return None
            active = self._active[job_id] = _Active(job, sent)
        return active

    def _outcome(self, active: _Active) -> Done | Exception:
        kind = self._kinds.get(active.job.kind)
        if kind is None:
            return JobFailed(Message("this release knows no job '%(kind)s'", kind=active.job.kind))

        def progress(fraction: float, stage: str = "") -> None:
            """Store it for the next heartbeat."""
            active.progress, active.stage = fraction, stage

        context = JobContext(
            self._db,
            self._depot,
            self._settings,
            self.sandbox,
            active.job,
            progress,
            active.cancel.is_set,
            self._room,
            self._cores,
        )
        started = time.monotonic()
        try:
            done = kind.run(context)
        except (JobFailed, NoRoom, Postponed, SandboxError) as error:
            return error
        except Exception as error:
            if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
                return NoRoom(0)
            return self._incident(active.job, error)
        _log.info("job.done kind=%s id=%s ms=%d", kind.name, active.job.id, (time.monotonic() - started) * 1000)
        return done

    def _settle(self, active: _Active, outcome: Done | Exception) -> None:
        """Record the end of an attempt. A success that cannot be recorded counts as a failure."""
        try:
            self._record(active, outcome)
        except (Problem, sqlite3.Error):
            raise
        except Exception as error:
            self._record(active, self._incident(active.job, error))

    def _record(self, active: _Active, outcome: Done | Exception) -> None:
        """Record the end of an attempt in one transaction."""
        job = active.job
        with self._db.write() as tx:
            if isinstance(outcome, Done):
                if jobs.holds(tx, job):
                    outcome.write(tx)
                    jobs.finish(tx, job, outcome.result, outcome.log)
                return
            if isinstance(outcome, Postponed):
                jobs.postpone(tx, job, outcome.needs)
                return
            if isinstance(outcome, NoRoom):
                waiting_for_room.note(tx, job, outcome)
                return
            if active.cancel.is_set():
                jobs.release(tx, job)  # the service stops; a cancelled job is no longer owned and stays unchanged
                return
            if isinstance(outcome, SandboxError) and outcome.kind == "lost":
                jobs.interrupt(tx, job)
                return
            reason = getattr(outcome, "message", str(outcome))
            state = jobs.fail(
                tx, job, reason, permanent=getattr(outcome, "permanent", True), log=getattr(outcome, "log", "")
            )
        _log.warning(
            "job.failed kind=%s id=%s attempt=%d state=%s reason=%s",
            job.kind,
            job.id,
            job.attempts,
            state,
            getattr(outcome, "kind", ""),
        )

    def _incident(self, job: Attempt, error: Exception) -> JobFailed:
        """Record an unexpected error with its trace; users get its number."""
        incident = self._incidents.record(f"job {job.kind}", error)
        trace = "".join(traceback.format_exception(error))
        return JobFailed(
            Message("unexpected error, see `dcor log show %(incident)s`", incident=incident), permanent=False, log=trace
        )

    def _snapshot(self) -> list[_Active]:
        with self._guard:
            return list(self._active.values())
