"""``python -m tests.browser.screenshots [FOLDER]``: every page in both themes and languages and three widths, for looking at.

Runs a showroom of its own, an appliance in which everything has happened once; the pictures go to ``screenshots/`` (ignored by git) unless another folder is named.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser import chromium
from tests.support.every_state import Showroom
from tests.support.furnished import PASSWORD
from tests.support.page_visits import PAGES, label, show

WIDTHS = (1440, 1024, 390)
THEMES = ("light", "dark")
LANGUAGES = ("en-GB", "de-DE")


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root, chromium.browser() as browser:
        showroom = Showroom(Path(root))
        try:
            for theme, language, width, name in itertools.product(THEMES, LANGUAGES, WIDTHS, PAGES):
                _take(browser, showroom, name, folder, theme, language, width)
        finally:
            showroom.appliance.stop()


def _take(browser: Any, showroom: Showroom, name: str, folder: Path, theme: str, language: str, width: int) -> None:
    context = browser.new_context(
        ignore_https_errors=True,
        base_url=showroom.appliance.url,
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        locale=language,
    )
    page = context.new_page()
    if name:
        page.goto("/user/login")
        page.locator("#f-login").fill(name)
        page.locator("#f-password").fill(PASSWORD)
        page.locator("main button").click()
        page.wait_for_url("**/")
    for entry in PAGES[name]:
        show(page, entry, showroom)
        page.screenshot(
            path=folder / f"{name or 'stranger'}-{label(entry)}-{width}-{theme}-{language[:2]}.png", full_page=True
        )
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("screenshots"))
