"""axe-core finds nothing to complain about, in both themes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import axe
from tests.support.every_state import Showroom
from tests.support.furnished import House
from tests.support.page_visits import PAGES, show


@pytest.mark.slow
@pytest.mark.timeout(1500)  # some fifty pages each
@pytest.mark.skipif(axe.source() is None, reason="axe-core cannot be fetched")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_violations(showroom: Showroom, open_in_showroom: Callable[..., Any], name: str, theme: str) -> None:
    page = open_in_showroom(name, theme=theme)
    found: dict[str, list[str]] = {}
    for entry in PAGES[name]:
        show(page, entry, showroom)
        problems = axe.violations(page)
        if problems:
            found[entry] = problems
    assert found == {}


def test_everything_can_be_reached_by_keyboard(house: House, open_page: Callable[..., Any]) -> None:
    page = open_page("ada")
    page.goto("/dataset")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.locator(".header-end summary").last.focus()
    page.keyboard.press("Enter")
    assert page.locator(".menu[open] a").count() >= 3
    page.keyboard.press("Escape")
    assert page.locator(".menu[open]").count() == 0


@pytest.mark.slow
@pytest.mark.timeout(1500)  # some fifty pages each
@pytest.mark.parametrize("width", [360, 768, 2560])
def test_no_page_is_wider_than_the_screen(showroom: Showroom, open_in_showroom: Callable[..., Any], width: int) -> None:
    wide = {}
    for name in PAGES:
        page = open_in_showroom(name, width=width, language="de-DE")
        for entry in PAGES[name]:
            show(page, entry, showroom)
            found = page.evaluate("document.documentElement.scrollWidth")
            if found > width:
                wide[entry] = found
    assert wide == {}
