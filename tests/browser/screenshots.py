"""``python -m tests.browser.screenshots [FOLDER]``: every page in both themes and two widths, for looking at.

Runs a furnished appliance of its own; the pictures go to ``screenshots/`` (ignored by git) unless another folder is named.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser import chromium
from tests.browser.test_accessibility import PAGES, address
from tests.support.house import PASSWORD, House
from tests.support.server import Appliance

WIDTHS = (1440, 390)
THEMES = ("light", "dark")


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root, chromium.browser() as browser:
        appliance = Appliance(Path(root) / "data")
        try:
            house = House(appliance)
            for theme in THEMES:
                for width in WIDTHS:
                    for name, paths in PAGES.items():
                        _take(browser, house, name, paths, folder, theme, width)
        finally:
            appliance.stop()


def _take(browser: Any, house: House, name: str, paths: tuple[str, ...], folder: Path, theme: str, width: int) -> None:
    context = browser.new_context(
        ignore_https_errors=True,
        base_url=house.appliance.url,
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        locale="de-DE" if theme == "dark" else "en-GB",
    )
    page = context.new_page()
    if name:
        page.goto("/user/login")
        page.locator("#f-login").fill(name)
        page.locator("#f-password").fill(PASSWORD)
        page.locator("main button").click()
        page.wait_for_url("**/")
    for path in paths:
        page.goto(address(path, house))
        page.wait_for_load_state("networkidle")
        if path == "FILE":
            page.wait_for_selector("#explorer[data-ready]")
            page.locator("[data-next]").click()
            page.wait_for_selector("[data-event-image]:not([hidden])")
        label = path.strip("/").replace("/", "_").translate(str.maketrans("", "", "{}?=")) or "front"
        page.screenshot(path=folder / f"{name or 'stranger'}-{label}-{width}-{theme}.png", full_page=True)
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("screenshots"))
