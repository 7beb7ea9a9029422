"""The threads that write and hash an upload."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from appliance.model.problem import Problem
from appliance.store.depot import Depot
from appliance.store.fair_lock import work_for
from appliance.web.transfer.file_receiver import MOST_THREADED_OF_ONE, RangeReceiver


class _Exhausted:
    """A hasher that has no memory left after the first block."""

    def __init__(self) -> None:
        self.blocks = 0

    def update(self, data: bytes, /) -> None:
        """Fail from the second block on."""
        self.blocks += 1
        if self.blocks > 1:
            raise MemoryError


def test_a_lane_that_fails_is_told_and_holds_nobody_up(tmp_path: Path) -> None:
    depot = Depot(tmp_path)
    part = depot.new_part("00000000-0000-4000-8000-000000000000")
    receiver = RangeReceiver(part, limit=1 << 30, hashers=[_Exhausted()])
    with pytest.raises(Problem, match="could not be stored"):
        _write_much(receiver)
    receiver.close()
    part.discard()


def _write_much(receiver: RangeReceiver) -> None:
    for _ in range(100):
        receiver.write(bytes(1 << 16))


def test_one_user_has_few_threads_for_uploads(tmp_path: Path) -> None:
    """Further files of the same user are received in their connections' threads; another user still gets threads."""
    depot = Depot(tmp_path)
    receivers: list[RangeReceiver] = []

    def receive(user: str | None) -> int:
        """Begin a large file. → number of threads that it got."""
        before = threading.active_count()
        work_for(user)
        part = depot.new_part()
        receivers.append(RangeReceiver(part, size=1 << 30, limit=1 << 30, hashers=[hashlib.sha256()]))
        return threading.active_count() - before

    try:
        assert [receive("ada") for _ in range(6)] == [2] * MOST_THREADED_OF_ONE + [0, 0]
        assert receive("max") == 2
        receivers[-2].write(b"x" * 100)
        receivers[-2].settle()
        receivers[0].close()
        assert receive("ada") == 2
    finally:
        work_for(None)
        for receiver in receivers:
            receiver.close()
    assert receive("ada") == 2, "threads were given back"
    receivers[-1].close()
    work_for(None)
