"""The threads that write and hash an upload."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.model.problem import Problem
from appliance.store.depot import Depot
from appliance.web.transfer.file_receiver import RangeReceiver


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
