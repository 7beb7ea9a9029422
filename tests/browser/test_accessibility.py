"""axe-core finds nothing to complain about, in both themes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import axe
from tests.support.house import House
from tests.support.pages_table import filled

PAGES = {
    "": ("/", "/user/login", "/connect", "/about", "/help", "/contact", "/imprint", "/privacy", "/nothing-here"),
    "ada": (
        "/", "/dataset", "/dataset?q=zzzz", "/organization", "/organization/lab", "/organization/lab/about", "/organization/lab/members",
        "/organization/lab/edit", "/organization/new", "/group", "/group/study", "/dashboard", "/dashboard?show=drafts", "/upload",
        "/dataset/{public}", "/dataset/{public}/edit", "/dataset/{public}/share", "/dataset/{public}/collections",
        "/dataset/{draft}", "/dataset/{draft}/edit", "/dataset/{draft}/activate", "/dataset/{draft}/delete", "/dataset/{draft}/upload",
        "/dataset/{draft}/resource/{draft_file}/edit", "/user/ada", "/user/ada/sessions", "/user/ada/api-tokens", "/user/ada/access-file",
        "FILE",
    ),
    "root": (
        "/admin", "/admin/users", "/admin/users/new", "/admin/users/ada", "/admin/jobs", "/admin/storage", "/admin/backups",
        "/admin/certificate", "/admin/audit", "/admin/incidents", "/admin/notices", "/admin/settings",
    ),
}  # fmt: skip


def address(path: str, house: House) -> str:
    """The path with the ids of the house; FILE is a measurement whose jobs are done."""
    if path == "FILE":
        return f"/dataset/{house.public['id']}/resource/{house.file['id']}"
    return filled(path, house)


@pytest.mark.slow
@pytest.mark.skipif(axe.source() is None, reason="axe-core cannot be fetched")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_violations(house: House, open_page: Callable[..., Any], name: str, theme: str) -> None:
    page = open_page(name, theme=theme)
    found: dict[str, list[str]] = {}
    for path in PAGES[name]:
        page.goto(address(path, house))
        page.wait_for_load_state("networkidle")
        if path == "FILE":
            page.wait_for_selector("#explorer[data-ready]")
            page.locator("[data-next]").click()
            page.wait_for_selector("[data-event-image]:not([hidden])")
        problems = axe.violations(page)
        if problems:
            found[path] = problems
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


@pytest.mark.parametrize("width", [360, 768, 2560])
def test_no_page_is_wider_than_the_screen(house: House, open_page: Callable[..., Any], width: int) -> None:
    wide = {}
    for name in ("ada", "root"):
        page = open_page(name, width=width)
        for path in PAGES[name]:
            page.goto(address(path, house))
            found = page.evaluate("document.documentElement.scrollWidth")
            if found > width:
                wide[path] = found
    assert wide == {}
