"""The status icon of a desktop: `dcor tray`. Needs `pip install dcor-appliance[tray]`.

It reads the data root where it may, and otherwise asks the server. The menu's texts are the numbers; the colour is the state.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw

from appliance.model.problem import Problem

COLOURS = {"ok": "#2e7d32", "warning": "#f9a825", "problem": "#c62828"}
_WORDS = {"ok": "everything is in order", "warning": "look at it when you have time", "problem": "needs attention"}
_SIZE = 64  # pixels
_EVERY = 15.0  # seconds
_LINE = 60  # characters of a line in the menu

Overview = Callable[[], dict[str, Any]]
Run = Callable[[list[str]], None]


def picture(state: str) -> Image.Image:
    """The icon: a channel with a cell in it, on a disc of the state's colour. 64 × 64 pixels, RGBA."""
    image = Image.new("RGBA", (_SIZE, _SIZE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((2, 2, 61, 61), fill=COLOURS[state])
    draw.line((6, 20, 57, 20), fill="white", width=3)
    draw.line((6, 43, 57, 43), fill="white", width=3)
    draw.ellipse((20, 24, 46, 39), fill="white")
    return image


@dataclass
class TrayColour:
    """What the icon shows, worked out from the overview; no desktop needed.

    :ivar told: events that were notified already and still last.
    """

    state: str = "problem"
    lines: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def update(self, data: dict[str, Any]) -> list[str]:
        """Take over new numbers; returns what the person should be told now (each event once)."""
        from appliance.health.overview import state_of

        self.state = state_of(data)
        jobs = data["jobs"]
        age = data["backup_age"]
        self.lines = [
            "Running" if data["running"] else "Not running",
            f"{jobs['running']} jobs running, {jobs['queued']} waiting, {jobs['failed']} failed",
            f"{data['disk_free'] / 1e9:.1f} GB of {data['disk_total'] / 1e9:.1f} GB free",
            "No backup yet" if age is None else f"Last backup {age / 3600:.0f} hours ago",
        ]
        return self._news({text for condition, text in _events(data) if condition})

    def lose(self, reason: str) -> list[str]:
        """There are no numbers to be had, which is a problem of its own; returns what the person should be told now."""
        self.state = "problem"
        self.lines = ["State unknown", reason[:_LINE]]
        return self._news({"The state of the appliance cannot be read."})

    def _news(self, events: set[str]) -> list[str]:
        new = sorted(events - self.told)
        self.told = events
        return new


def _events(data: dict[str, Any]) -> list[tuple[bool, str]]:
    days = data["certificate_days"]
    passed = next((limit for limit in (1, 7, 14, 30) if days is not None and days <= limit), None)
    return [
        (not data["running"], "The service does not answer."),
        (bool(data["jobs"]["failed"]), "A background job failed. See the jobs page."),
        (data["disk_free"] < data["disk_total"] / 10, "The disk is nearly full."),
        (passed is not None, f"The certificate expires within {passed} days."),
        *((True, f"{alarm['kind']}: {alarm['message']}") for alarm in data["alarms"]),
    ]


class Tray:
    """The icon with its menu.

    :param overview: gives the numbers of `dcor status`. :param url: of the web interface.
    :param run: starts a command in the background (`systemctl`, `dcor backup create`).
    """

    def __init__(self, overview: Overview, url: str, run: Run | None = None) -> None:
        import pystray

        self._overview = overview
        self._url = url
        self._run = run or _run
        self.light = TrayColour()
        self._ended = threading.Event()
        item = pystray.MenuItem
        self.icon = pystray.Icon(
            "dcor",
            picture(self.light.state),
            "DCOR",
            pystray.Menu(
                item("Open web interface", lambda: self.open(), default=True),
                pystray.Menu.SEPARATOR,
                *(item(self._line(number), None, enabled=False) for number in range(4)),
                pystray.Menu.SEPARATOR,
                item("Back up now", lambda: self._run(["dcor", "backup", "create"])),
                item("Start service", lambda: self._run(["systemctl", "start", "dcor.service"])),
                item("Stop service", lambda: self._run(["systemctl", "stop", "dcor.service"])),
                pystray.Menu.SEPARATOR,
                item("Quit", lambda: self.stop()),
            ),
        )

    def refresh(self) -> None:
        """Ask for the numbers, show them, and notify what is new."""
        try:
            events = self.light.update(self._overview())
        except (Problem, OSError, sqlite3.DatabaseError) as error:
            events = self.light.lose(str(error))
        self.icon.icon = picture(self.light.state)
        self.icon.title = f"DCOR: {_WORDS[self.light.state]}"
        self.icon.update_menu()
        for text in events:
            if self.icon.HAS_NOTIFICATION:
                self.icon.notify(text, "DCOR")

    def open(self) -> None:
        """Open the web interface in the browser."""
        webbrowser.open(self._url)

    def run(self) -> None:
        """Show the icon until `stop`; numbers are fetched every 15 seconds."""
        if sys.platform != "linux":
            self.icon.run(setup=self._refresh_periodically)  # macOS and Windows want it in the main thread
            return
        # Under X the loop does not always notice that its window is gone; nothing is lost by leaving it behind.
        threading.Thread(target=self.icon.run, args=(self._refresh_periodically,), daemon=True).start()
        self._ended.wait()

    def stop(self) -> None:
        """Take the icon away."""
        self.icon.visible = False
        if sys.platform != "linux":
            self.icon.stop()
        self._ended.set()

    def _refresh_periodically(self, icon: Any) -> None:
        icon.visible = True
        while True:
            self.refresh()
            if self._ended.wait(_EVERY):
                return

    def _line(self, number: int) -> Callable[[Any], str]:
        return lambda _item: self.light.lines[number] if number < len(self.light.lines) else ""


def _run(command: list[str]) -> None:
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
