"""Checks whether a file is valid measurement data, while somebody waits for the answer.

Each check is a child process of a few hundred MB. So there are only a few at once, whoever asks and however often; each caller
gets a fair share of them; and callers who ask about the same file at the same time share one.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from pathlib import Path

from appliance.actions.site import Sanity
from appliance.jobs.fair_share import FairShare
from appliance.jobs.sandbox import Sandbox
from appliance.jobs.sandbox_child import SandboxError
from appliance.model import messages
from appliance.model.messages import Message
from appliance.model.problem import Problem

#: Children at once, and callers that may wait for one, in all and of one user.
MOST = 3
_MOST_WAITING = 64
_MOST_WAITING_OF_ONE = 16
#: Errors that tell something about the file although the child did not answer.
_FAULT_OF_THE_FILE = frozenset({"crash", "cpu", "memory", "timeout", "file-size", "answer"})


class SanityChecks:
    """Thread-safe. :param memory: bytes of one child; :param seconds: longest time of one check, and longest wait for a place."""

    def __init__(self, sandbox: Sandbox, *, memory: int, most: int = MOST, seconds: float = 60.0) -> None:
        self._sandbox, self._memory, self._seconds = sandbox, memory, seconds
        self._changed = threading.Condition()
        self._places = FairShare(most)
        self._running: dict[Path, Future[Sanity]] = {}
        self._waiting: dict[str, int] = {}

    def check(self, path: Path, caller: str = "") -> Sanity:
        """Is the file valid? `caller` is the id of who asks. Raises Problem 503 when there is no telling now."""
        with self._changed:
            running = self._running.get(path)
            future: Future[Sanity] = running or Future()
            self._enter(caller)
            self._running[path] = future
        try:
            if running is not None:
                return self._result_of(running)
            return self._run(path, caller, future)
        finally:
            with self._changed:
                self._waiting[caller] -= 1
                if not self._waiting[caller]:
                    del self._waiting[caller]

    def _enter(self, caller: str) -> None:
        if self._waiting.get(caller, 0) >= _MOST_WAITING_OF_ONE or sum(self._waiting.values()) >= _MOST_WAITING:
            raise _busy()
        self._waiting[caller] = self._waiting.get(caller, 0) + 1

    def _result_of(self, running: Future[Sanity]) -> Sanity:
        try:
            return running.result(2 * self._seconds)
        except TimeoutError:
            raise _busy() from None

    def _run(self, path: Path, caller: str, future: Future[Sanity]) -> Sanity:
        try:
            found = self._in_turn(path, caller)
        except Exception as error:
            future.set_exception(error if isinstance(error, Problem) else _busy())
            raise
        else:
            future.set_result(found)
            return found
        finally:
            with self._changed:
                del self._running[path]

    def _in_turn(self, path: Path, caller: str) -> Sanity:
        deadline = time.monotonic() + self._seconds
        with self._changed:
            place = self._places.wait(caller, str(path))
            while not self._places.is_next(place):
                if not self._changed.wait(max(deadline - time.monotonic(), 0)):
                    self._places.leave(place)
                    self._changed.notify_all()
                    raise _busy()
            self._places.take(place)
            self._changed.notify_all()
        try:
            return self._look(path)
        finally:
            with self._changed:
                self._places.leave(place)
                self._changed.notify_all()

    def _look(self, path: Path) -> Sanity:
        try:
            answer = self._sandbox.run("sanity", path, {}, timeout=self._seconds, memory=self._memory).answer
            reasons = [messages.cut(str(reason), 400) for reason in answer.get("reasons", ())][:100]
            return Sanity(answer["valid"] is True, tuple(reasons))
        except SandboxError as error:
            if (error.answered and error.permanent) or error.kind in _FAULT_OF_THE_FILE:
                return Sanity(False, (error.message,))
            raise Problem(503, "Busy", message=error.message) from error
        except (AttributeError, KeyError, TypeError):
            return Sanity(False, (Message("The job's result could not be read."),))


def _busy() -> Problem:
    return Problem(503, "Busy", message="Too many files are being checked at the moment; try again in a minute.")
