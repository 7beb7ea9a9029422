"""Ending a process with SIGKILL before a chosen line of our code: at every step that a power cut could come after.

For programs with one thread: they fork.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_of(action: Callable[[], object], watched: tuple[str, ...]) -> int:
    """How many lines of the modules whose paths end like `watched` an action passes."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.endswith(watched):
            return None
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(None)
    return count


def killed_at(line: int, action: Callable[[], object], watched: tuple[str, ...]) -> bool:
    """Run an action in a fork that is killed before its `line`; was it?"""
    child = os.fork()
    if child == 0:
        passed = 0

        def trace(frame: FrameType, event: str, _arg: object) -> Any:
            nonlocal passed
            if not frame.f_code.co_filename.endswith(watched):
                return None
            if event == "line":
                passed += 1
                if passed == line:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        try:
            action()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def chosen(total: int, wanted: int) -> list[int]:
    """`wanted` of the lines 1 to `total`, the first and the last among them, the same ones each time."""
    if wanted >= total:
        return list(range(1, total + 1))
    return sorted({1, total, *random.Random(total).sample(range(1, total + 1), wanted)})
