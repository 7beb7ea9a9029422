"""Scratch folders belong to a process while it lives, and to nobody afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.jobs.scratch import Scratch, open_plain, remove_tree

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


def _deep(folder: Path, levels: int) -> None:
    """A chain of folders whose whole path is far longer than a path may be; as a child could make it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for level in range(levels):
        name = "d" * 200
        os.mkdir(name, 0o700, dir_fd=handle)
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=handle)
        if level % 2:
            os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=inner))
            os.fchmod(handle, 0)  # only now: an ordinary user may not add to it any more
        os.close(handle)
        handle = inner
    os.symlink("/", "outside", dir_fd=handle)
    os.mkfifo("fifo", dir_fd=handle)
    os.close(handle)


def test_a_tree_of_2000_levels_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "0123").mkdir()
    _deep(tmp_path / "0123", 2000)
    assert Scratch(tmp_path).clear() == 1
    assert list(tmp_path.iterdir()) == []


def test_removal_follows_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(precious)
    remove_tree(folder)
    assert not folder.exists()
    (tmp_path / "top").symlink_to(precious)
    remove_tree(tmp_path / "top")
    assert (precious / "file").exists()


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "folder"])
def test_only_plain_files_are_taken_from_a_child(tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret").touch()
    path = tmp_path / "result"
    {
        "link": lambda: path.symlink_to(tmp_path / "secret"),
        "hard link": lambda: path.hardlink_to(tmp_path / "secret"),
        "fifo": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }[kind]()
    with pytest.raises(OSError):
        open_plain(path)
