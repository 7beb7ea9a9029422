"""Scratch folders belong to a process while it lives, and to nobody afterwards."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from appliance.jobs.scratch import Scratch

_OTHER = """
import sys, pathlib
from appliance.jobs.scratch import Scratch
scratch = Scratch(pathlib.Path(sys.argv[1]))
print(scratch.new(), flush=True)
sys.stdin.read()
"""


def test_a_starting_service_leaves_the_folders_of_a_running_command_alone(tmp_path: Path) -> None:
    command, service = Scratch(tmp_path), Scratch(tmp_path)
    folder = command.new()
    assert service.clear() == 0
    assert folder.is_dir()


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", _OTHER, str(tmp_path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert Scratch(tmp_path).clear() == 0
        process.kill()
        process.wait()
    assert folder.is_dir()
    assert Scratch(tmp_path).clear() == 1
    assert list(tmp_path.iterdir()) == []


def test_folders_of_before_there_were_locks_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "0123").mkdir()
    assert Scratch(tmp_path).clear() == 1
    assert list(tmp_path.iterdir()) == []


def test_closing_leaves_nothing_and_permits_to_go_on(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.new()
    scratch.close()
    assert list(tmp_path.iterdir()) == []
    assert scratch.new().is_dir()


def test_a_lock_without_its_folder_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "0123.lock").touch()
    assert Scratch(tmp_path).clear() == 0
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_cleared_away_does_not_stop_the_service(tmp_path: Path) -> None:
    (tmp_path / "0123").mkdir()
    (tmp_path / "0123.lock").mkdir()  # as unopenable as a file of another user
    assert Scratch(tmp_path).clear() == 0


def test_clearing_up_beside_processes_that_start_takes_no_folder_from_them(tmp_path: Path) -> None:
    stop = threading.Event()

    def clear_up() -> None:
        while not stop.is_set():
            Scratch(tmp_path).clear()

    cleaners = [threading.Thread(target=clear_up) for _ in range(2)]
    for cleaner in cleaners:
        cleaner.start()
    try:
        started = [Scratch(tmp_path) for _ in range(100)]
        folders = [scratch.new() for scratch in started]
        assert all(folder.is_dir() for folder in folders)
    finally:
        stop.set()
        for cleaner in cleaners:
            cleaner.join()
    assert all(folder.is_dir() for folder in folders)
