"""The threads that write and hash an upload."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.store.depot import Depot
from appliance.web.transfer.intake import Intake


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
    intake = Intake(part, limit=1 << 30, hashers=[_Exhausted()])
    with pytest.raises(MemoryError):
        _write_much(intake)
    intake.close()
    part.discard()


def _write_much(intake: Intake) -> None:
    for _ in range(100):
        intake.write(bytes(1 << 16))
