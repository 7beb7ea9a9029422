"""The status icon: what it says and when it speaks up; once for real under a virtual X server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.tray import COLOURS, TrayColour, picture


def numbers(**changes: Any) -> dict[str, Any]:
    """An overview in which all is well, with changes."""
    good = {
        "running": True,
        "jobs": {"queued": 1, "running": 2, "failed": 0},
        "disk_free": 50e9,
        "disk_total": 100e9,
        "backup_age": 3600,
        "certificate_days": 3000,
        "alarms": [],
        "sandbox": {"used": True, "complete": True},
    }
    return good | changes


def test_colour_and_lines_follow_the_numbers() -> None:
    light = TrayColour()
    assert light.update(numbers()) == []
    assert light.state == "ok"
    assert light.lines == [
        "Running",
        "2 jobs running, 1 waiting, 0 failed",
        "50.0 GB of 100.0 GB free",
        "Last backup 1 hours ago",
    ]
    light.update(numbers(backup_age=None))
    assert (light.state, light.lines[3]) == ("warning", "No backup yet")
    light.update(numbers(running=False))
    assert (light.state, light.lines[0]) == ("problem", "Not running")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"running": False}, "does not answer"),
        ({"jobs": {"queued": 0, "running": 0, "failed": 1}}, "job failed"),
        ({"disk_free": 5e9}, "nearly full"),
        ({"certificate_days": 14}, "within 14 days"),
        ({"certificate_days": 0}, "within 1 days"),
        ({"alarms": [{"kind": "scrub", "message": "a file is bad"}]}, "a file is bad"),
    ],
)
def test_each_event_is_told_once_and_again_when_it_comes_back(changes: dict[str, Any], word: str) -> None:
    light = TrayColour()
    light.update(numbers())
    told = light.update(numbers(**changes))
    assert len(told) == 1
    assert word in told[0]
    assert light.update(numbers(**changes)) == []
    assert light.update(numbers()) == []
    assert light.update(numbers(**changes)) == told


def test_an_icon_that_knows_nothing_does_not_stay_green() -> None:
    light = TrayColour()
    light.update(numbers())
    assert light.lose("the data root is gone") == ["The state of the appliance cannot be read."]
    assert (light.state, light.lines) == ("problem", ["State unknown", "the data root is gone"])
    assert light.lose("still gone") == []
    assert light.update(numbers()) == []
    assert light.state == "ok"


@pytest.mark.parametrize("state", COLOURS)
def test_the_picture_has_the_colour_of_the_state(state: str) -> None:
    image = picture(state)
    red, green, blue, alpha = image.getpixel((32, 8))
    assert f"#{red:02x}{green:02x}{blue:02x}" == COLOURS[state]
    assert (image.size, alpha) == ((64, 64), 255)


@pytest.fixture
def display() -> Iterator[str]:
    """A virtual X server."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        yield ":" + os.read(reading, 16).decode().strip()
    finally:
        server.terminate()
        server.wait()
        os.close(reading)


def test_the_icon_appears_on_a_desktop(display: str) -> None:
    script = """
import threading
import time
from appliance.tray import Tray
from tests.test_tray import numbers
asked = threading.Event()
def overview():
    if not asked.is_set():
        asked.set()
        raise PermissionError("not yours")  # the next call is asked for all the same
    return numbers(disk_free=5e9)
commands = []
tray = Tray(overview, "https://localhost:8443", commands.append)
def look():
    assert asked.wait(30)
    deadline = time.monotonic() + 30
    while tray.icon.title != "DCOR: needs attention" and time.monotonic() < deadline:
        time.sleep(0.02)
    tray.refresh()
    print(tray.icon.title)
    print([str(item.text) for item in tray.icon.menu.items if str(item.text) != "- - - -"])
    next(item for item in tray.icon.menu.items if item.text == "Back up now")(tray.icon)
    print(commands)
    tray.stop()
threading.Thread(target=look, daemon=True).start()
tray.run()
print("ended")
"""
    env = os.environ | {"DISPLAY": display, "PYSTRAY_BACKEND": "xorg"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    title, menu, commands, ended = done.stdout.splitlines()
    assert title == "DCOR: look at it when you have time"
    assert "Running" in menu
    assert "5.0 GB of 100.0 GB free" in menu
    assert commands == "[['dcor', 'backup', 'create']]"
    assert ended == "ended"
