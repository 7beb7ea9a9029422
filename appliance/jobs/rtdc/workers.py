"""Work on event ranges in forked processes: the calling process and `cores - 1` children take ranges in turn.

Plain `os.fork` instead of `multiprocessing`: inside the sandbox there are no semaphores, no /dev/shm and no new
interpreters. A pipe holds one small token with the number of the next range; whoever reads it puts the following number back,
so that no more than a few bytes have to fit into a pipe, which the kernel may make as small as a page. Results go into a shared memory map by the worker itself; a worker reports only its end.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
from collections.abc import Callable, Iterator, Sequence

from appliance.model import messages
from appliance.model.messages import Message

from .errors import RtdcError, translate, with_remedy

#: More ranges than that cost more time than they share out.
MAX_TICKETS = 8_000
_TOKEN = struct.Struct("=Q")
_POLL = 0.25

Range = tuple[int, int]
Work = Callable[[Iterator[Range], int], None]


def event_ranges(total: int, event_bytes: int, *, align: int = 1, target_bytes: int = 16 * 1024**2) -> list[Range]:
    """→ (start, stop) ranges over `total` events of about `target_bytes`, starting at multiples of `align`."""
    least = max(1, -(-total // MAX_TICKETS))
    step = max(least, target_bytes // max(1, event_bytes))
    if align <= 4 * step:
        step = max(step // align, -(-least // align)) * align
    return [(start, min(start + step, total)) for start in range(0, total, step)]


class WorkerPool:
    """`cores - 1` forked workers and the caller, sharing the ranges dynamically.

    Where the kernel permits fewer processes, there are fewer workers. `work(ranges, number)` iterates the ranges it is given and stores results itself; `number` tells workers apart. Use as a context manager: leaving it ends
    what is still running.
    """

    def __init__(self, ranges: Sequence[Range], work: Work, cores: int) -> None:
        self._work = work
        self._ranges = ranges
        self._token, self._token_writer = os.pipe()
        self._put(0)
        self._report, report_writer = os.pipe()
        self._children: set[int] = set()
        extra = min(cores - 1, len(ranges) - 1)
        for number in range(1, extra + 1):
            try:
                pid = os.fork()
            except BlockingIOError:
                # The kernel counts processes by UID, those of another appliance in another container, too: fewer workers, the same result.
                break
            if pid == 0:
                os.close(self._report)
                self._run_child(report_writer, number)
            self._children.add(pid)
        os.close(report_writer)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._children:
            # Without ranges they stop after their current one, even where the sandbox forbids signals.
            if select.select([self._token], [], [], _POLL)[0]:
                os.read(self._token, _TOKEN.size)
            self._put(len(self._ranges))
        for pid in self._children:
            with contextlib.suppress(PermissionError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._children.clear()
        for fd in (self._token, self._token_writer, self._report):
            os.close(fd)

    def take_part(self, tick: Callable[[], None]) -> None:
        """Work in this process until the ranges are used up, then wait for the others. Raises their RtdcError."""

        def mine() -> Iterator[Range]:
            """This process' share, with a look at the others' before each range."""
            while (item := self._take()) is not None:
                tick()
                self._reap(0.0)
                yield item

        self._work(mine(), 0)
        while self._children:
            tick()
            self._reap(_POLL)

    def _take(self) -> Range | None:
        """The next range for this process, None when there is none. Raises RtdcError when a worker died, perhaps with the token."""
        while not select.select([self._token], [], [], _POLL)[0]:
            self._reap(0.0)
        return self._next_range()

    def _next_range(self) -> Range | None:
        (number,) = _TOKEN.unpack(os.read(self._token, _TOKEN.size))
        self._put(number + 1)
        return self._ranges[number] if number < len(self._ranges) else None

    def _put(self, number: int) -> None:
        os.write(self._token_writer, _TOKEN.pack(number))

    def _run_child(self, report: int, number: int) -> None:
        status = 0
        try:
            self._work(iter(self._next_range, None), number)
        except Exception as exc:
            error = translate(exc, Message("computing features"))
            os.write(
                report, (messages.dumps([error.kind, error.message]) + "\n").encode("utf-8", "replace")
            )  # whole, as it fits into a page
            status = 1
        finally:
            os._exit(status)

    def _reap(self, timeout: float) -> None:
        readable, _, _ = select.select([self._report], [], [], timeout)
        message = os.read(self._report, 65536) if readable else b""
        if message:
            kind, text = messages.loads(message.split(b"\n")[0].decode())
            raise RtdcError(kind, text)
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._children.discard(pid)
                if status != 0:
                    raise RtdcError(
                        "crashed",
                        with_remedy(Message("The file made the reading library crash or use too much memory.")),
                    )
