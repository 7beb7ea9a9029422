"""The README's two commands, in a fresh copy with an empty home."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.ports import free_port

TOP = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone would hold."""
    target = tmp_path_factory.mktemp("clone") / "dcor"
    listed = subprocess.run(
        ["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not listed:
        pytest.skip("this is no git checkout")
    for name in listed:
        if (TOP / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, target / name)
    return target


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An empty home; only what pip needs to find packages here is handed on."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name in ("PATH", "LANG")}
    return kept | {"HOME": str(tmp_path_factory.mktemp("home"))}


def test_readme_names_exactly_these_commands() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (TOP / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert [block.strip() for block in blocks[:2]] == ["./installer/install.sh --try", "./tests/run.sh"]


def test_try_out_starts_says_what_to_do_stops_and_starts_again(copy: Path, environment: dict[str, str]) -> None:
    port = free_port()
    command = ["./installer/install.sh", "--try", "--no-open", "--port", str(port)]
    first, seconds = run_until_announced(command, copy, environment)
    print(f"first start after {seconds:.0f} s")
    assert f"https://localhost:{port}" in first
    tips = first[first.index("DCOR is running") :]
    assert len(tips.strip().splitlines()) <= 12
    again, seconds = run_until_announced(command, copy, environment)
    print(f"second start after {seconds:.0f} s")
    assert seconds < 60
    assert [line for line in again.splitlines() if "Sign in" in line] == [
        line for line in first.splitlines() if "Sign in" in line
    ]
    assert "Loading" not in again


def run_until_announced(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[str, float]:
    """Start, read until the tips are complete, Ctrl-C; returns what was said and the seconds until then."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = ""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            said += line
            if "Ctrl-C stops it" in line:
                break
        seconds = time.monotonic() - started
        assert "Ctrl-C stops it" in said, said
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said + rest
    return said, seconds


def test_the_test_runner_sets_itself_up(copy: Path, environment: dict[str, str]) -> None:
    command = ["./tests/run.sh", "--collect-only", "-q", "tests/cli"]
    done = subprocess.run(
        command,
        cwd=copy,
        env=environment | {"TESTS_ONLY": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests/cli/test_root.py" in done.stdout
