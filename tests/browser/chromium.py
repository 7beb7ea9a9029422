"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--mute-audio",
)


def executable() -> str | None:
    """The browser's path (or ``DCOR_CHROMIUM``), None where there is none."""
    return os.environ.get("DCOR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def browser() -> Iterator[Any]:
    """A running browser. Raises RuntimeError where none is installed."""
    from playwright.sync_api import sync_playwright

    path = executable()
    if path is None or not Path(path).exists():
        raise RuntimeError("Chromium is not installed.")
    with sync_playwright() as driver:
        # Its socket lies in TMPDIR, which a service in this process has moved deep; a socket's path has 107 bytes.
        short = os.environ | {"TMPDIR": "/tmp"}
        running = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS), env=dict(short))
        try:
            yield running
        finally:
            running.close()
