"""The service's side of the sandbox: running a task on a file in a confined child.

The service never opens HDF5 itself; a child that crashes, hangs, exceeds its limits or is compromised costs one job, nothing
else.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from appliance.jobs import confinement, ipc
from appliance.jobs.child import TASKS
from appliance.jobs.sandbox_child import KILL_DEADLINE, Child, Progress, SandboxError, printable
from appliance.jobs.scratch import Scratch, measure, open_plain, remove_tree
from appliance.model.messages import Message

_START_DEADLINE = 120.0
_LOG_TAIL = 8192
_LOG_NAME = "child.log"
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


@dataclass(frozen=True)
class Outcome:
    """The result of a task and its cost: `peak` bytes of memory, `cpu` seconds, the end of its `log`."""

    answer: Any
    peak: int = 0
    cpu: float = 0.0
    log: str = ""


class Sandbox:
    """Children for jobs and readers, forked from a warm zygote that is started on first use and again after it died. Thread-safe.

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
                "lost",
                Message("The process that runs jobs cannot be started: %(error)s.", error=error),
                permanent=False,
            ) from error
        finally:
            theirs.close()
            their_status.close()
        return Child(ours, status)

    def new_scratch(self) -> Path:
        """A fresh empty folder (mode 0700) for one child; the caller removes it."""
        return self._scratch.new()

    def clear_scratch(self) -> int:
        """Remove the folders of killed processes. → number of folders removed."""
        return self._scratch.clear()

    def warm_up(self) -> None:
        """Start the zygote now rather than with the first job. Raises SandboxError."""
        try:
            with self._lock:
                self._ensure()
        except OSError as error:
            raise SandboxError(
                "lost",
                Message("The process that runs jobs cannot be started: %(error)s.", error=error),
                permanent=False,
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
                self._process.wait(KILL_DEADLINE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class _OutputWatch:
    """Whether a child's outputs together exceed the limit. Checked once a second; the kernel limits each file."""

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


def _tail(log: Path) -> str:
    try:
        file = open_plain(log)
    except OSError:
        return ""
    with file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - _LOG_TAIL, 0))
        return printable(file.read(_LOG_TAIL).decode("utf-8", "replace"))
