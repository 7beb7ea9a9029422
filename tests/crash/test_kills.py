"""SIGKILL at every step: update, rollback, migration, backup and restore are finished or undone by whoever comes next."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: Program, action, kills of the quick run.
ACTIONS = [
    ("release_kills", "update", 9),
    ("release_kills", "rollback", 9),
    ("backup_kills", "backup", 6),
    ("backup_kills", "restore", 6),
    ("reserve_kills", "increment", 4),
    ("reserve_kills", "take-over", 4),
]


def kills(folder: Path, program: str, action: str, wanted: int) -> int:
    """Kill, go on, check; → how many kills. Fails with all that went wrong."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.crash.{program}", str(folder), action, str(wanted)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["wrong"] == [], "\n".join(said["wrong"])
    print(f"{action}: {said['kills']} kills at {said['lines']} lines")
    return int(said["kills"])


@pytest.mark.parametrize(("program", "action", "wanted"), ACTIONS, ids=lambda value: str(value))
def test_a_kill_anywhere_costs_nothing(tmp_path: Path, program: str, action: str, wanted: int) -> None:
    assert kills(tmp_path, program, action, wanted) >= wanted


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("program", "action", "_quick"), ACTIONS, ids=lambda value: str(value))
def test_a_kill_at_every_line_costs_nothing(tmp_path: Path, program: str, action: str, _quick: int) -> None:
    wanted = 10_000 if program == "release_kills" else 60
    assert kills(tmp_path, program, action, wanted) >= 50
