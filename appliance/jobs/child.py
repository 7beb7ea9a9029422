"""A child of the zygote: confines itself, then runs the one task (a reader: task after task) that its socket asks for."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.jobs import confinement, ipc
from appliance.jobs.rtdc.errors import RtdcError, one_line, without_paths
from appliance.model import messages

TASKS = "appliance.jobs.rtdc.tasks"
_TRANSIENT = frozenset({"storage"})


def main(job: int, spec: dict[str, Any], runtime: tuple[Path, ...], *, tasks: str, namespaces: bool) -> int:
    """Confine this process as `spec` says and serve the packet socket `job`. → exit code."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    bounds = confinement.Confinement.from_json(spec["bounds"])
    _redirect(spec.get("log"), keep=job)
    _make_outputs(bounds)
    if bounds.write:
        os.environ["TMPDIR"] = tempfile.tempdir = bounds.write
        os.chdir(bounds.write)
    confinement.apply(bounds, runtime, namespaces=namespaces)
    module = importlib.import_module(tasks)
    while (message := _receive(job)) is not None:
        for packet in _answer(module, message, job):
            os.write(job, packet)
        if not spec.get("serve"):
            break
    return 0


def _redirect(log: str | None, *, keep: int) -> None:
    """Redirect output to the log file (or nowhere) and input from nowhere; close every other descriptor."""
    null = os.open(os.devnull, os.O_RDWR)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600) if log else null
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.closerange(3, keep)
    os.closerange(keep + 1, 65536)


def _make_outputs(bounds: confinement.Confinement) -> None:
    """Create the empty files that the task may write: once confined, this process cannot create any. Raises OSError."""
    for path in bounds.output_paths():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def _receive(job: int) -> dict[str, Any] | None:
    assembler = ipc.Assembler()
    while packet := os.read(job, ipc.PACKET):
        if assembler.feed(packet):
            value: dict[str, Any] = assembler.value()
            return value
    return None


def _answer(module: Any, message: dict[str, Any], job: int) -> list[bytes]:
    """Run the task. → packets of its value, or one `x` packet with the error."""
    try:
        task: Callable[..., Any] = getattr(module, message["task"])
        scratch = Path(message["scratch"]) if message["scratch"] else Path(os.devnull)
        value = task(message["request"], Path(message["input"]), scratch, progress=_reporter(job))
        return _packets(value)
    except RtdcError as error:
        return [_failure(error.kind, error.message, permanent=error.kind not in _TRANSIENT)]
    except MemoryError:
        return [_failure("memory", "The file asks for more memory than a job may have.", permanent=True)]
    except OSError as error:
        traceback.print_exc()
        if error.errno == errno.EFBIG:
            return [_failure("file-size", "The result is larger than a job may write.", permanent=True)]
        return [
            _failure(
                "storage" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "internal",
                _describe(error),
                permanent=False,
            )
        ]
    except Exception as error:
        traceback.print_exc()
        return [_failure("internal", _describe(error), permanent=False)]


def _packets(value: Any) -> list[bytes]:
    """Raises RtdcError when the value is larger than the service accepts."""
    try:
        return ipc.packets(value)
    except ValueError as error:
        most = ipc.MAX_ANSWER >> 20
        raise RtdcError(
            "answer", f"The answer has more than {most} MB. Download the file to read this from it."
        ) from error


def _reporter(job: int) -> Callable[..., None]:
    def progress(fraction: float, stage: str = "") -> None:
        """Report progress to the service: 0 … 1, and the current stage."""
        os.write(job, b"p" + ipc.to_json([fraction, messages.cut(stage, 100)]))

    return progress


def _failure(kind: str, message: str, *, permanent: bool) -> bytes:
    return b"x" + ipc.to_json({"kind": kind[:40], "message": one_line(message), "permanent": permanent})


def _describe(error: Exception) -> str:
    sys.stderr.flush()
    return f"{type(error).__name__}: {without_paths(str(error))}"
