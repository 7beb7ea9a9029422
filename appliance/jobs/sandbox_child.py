"""One confined child as the service sees it: requests go in, progress and an answer come out, and how it ended."""

from __future__ import annotations

import json
import re
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from appliance.jobs import ipc
from appliance.model import messages
from appliance.model.messages import Message

KILL_DEADLINE = 10.0
_LONGEST_REPORT = 4096
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

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
            raise SandboxError("timeout", Message("The job did not start in time."), permanent=False) from None
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
                raise SandboxError("timeout", Message("The job took too long and was stopped."), permanent=True)
            if cancelled():
                raise SandboxError("cancelled", Message("The job was cancelled."), permanent=True)
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
            raise SandboxError(
                "answer", Message("The job's result was rejected: %(error)s.", error=error), permanent=True
            ) from error

    def _exit_error(self) -> SandboxError:
        """Why the child ended without an answer."""
        self.wait(KILL_DEADLINE)
        if self.exit is None:
            return SandboxError(
                "lost", Message("The process that runs jobs ended; the job starts again."), permanent=False
            )
        if reason := self.exit.get("not_started"):
            return SandboxError(
                "lost", Message("No process could be started for the job: %(reason)s.", reason=reason), permanent=False
            )
        number = -int(self.exit["code"])
        if number == signal.SIGXCPU:
            return SandboxError(
                "cpu", Message("The job exceeded its processor time limit and was stopped."), permanent=True
            )
        if number == signal.SIGKILL:
            return SandboxError(
                "killed", Message("The job was killed, most likely because memory ran out."), permanent=False
            )
        if number > 0:
            name = signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"
            return SandboxError(
                "crash", Message("Reading the file crashed the job (%(name)s).", name=name), permanent=False
            )
        return SandboxError(
            "internal",
            Message("The job ended without a result (exit code %(number)s).", number=-number),
            permanent=False,
        )

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
            self.wait(KILL_DEADLINE)
        self._job.close()
        self._status.close()


def _value(assembler: ipc.Assembler) -> Any:
    try:
        return assembler.value()
    except (ValueError, RecursionError) as error:
        raise SandboxError("answer", Message("The job's result could not be read."), permanent=True) from error


def _report(payload: bytes, progress: Progress | None) -> None:
    """Pass a progress line on; what a taken-over child writes here is at worst a wrong percentage."""
    with suppress(ValueError, TypeError, RecursionError):
        fraction, stage = json.loads(payload[:_LONGEST_REPORT], object_hook=messages.unpacked)
        if progress is not None and fraction == fraction:  # NaN is no percentage
            progress(min(max(float(fraction), 0.0), 1.0), _shown(stage, 100))


def _failure(payload: bytes) -> SandboxError:
    try:
        told = json.loads(payload, object_hook=messages.unpacked)
        return SandboxError(
            printable(str(told["kind"])[:40]),
            _shown(told["message"], 400),
            permanent=bool(told["permanent"]),
            answered=True,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return SandboxError("answer", Message("The job's result could not be read."), permanent=True)


def _shown(said: Any, most: int) -> str:
    """What a child says, on one line of at most `most` characters."""
    return messages.cut(messages.mapped(str(said), lambda text: printable(text).replace("\n", " ")), most)


def printable(text: str) -> str:
    """`text` without what a terminal or a page would obey: control characters (but line breaks and tabs), changes of direction."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
