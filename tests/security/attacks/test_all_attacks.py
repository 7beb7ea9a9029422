"""Before a release: every attack on the whole house at once, with its figure for docs/assurance.md.

`tests/run.sh -m soak tests/security` runs this with the floods (`test_lockout`) and races (`test_races_soak`). Tests of single attacks
stand where the code stands; here each kind has a list of them. A figure is printed for each: tests that passed, and how long they took.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
#: What an attacker wants → tests that would fail if they got it.
ATTACKS: dict[str, tuple[str, ...]] = {
    "few addresses lock everybody out": (
        "tests/security/attacks/test_lockout.py",
        "tests/web/gateway/test_gateway_life.py",
        "tests/web/gateway/test_gateway_fairness.py",
    ),
    "one text freezes the process": (
        "tests/security/attacks/test_slow_texts.py",
        "tests/security/attacks/test_hostile_texts.py",
        "tests/store/search/test_any_query.py",
        "tests/security/attacks/test_raw_bytes.py",
    ),
    "one user holds the writer": ("tests/security/attacks/test_one_writer.py", "tests/store/test_fair_lock.py"),
    "one user holds the workers": (
        "tests/jobs/test_sanity.py",
        "tests/jobs/test_fair_queue.py",
        "tests/jobs/test_fair_share.py",
        "tests/jobs/test_runner.py",
        "tests/web/test_fair_slots.py",
    ),
    "uploads fill the volume": (
        "tests/security/attacks/test_full_volume.py",
        "tests/jobs/test_room.py",
        "tests/web/transfer/test_file_receiver.py",
    ),
    "requests fill the memory": (
        "tests/web/test_memory_bound.py",
        "tests/web/test_body_budget.py",
        "tests/store/test_cache.py",
        "tests/web/test_compare_extremes.py",
        "tests/security/attacks/test_greedy_clients.py",
    ),
    "strangers write incidents": ("tests/web/gateway/test_gateway_failures.py", "tests/store/test_incidents.py"),
    "a thread dies unseen": (
        "tests/test_threads.py",
        "tests/test_service_signals.py",
        "tests/architecture/test_threads.py",
    ),
    "a taken-over child": (
        "tests/jobs/test_sandbox.py",
        "tests/jobs/test_scratch.py",
        "tests/jobs/test_failed_tasks.py",
        "tests/jobs/test_weak_machines.py",
        "tests/model/test_event_files.py",
    ),
}
_ENDS = re.compile(r"(\d+) (passed|failed|skipped|error)")


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_tests_of_an_attack_are_there(attack: str) -> None:
    assert [one for one in ATTACKS[attack] if not (ROOT / one).is_file()] == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_fails(attack: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """All of its tests, slow ones too; those of half an hour are asked for by themselves."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "not soak and not browser",
        "--basetemp",
        str(tmp_path / "t"),
        *ATTACKS[attack],
    ]
    began = time.monotonic()
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=3500,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")},
    )  # fmt: skip
    found = {what: int(number) for number, what in _ENDS.findall(ended.stdout[-500:])}
    with capsys.disabled():
        print(
            f"\n| {attack} | {', '.join(f'`{one}`' for one in ATTACKS[attack])} | {found}, {time.monotonic() - began:.0f} s |"
        )
    assert ended.returncode == 0, ended.stdout[-8000:]
    assert found.get("passed", 0) >= len(ATTACKS[attack])
