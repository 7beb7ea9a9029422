"""What a job is to its code: a function from a context to an outcome, declared with its bounds."""

from __future__ import annotations

import errno
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.archive.moving import Mover, Stopped
from appliance.jobs.room import NoRoom, Room
from appliance.jobs.sandbox import Outcome, Sandbox
from appliance.jobs.sandbox_child import SandboxError
from appliance.jobs.scratch import measure
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.settings import Settings
from appliance.store import resources
from appliance.store.database import Database
from appliance.store.depot import Depot
from appliance.store.jobs import Attempt

#: Processor seconds that a task on any file may take, and the pace expected of it beyond.
_LEAST_SECONDS = 15
_BYTES_A_SECOND = 1 << 20
#: Longest time on the clock: a child that only sleeps uses no processor, yet keeps a worker.
_LEAST_WAIT, _WAIT_FACTOR = 60, 10
_UNPACKED_A_SECOND = 5 << 20
_MOST_FOR_UNPACKED = 900

#: Keys of a task's answer and the types of their values; `list` is one of texts.
Shape = Mapping[str, type | tuple[type, ...]]
Write = Callable[[sqlite3.Connection], None]


def _nothing(_tx: sqlite3.Connection) -> None:
    """A job without rows to write."""


@dataclass(frozen=True)
class Done:
    """A job's success.

    :param result: shown with the job (small, JSON-able).
    :param write: called in the very transaction that marks the job as done, and only if this attempt still owns it.
    """

    result: Mapping[str, Any] = field(default_factory=dict)
    write: Write = _nothing
    log: str = ""


class JobFailed(Exception):
    """A failure with a reason for people. :param permanent: would another attempt end the same way?"""

    def __init__(self, message: str, *, permanent: bool = True, log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.log = log


class Postponed(Exception):
    """The job has to wait for other jobs first. :param needs: their ids."""

    def __init__(self, needs: list[str]) -> None:
        super().__init__(", ".join(needs))
        self.needs = needs


@dataclass(frozen=True)
class JobContext:
    """What a job may use.

    :ivar job: the claimed job; :ivar progress: report 0…1 and a stage; :ivar cancelled: ask it in long loops.
    """

    db: Database
    depot: Depot
    settings: Settings
    sandbox: Sandbox
    job: Attempt
    progress: Callable[[float, str], None]
    cancelled: Callable[[], bool]
    room: Room
    cores: int = 1

    @property
    def resource_id(self) -> str:
        """Id of the job's resource."""
        return str(self.job.resource_id)

    @property
    def arguments(self) -> dict[str, Any]:
        """The job's arguments."""
        found: dict[str, Any] = json.loads(self.job.arguments)
        return found

    def resource(self) -> sqlite3.Row:
        """The row of the job's resource. Raises JobFailed when it was removed meanwhile."""
        with self.db.read() as conn:
            row = resources.get(conn, self.resource_id)
        if row is None:
            raise JobFailed(Message("the resource was removed"))
        return row

    @contextmanager
    def original(self) -> Iterator[Path]:
        """The uploaded file; of an archived one a copy that is gone afterwards. Raises JobFailed when it cannot be had."""
        mover = Mover(self.db, self.depot, self.settings, self.cancelled, self.progress)
        with ExitStack() as stack:
            try:
                path = stack.enter_context(mover.local(self.resource_id))
            except OSError as error:
                if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                    raise
                raise JobFailed(Message("the file is missing in the depot"), permanent=False) from error
            except Problem as problem:
                raise JobFailed(problem.message, permanent=problem.status == 409) from problem
            except Stopped as stopped:
                raise JobFailed(Message("cancelled")) from stopped
            yield path

    def run(
        self,
        task: str,
        request: Mapping[str, Any],
        scratch: Path,
        *,
        unpacked: int = 0,
        answer: Shape,
        most_cpu: int = sys.maxsize,
        **options: Any,
    ) -> Outcome:
        """Run a task of the RT-DC kernel on the job's file in the sandbox, within the configured bounds. Raises SandboxError, NoRoom.

        It starts when there is room for all that it may write, and is stopped when the volume's reserve is no longer whole.

        :param answer: what the answer must hold, so that nothing is published for one that cannot be used.
        :param unpacked: bytes of the file's data when unpacked, if the task goes through all of them; :param most_cpu: processor seconds for any file; :param options: further ones of `Sandbox.run`; by default it may write half a GiB.
        """
        with self.original() as path:
            return self._run(path, task, request, scratch, unpacked, answer, most_cpu, options)

    def _run(
        self,
        path: Path,
        task: str,
        request: Mapping[str, Any],
        scratch: Path,
        unpacked: int,
        answer: Shape,
        most_cpu: int,
        options: dict[str, Any],
    ) -> Outcome:
        settings = self.settings.jobs
        options.setdefault("file_size", 512 << 20)
        cpu = min(settings.timeout, most_cpu, processor_seconds(path.stat().st_size, unpacked))
        options.setdefault("cpu", cpu)
        with self.room.hold(options["file_size"]):
            try:
                outcome = self.sandbox.run(
                    task,
                    path,
                    dict(request),
                    scratch=scratch,
                    timeout=min(settings.timeout, _LEAST_WAIT + _WAIT_FACTOR * cpu),
                    memory=settings.memory,
                    progress=self.progress,
                    cancelled=lambda: self.cancelled() or self.room.is_gone(),
                    **options,
                )
            except SandboxError as error:
                if self.room.is_gone() and not self.cancelled():  # stopped by us, or the disk was full before we looked
                    raise NoRoom(max(options["file_size"], measure(scratch))) from error
                raise
        _require(outcome.answer, answer)
        return outcome


def _require(answer: Any, shape: Shape) -> None:
    """Raises SandboxError unless a child, which may have been taken over, answered in this shape."""
    if isinstance(answer, dict) and all(_fits(answer.get(key), kind) for key, kind in shape.items()):
        return
    raise SandboxError("answer", Message("The job's result could not be read."), permanent=True)


def _fits(value: Any, kind: type | tuple[type, ...]) -> bool:
    if kind is list:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, kind) and not isinstance(value, bool)


def processor_seconds(size: int, unpacked: int = 0) -> int:
    """What a process may use for a file of `size` bytes: fifty times what the slowest task takes for one with images.

    Damage can make HDF5 run in circles, and a small file should not keep a worker busy for an hour. Masks and backgrounds of
    sound files pack a thousandfold; for `unpacked` bytes there is time as well, but not without end.
    """
    return _LEAST_SECONDS + max(size // _BYTES_A_SECOND, min(unpacked // _UNPACKED_A_SECOND, _MOST_FOR_UNPACKED))


Run = Callable[[JobContext], Done]


@dataclass(frozen=True)
class JobKind:
    """A declared kind. :ivar heavy: takes many cores or much memory on a large file, so few run at once.

    :ivar lane: of the kinds of one lane, one job at a time runs, on a thread of their own; "" for those that share the workers.
    """

    name: str
    run: Run
    heavy: bool = False
    lane: str = ""


#: Lane of the care of the data root, which may take hours (backup, scrub).
CARE = "care"
#: Lane of what ends within seconds and is due every few minutes; what may hang at a server of others has a lane of its own.
TIMELY = "timely"

KINDS: dict[str, JobKind] = {}


def job(name: str, *, heavy: bool = False, lane: str = "") -> Callable[[Run], Run]:
    """Declare the function below as the code of job kind `name`."""

    def register(run: Run) -> Run:
        """Note the kind; the function stays as it is."""
        KINDS[name] = JobKind(name, run, heavy, lane)
        return run

    return register
