"""Running a task on a file in a confined child, seen from the service.

The service never opens HDF5 itself; a child that crashes, hangs, asks for too much or is taken over costs one job, nothing else.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from appliance.jobs import confinement, ipc
from appliance.jobs.child import TASKS
from appliance.jobs.scratch import Scratch, measure, open_plain, remove_tree

_START_DEADLINE = 120.0
_KILL_DEADLINE = 10.0
_LOG_TAIL = 8192
_LOG_NAME = "child.log"
_LONGEST_REPORT = 4096
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "OMP_NUM_THREADS": "1",  # no threads in the process that forks
    "OPENBLAS_NUM_THREADS": "1",
    "HDF5_USE_FILE_LOCKING": "FALSE",
    "HDF5_PLUGIN_PATH": "",
    "HDF5_PLUGIN_PRELOAD": "::",  # HDF5's word for: load no filters from anywhere
}
WEAK = "weak-sandbox"
_WEAK_REASON = (
    "The kernel cannot lock in the process that reads the file (no Landlock, or no system call filter), so the file was not opened. "
    "An administrator can update the kernel, or set jobs.allow_weak_sandbox."
)

Progress = Callable[[float, str], None]


class SandboxError(Exception):
    """A task without an answer.

    :param kind: machine word (`RtdcError`'s kinds, or crash, timeout, cpu, memory, killed, cancelled, lost, answer, internal).
    :param permanent: would another attempt give the same?
    :param log: the end of what the child wrote, for the administrator; :param answered: the child itself said so and is well.
    """

    def __init__(self, kind: str, message: str, *, permanent: bool, log: str = "", answered: bool = False) -> None:
        super().__init__(message)
        self.answered = answered
        self.kind = kind
        self.message = message
        self.permanent = permanent
        self.log = log


@dataclass(frozen=True)
class Outcome:
    """What a task answered, and what it cost: `peak` bytes of memory, `cpu` seconds, the end of its `log`."""

    answer: Any
    peak: int = 0
    cpu: float = 0.0
    log: str = ""


class Child:
    """One running child: send requests, receive values. Not thread-safe; `close` kills it."""

    def __init__(self, job: socket.socket, status: socket.socket) -> None:
        self._job = job
        self._status = status
        self.exit: dict[str, Any] | None = None

    def send(self, message: dict[str, Any], deadline: float) -> None:
        """Hand a request over. Raises SandboxError when the child is gone or does not listen."""
        try:
            for packet in ipc.packets(message):
                self._job.settimeout(max(deadline - time.monotonic(), 0.001))
                self._job.send(packet)
        except TimeoutError:
            raise SandboxError("timeout", "The job did not start in time.", permanent=False) from None
        except OSError:
            pass  # `receive` finds out how it ended

    def receive(self, deadline: float, progress: Progress | None, cancelled: Callable[[], bool]) -> Any:
        """The next value. Raises SandboxError when the child fails, ends without one, takes too long or is cancelled."""
        assembler = ipc.Assembler()
        poll = select.poll()
        poll.register(self._job, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise SandboxError("timeout", "The job took too long and was stopped.", permanent=True)
            if cancelled():
                raise SandboxError("cancelled", "The job was cancelled.", permanent=True)
            if not poll.poll(min(left, 0.25) * 1000):
                continue
            try:
                packet = self._job.recv(ipc.PACKET)
            except ConnectionResetError:
                packet = b""
            if not packet:
                raise self._exit_error()
            if self._handle_packet(packet, assembler, progress):
                return _value(assembler)

    def _handle_packet(self, packet: bytes, assembler: ipc.Assembler, progress: Progress | None) -> bool:
        if packet[:1] == b"x":
            raise _failure(packet[1:])
        try:
            if packet[:1] == b"p":
                assembler.count()
                _report(packet[1:], progress)
                return False
            return assembler.feed(packet)
        except ValueError as error:
            raise SandboxError("answer", f"The job's answer was refused: {error}.", permanent=True) from error

    def _exit_error(self) -> SandboxError:
        """Why the child ended without an answer."""
        self.wait(_KILL_DEADLINE)
        if self.exit is None:
            return SandboxError("lost", "The process that runs jobs ended; the job starts again.", permanent=False)
        if reason := self.exit.get("not_started"):
            return SandboxError("lost", f"No process could be started for the job: {reason}.", permanent=False)
        number = -int(self.exit["code"])
        if number == signal.SIGXCPU:
            return SandboxError("cpu", "The job used more processor time than it may and was stopped.", permanent=True)
        if number == signal.SIGKILL:
            return SandboxError("killed", "The job was killed, most likely because memory ran out.", permanent=False)
        if number > 0:
            name = signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"
            return SandboxError("crash", f"Reading the file crashed the job ({name}).", permanent=False)
        return SandboxError("internal", f"The job ended without an answer (exit code {-number}).", permanent=False)

    def kill(self) -> None:
        """Ask the zygote to kill the child and all it started."""
        with suppress(OSError):
            self._status.send(b"k")

    def wait(self, seconds: float) -> None:
        """Wait until the child is gone and keep its `exit` report."""
        if self.exit is None:
            self._status.settimeout(seconds)
            with suppress(OSError, ValueError):
                self.exit = json.loads(self._status.recv(ipc.PACKET)) or None

    def close(self) -> None:
        """Nothing of the child is left afterwards."""
        if self.exit is None:
            self.kill()
            self.wait(_KILL_DEADLINE)
        self._job.close()
        self._status.close()


class Sandbox:
    """Children for jobs and readers, forked from a warm zygote that is started on first use and again whenever it died. Thread-safe.

    :param scratch: folder on the data volume for the children's scratch folders.
    :param allow_weak: run children also where the kernel lacks what keeps them away from other files (`jobs.allow_weak_sandbox`).
    :param tasks: module with the tasks; :param tasks_folder: put on its module path (tests).
    """

    def __init__(
        self, scratch: Path, *, allow_weak: bool = False, tasks: str = TASKS, tasks_folder: Path | None = None
    ) -> None:
        self._scratch = Scratch(scratch)
        self._allow_weak = allow_weak
        self._arguments = [tasks, *([str(tasks_folder)] if tasks_folder else [])]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._capabilities: dict[str, Any] = {}

    def run(
        self,
        task: str,
        input: Path,
        request: dict[str, Any],
        *,
        timeout: float,
        scratch: Path | None = None,
        read: Iterable[Path] = (),
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        **bounds: Any,
    ) -> Outcome:
        """Run `task` on `input` and wait for its answer. Raises SandboxError.

        :param timeout: seconds on the wall clock; :param scratch: a folder the caller looks into afterwards; without one, a fresh one is made and removed.
        :param read: further files it may read; :param bounds: fields of `confinement.Confinement` (outputs, memory, cpu, fork, …); `file_size` also
          bounds all outputs together.
        """
        folder = scratch or self.new_scratch()
        log = folder / _LOG_NAME
        bounds.setdefault("cpu", int(timeout * 2 * (os.cpu_count() or 1)) + 1)
        limits = confinement.Confinement(read=tuple(map(str, (input, *read))), write=str(folder), **bounds)
        watch = _OutputWatch(folder, limits.file_size)
        deadline = time.monotonic() + timeout
        try:
            child = self.open(limits, log=log)
            try:
                child.send({"task": task, "input": str(input), "scratch": str(folder), "request": request}, deadline)
                answer = child.receive(deadline, progress, lambda: watch.exceeded() or cancelled())
                child.wait(max(deadline - time.monotonic(), 1.0))
            finally:
                child.close()
            usage = child.exit or {}
            return Outcome(answer, int(usage.get("peak", 0)), float(usage.get("cpu", 0)), _tail(log))
        except SandboxError as error:
            if watch.exceeded():
                reason = "The job wrote more than it may and was stopped."
                raise SandboxError("file-size", reason, permanent=True, log=_tail(log)) from error
            error.log = _tail(log)
            raise
        finally:
            if scratch is None:
                remove_tree(folder)

    def open(self, bounds: confinement.Confinement, *, log: Path | None = None, serve: bool = False) -> Child:
        """A new child confined to `bounds`; with `serve` it answers requests until closed. Raises SandboxError when none can be started."""
        bounds = replace(bounds, allow_weak=self._allow_weak)
        ours, theirs = ipc.pair()
        status, their_status = ipc.pair()
        try:
            with self._lock:
                self._require_confinement()
                self._order(
                    {"bounds": bounds.to_json(), "serve": serve, "log": str(log) if log else None},
                    [theirs.fileno(), their_status.fileno()],
                )
        except SandboxError:
            ours.close()
            status.close()
            raise
        except OSError as error:
            ours.close()
            status.close()
            raise SandboxError(
                "lost", f"The process that runs jobs cannot be started: {error}.", permanent=False
            ) from error
        finally:
            theirs.close()
            their_status.close()
        return Child(ours, status)

    def new_scratch(self) -> Path:
        """A fresh empty folder (mode 0700) for one child; the caller removes it."""
        return self._scratch.new()

    def clear_scratch(self) -> int:
        """Remove what killed processes left behind. → number of folders removed."""
        return self._scratch.clear()

    def warm_up(self) -> None:
        """Start the zygote now rather than with the first job. Raises SandboxError."""
        try:
            with self._lock:
                self._ensure()
        except OSError as error:
            raise SandboxError(
                "lost", f"The process that runs jobs cannot be started: {error}.", permanent=False
            ) from error

    def capabilities(self) -> dict[str, Any]:
        """What protects here: see `confinement.capabilities`."""
        self.warm_up()
        return self._capabilities

    def close(self) -> None:
        """End the zygote and with it every child. It may be used again afterwards."""
        starting = self._process
        if self._control is None and starting is not None:
            starting.kill()  # whoever waits for its imports holds the lock
        with self._lock:
            self._drop()
        self._scratch.close()

    def _require_confinement(self) -> None:
        self._ensure()
        if not self._capabilities["complete"] and not self._allow_weak:
            raise SandboxError(WEAK, _WEAK_REASON, permanent=True)

    def _order(self, message: dict[str, Any], fds: list[int]) -> None:
        try:
            ipc.send_with_fds(self._ensure(), message, fds)
        except (BrokenPipeError, ConnectionError):
            self._drop()
            ipc.send_with_fds(self._ensure(), message, fds)

    def _ensure(self) -> socket.socket:
        if self._control is not None and self._process is not None and self._process.poll() is None:
            return self._control
        self._drop()
        control, theirs = ipc.pair()
        command = confinement.python_command("appliance.jobs.zygote", str(theirs.fileno()), *self._arguments)
        try:
            self._process = subprocess.Popen(
                command,
                env=_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError:
            control.close()
            raise
        finally:
            theirs.close()
        control.settimeout(_START_DEADLINE)
        try:
            hello = control.recv(ipc.PACKET)
        except TimeoutError:
            hello = b""
        if not hello:
            control.close()
            raise ConnectionAbortedError("it gave no sign of life (see the service's log)")
        self._capabilities = json.loads(hello)
        self._control = control
        return control

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(_KILL_DEADLINE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class _OutputWatch:
    """Has a child written more than it may, in all its outputs together? Looked at once a second; each one is bounded by the kernel."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._next = 0.0
        self._exceeded = False

    def exceeded(self) -> bool:
        """Do its files take more room than they may?"""
        if not self._exceeded and time.monotonic() >= self._next:
            self._next = time.monotonic() + 1.0
            self._exceeded = measure(self._folder) > self._most
        return self._exceeded


def _value(assembler: ipc.Assembler) -> Any:
    try:
        return assembler.value()
    except (ValueError, RecursionError) as error:
        raise SandboxError("answer", "The job's answer could not be read.", permanent=True) from error


def _report(payload: bytes, progress: Progress | None) -> None:
    """Pass a progress line on; what a taken-over child writes here is at worst a wrong percentage."""
    with suppress(ValueError, TypeError, RecursionError):
        fraction, stage = json.loads(payload[:_LONGEST_REPORT])
        if progress is not None and fraction == fraction:  # NaN is no percentage
            progress(min(max(float(fraction), 0.0), 1.0), _printable(str(stage)[:100]))


def _failure(payload: bytes) -> SandboxError:
    try:
        told = json.loads(payload)
        return SandboxError(
            _printable(str(told["kind"])[:40]),
            _printable(str(told["message"])[:400]).replace("\n", " "),
            permanent=bool(told["permanent"]),
            answered=True,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return SandboxError("answer", "The job's answer could not be read.", permanent=True)


def _printable(text: str) -> str:
    """`text` without what a terminal or a page would obey: control characters (but line breaks and tabs), changes of direction."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _tail(log: Path) -> str:
    try:
        file = open_plain(log)
    except OSError:
        return ""
    with file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - _LOG_TAIL, 0))
        return _printable(file.read(_LOG_TAIL).decode("utf-8", "replace"))
