"""A kill anywhere on a file's way to the storage or back costs nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ceph import Ceph


def kills(folder: Path, ceph: Ceph, action: str, wanted: int) -> int:
    """Kill, look, go on; → how many kills. Fails with all that went wrong."""
    program = [sys.executable, "-m", "tests.archive.archive_kills"]
    done = subprocess.run(
        [*program, str(folder), action, str(wanted), ceph.endpoint, ceph.bucket()],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["wrong"] == [], "\n".join(said["wrong"])
    return int(said["kills"])


@pytest.mark.parametrize("action", ["move", "recall"])
def test_a_kill_anywhere_costs_nothing(tmp_path: Path, ceph: Ceph, action: str) -> None:
    assert kills(tmp_path, ceph, action, 8) >= 7


@pytest.mark.slow
@pytest.mark.parametrize("action", ["move", "recall"])
def test_many_kills(tmp_path: Path, ceph: Ceph, action: str) -> None:
    assert kills(tmp_path, ceph, action, 60) >= 50
