"""The process that children are forked from: it imports h5py and dclab once, opens no file, and forks one confined child per job.

Start-up costs (1–2 s of imports) are paid once, yet every job has a process of its own. It receives requests by a packet socket,
reports how each child ended, kills a child (with all it started) when told or when nobody listens any more, and ends with the service.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from appliance.jobs import child, confinement, ipc


@dataclass
class _Child:
    pid: int
    pidfd: int
    status: socket.socket
    gone: bool = False


class Zygote:
    """:param control: where requests come from; :param tasks: module whose functions children may run."""

    def __init__(self, control: socket.socket, tasks: str) -> None:
        self._control = control
        self._tasks = tasks
        self._poll = select.poll()
        self._by_pidfd: dict[int, _Child] = {}
        self._by_status: dict[int, _Child] = {}
        self._namespaces = confinement.namespaces_work()
        self._runtime = confinement.runtime_paths()

    def serve(self) -> None:
        """Announce readiness, then work until the other end of the control socket closes."""
        report = confinement.capabilities(namespaces=self._namespaces)
        try:
            self._control.send(ipc.to_json(report))
        except BrokenPipeError:  # the service ended while we were getting ready
            return
        self._poll.register(self._control, select.POLLIN)
        while True:
            for fd, _event in self._poll.poll():
                if fd == self._control.fileno():
                    if not self._take_order():
                        self._end()
                        return
                elif fd in self._by_pidfd:
                    self._reap(self._by_pidfd[fd])
                elif fd in self._by_status:
                    self._kill(self._by_status[fd])

    def _take_order(self) -> bool:
        """Start a child. A child that cannot be started costs only its own job. → False when the service is gone."""
        message, fds = ipc.receive_with_fds(self._control)
        if message is None:
            return False
        if len(fds) != 2:  # too many files are open here; the other ends see theirs closed
            for fd in fds:
                os.close(fd)
            return True
        job, status = fds[0], socket.socket(fileno=fds[1])
        try:
            one = self._start(job, status, message)
        except OSError as error:  # no more processes, memory or descriptors at the moment
            with suppress(OSError):
                status.send(ipc.to_json({"not_started": error.strerror or str(error)}))
            status.close()
            return True
        finally:
            os.close(job)
        self._by_pidfd[one.pidfd] = one
        self._by_status[one.status.fileno()] = one
        self._poll.register(one.pidfd, select.POLLIN)
        self._poll.register(one.status, select.POLLIN)
        return True

    def _start(self, job: int, status: socket.socket, message: dict[str, Any]) -> _Child:
        """Fork a child. Raises OSError when that is not possible; then there is none."""
        pid = os.fork()
        if pid == 0:
            self._become_child(job, message)
        try:
            return _Child(pid, os.pidfd_open(pid), status)
        except OSError:
            _kill_group(pid)
            os.waitpid(pid, 0)
            raise

    def _become_child(self, job: int, spec: dict[str, Any]) -> None:
        """Never returns."""
        code = 70
        try:
            code = child.main(job, spec, self._runtime, tasks=self._tasks, namespaces=self._namespaces)
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _kill(self, one: _Child) -> None:
        """Asked for, or the listener went away: the child and everything in its session goes."""
        self._poll.unregister(one.status)
        del self._by_status[one.status.fileno()]
        one.gone = True
        _kill_group(one.pid)

    def _reap(self, one: _Child) -> None:
        """The child ended: kill the processes it started, then report. Its process id is not reused before `wait4`."""
        _kill_group(one.pid)
        _pid, status, usage = os.wait4(one.pid, 0)
        self._poll.unregister(one.pidfd)
        del self._by_pidfd[one.pidfd]
        os.close(one.pidfd)
        if not one.gone:
            self._poll.unregister(one.status)
            del self._by_status[one.status.fileno()]
        code = os.waitstatus_to_exitcode(status)
        with suppress(OSError):
            one.status.send(
                ipc.to_json({"code": code, "peak": usage.ru_maxrss * 1024, "cpu": usage.ru_utime + usage.ru_stime})
            )
        one.status.close()

    def _end(self) -> None:
        for one in self._by_pidfd.values():
            _kill_group(one.pid)


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # the group does not exist before the child made it
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def main(arguments: list[str]) -> None:
    """`python -m appliance.jobs.zygote FD TASKS [FOLDER]`: FOLDER is put on the module path (for tests)."""
    fd, tasks, *folders = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # the service ends this process by closing the socket, after the grace period of its jobs
    sys.path[:0] = folders
    getattr(importlib.import_module(tasks), "warm_up", lambda: None)()
    gc.collect()
    gc.freeze()
    Zygote(socket.socket(fileno=int(fd)), tasks).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
