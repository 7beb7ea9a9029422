"""Which due jobs may start: the workers' places are shared fairly by user; background kinds run in lanes of their own."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.jobs.registry import JobKind
from appliance.store import jobs
from appliance.store.jobs import QueuedJob

_HEAVY_BYTES = 64 << 20
#: Additional places for users without a running job.
_FOR_NEWCOMERS = 2


@dataclass(frozen=True)
class Taken:
    """The place of a job that was sent to a worker, and since when."""

    heavy: bool = False
    lane: str = ""
    user_id: str = ""
    at: float = field(default_factory=time.monotonic)


class Slots:
    """The places of a runner. :param workers: jobs at once; :param memory: bytes that a heavy one may take."""

    def __init__(self, kinds: Mapping[str, JobKind], workers: int, memory: int) -> None:
        self._lanes = {kind.name: kind.lane for kind in kinds.values() if kind.lane}
        self._heavy_kinds = {kind.name for kind in kinds.values() if kind.heavy}
        self._workers = workers
        self._heavy_slots = heavy_slots(workers, memory)

    @property
    def threads(self) -> int:
        """Threads needed to run jobs in all places and lanes at once."""
        return self._places + len(set(self._lanes.values()))

    def next(
        self, conn: sqlite3.Connection, load: Sequence[Taken], taken: Container[str]
    ) -> Iterator[tuple[QueuedJob, Taken]]:
        """The jobs that may start beside `load`, but no more than can run at once, so that later ones of other users are not behind them.

        When all workers are busy, users without a running job may start one each, up to `_FOR_NEWCOMERS`.

        :param taken: ids of the jobs of `load`.
        """
        heavy = sum(one.heavy for one in load)
        held = Counter(one.user_id for one in load if not one.lane)
        found = [] if held.total() >= self._places else self._for_workers(conn, len(load), heavy, held)
        for job in found:
            one = Taken(job.kind in self._heavy_kinds and job.size > _HEAVY_BYTES, "", job.user_id)
            if job.id in taken or (one.heavy and heavy >= self._heavy_slots):
                continue
            if held.total() >= self._workers + (0 if held[one.user_id] else _FOR_NEWCOMERS):
                continue
            heavy += one.heavy
            held[one.user_id] += 1
            yield job, one
        for job in self._for_lanes(conn, {one.lane for one in load}):
            yield job, Taken(lane=self._lanes[job.kind], user_id=job.user_id)

    @property
    def _places(self) -> int:
        """How many jobs outside of lanes may run at once."""
        return self._workers + _FOR_NEWCOMERS

    def _for_workers(
        self, conn: sqlite3.Connection, taken: int, heavy: int, held: Mapping[str, int]
    ) -> list[QueuedJob]:
        """Candidates for the workers, while `taken` jobs are running."""
        return jobs.ready(
            conn,
            self._places + taken,
            without=self._lanes,
            without_heavy=self._heavy_kinds if heavy >= self._heavy_slots else (),
            heavy_bytes=_HEAVY_BYTES,
            held=held,
        )

    def _for_lanes(self, conn: sqlite3.Connection, busy: Container[str]) -> Iterator[QueuedJob]:
        """The next job of each free lane, regardless of the workers' queue."""
        for lane in sorted({one for one in self._lanes.values() if one not in busy}):
            kinds = [kind for kind, its_lane in self._lanes.items() if its_lane == lane]
            yield from jobs.ready(conn, 1, only=kinds)[:1]


def heavy_slots(workers: int, memory: int) -> int:
    """How many memory-hungry jobs may run at once: one worker stays free for the others, and they share two thirds of the machine's memory."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(workers - 1, installed * 2 // 3 // max(memory, 1)))
