"""Event ranges and the forked crew."""

from __future__ import annotations

import fcntl
import mmap
import os
import resource
import signal
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.jobs.rtdc.errors import RtdcError
from appliance.jobs.rtdc.workers import MAX_TICKETS, Range, WorkerPool, event_ranges


@given(st.integers(0, 3_000_000), st.integers(1, 10**7), st.integers(1, 5000))
def test_ranges_cover_everything_once(total: int, event_bytes: int, align: int) -> None:
    """Whatever the sizes; never more ranges than are worth it."""
    ranges = event_ranges(total, event_bytes, align=align)
    assert len(ranges) <= MAX_TICKETS
    edges = [0, *(stop for _, stop in ranges)]
    assert [start for start, _ in ranges] == edges[:-1]
    assert edges[-1] == total


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_every_range_is_worked_on_once(cores: int) -> None:
    """Dynamically shared."""
    shared = np.frombuffer(mmap.mmap(-1, 1000), dtype=np.uint8)

    def work(ranges: Iterator[Range], number: int) -> None:
        for start, stop in ranges:
            shared[start:stop] += 1

    with WorkerPool([(n, n + 10) for n in range(0, 1000, 10)], work, cores) as crew:
        crew.take_part(lambda: None)
    assert shared.tolist() == [1] * 1000


def test_pipes_may_be_as_small_as_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel makes them so for a user who has many."""
    pipe = os.pipe

    def small() -> tuple[int, int]:
        ends = pipe()
        fcntl.fcntl(ends[0], fcntl.F_SETPIPE_SZ, 4096)
        return ends

    def too_long(_number: int, _frame: object) -> None:
        raise TimeoutError("a full pipe blocks")

    monkeypatch.setattr(os, "pipe", small)
    shared = np.frombuffer(mmap.mmap(-1, MAX_TICKETS), dtype=np.uint8)

    def work(ranges: Iterator[Range], number: int) -> None:
        for start, stop in ranges:
            shared[start:stop] += 1

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(60)
    try:
        with WorkerPool([(n, n + 1) for n in range(MAX_TICKETS)], work, 3) as crew:
            crew.take_part(lambda: None)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert shared.tolist() == [1] * MAX_TICKETS


def test_an_error_of_a_helper_is_raised() -> None:
    """With its kind and message."""

    def work(ranges: Iterator[Range], number: int) -> None:
        for _ in ranges:
            if number:
                raise RtdcError("damaged", "a checksum does not match")

    with (
        pytest.raises(RtdcError, match="checksum") as caught,
        WorkerPool([(n, n + 1) for n in range(50)], work, 2) as crew,
    ):
        _wait_then(crew)
    assert caught.value.kind == "damaged"


def test_a_crash_of_a_helper_is_an_error() -> None:
    """The library may take a worker down."""

    def work(ranges: Iterator[Range], number: int) -> None:
        for _ in ranges:
            if number:
                os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(RtdcError) as caught, WorkerPool([(n, n + 1) for n in range(50)], work, 2) as crew:
        _wait_then(crew)
    assert caught.value.kind == "crashed"


def test_leaving_early_leaves_no_process() -> None:
    """A caller that does not wait ends the helpers."""

    def work(ranges: Iterator[Range], number: int) -> None:
        for _ in ranges:
            os.sched_yield()

    with WorkerPool([(n, n + 1) for n in range(5000)], work, 3) as crew:
        helpers = set(crew._children)
    assert len(helpers) == 2
    for pid in helpers:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _wait_then(crew: WorkerPool) -> None:
    """Let the helper find a range before this process has taken them all."""
    crew._work = lambda ranges, number: None
    crew.take_part(lambda: None)


def test_where_no_more_processes_are_permitted_one_does_all() -> None:
    """The kernel counts them by UID: those of a second appliance on the same kernel, too."""
    shared = mmap.mmap(-1, 1000)

    def work(ranges: Iterator[Range], _number: int) -> None:
        for start, stop in ranges:
            for place in range(start, stop):
                shared[place] += 1

    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.geteuid() == 0:  # root is not limited
                os.setuid(65534)
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            with WorkerPool([(n, n + 10) for n in range(0, 1000, 10)], work, 4) as crew:
                crew.take_part(lambda: None)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert shared[:] == b"\1" * 1000
