"""Tasks of a zygote on a machine that lacks something; `warm_up` runs in the zygote, never in the service."""

from __future__ import annotations

import errno
import os

from appliance.jobs import landlock, seccomp


def nothing(request, input, scratch, *, progress):
    return {"pid": os.getpid()}


def _without_landlock():
    landlock.abi = lambda: 0


def _without_filter():
    seccomp.supported = lambda: False


def _without_processes():
    """Every other fork fails; not the first, by which the zygote looks what the machine can do."""
    fork, calls = os.fork, []

    def failing() -> int:
        calls.append(1)
        if len(calls) % 2 == 0:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return fork()

    os.fork = failing


_LACKS = {"landlock": _without_landlock, "filter": _without_filter, "processes": _without_processes}


def warm_up():
    # The zygote has a clean environment; what is missing stands beside this module in its name.
    from pathlib import Path

    _LACKS[Path(__file__).with_name("lacks").read_text()]()
