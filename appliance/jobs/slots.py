"""Which of the jobs that are due may begin: the workers' places, shared fairly by user, and a lane each for what nobody waits for."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.jobs.registry import JobKind
from appliance.store import jobs

_HEAVY_BYTES = 64 << 20
#: Places beside the workers' for users who have nothing under way.
_FOR_NEWCOMERS = 2


@dataclass(frozen=True)
class Taken:
    """What a job on its way to a worker takes, and since when."""

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
        """Threads that are needed for every place to be taken at once."""
        return self._places + len(set(self._lanes.values()))

    def next(
        self, conn: sqlite3.Connection, load: Sequence[Taken], taken: Container[str]
    ) -> Iterator[tuple[sqlite3.Row, Taken]]:
        """The jobs that may begin beside `load`, as many as can start at once, so that whoever comes later is not behind them.

        When all workers are busy, some more jobs may run, one each for users who have none under way: with many files of several
        users in the queue there is still a place for the next one.

        :param taken: ids of the jobs of `load`.
        """
        heavy = sum(one.heavy for one in load)
        held = Counter(one.user_id for one in load if not one.lane)
        found = [] if held.total() >= self._places else self._for_workers(conn, len(load), heavy, held)
        for row in found:
            one = Taken(row["kind"] in self._heavy_kinds and row["size"] > _HEAVY_BYTES, "", row["user_id"])
            if row["id"] in taken or (one.heavy and heavy >= self._heavy_slots):
                continue
            if held.total() >= self._workers + (0 if held[one.user_id] else _FOR_NEWCOMERS):
                continue
            heavy += one.heavy
            held[one.user_id] += 1
            yield row, one
        for row in self._for_lanes(conn, {one.lane for one in load}):
            yield row, Taken(lane=self._lanes[row["kind"]], user_id=row["user_id"])

    @property
    def _places(self) -> int:
        """How many jobs of the workers may run at once."""
        return self._workers + _FOR_NEWCOMERS

    def _for_workers(
        self, conn: sqlite3.Connection, taken: int, heavy: int, held: Mapping[str, int]
    ) -> list[sqlite3.Row]:
        """What the workers may begin, while `taken` jobs are under way."""
        return jobs.ready(
            conn,
            self._places + taken,
            without=self._lanes,
            without_heavy=self._heavy_kinds if heavy >= self._heavy_slots else (),
            heavy_bytes=_HEAVY_BYTES,
            held=held,
        )

    def _for_lanes(self, conn: sqlite3.Connection, busy: Container[str]) -> Iterator[sqlite3.Row]:
        """The next job of each lane that is free, however much waits for the workers."""
        for lane in sorted({one for one in self._lanes.values() if one not in busy}):
            kinds = [kind for kind, its_lane in self._lanes.items() if its_lane == lane]
            yield from jobs.ready(conn, 1, only=kinds)[:1]


def heavy_slots(workers: int, memory: int) -> int:
    """How many memory-hungry jobs may run at once: one worker stays free for the others, and they share two thirds of the machine's memory."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(workers - 1, installed * 2 // 3 // max(memory, 1)))
