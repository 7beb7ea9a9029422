"""Administrators change settings on the page; it works with the keyboard and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser import axe
from tests.support.furnished import House

Open = Callable[..., Any]


def test_a_setting_is_changed_and_taken_back(house: House, open_page: Open) -> None:
    page = open_page("root", scripts=False)
    page.goto("/admin/settings")
    page.get_by_role("textbox", name="web.contact").fill("Room 12")
    page.get_by_role("button", name="Save web.contact").click()
    assert page.get_by_text("The setting was changed. It is in effect now.").is_visible()
    page.goto("/contact")
    assert page.get_by_text("Room 12").is_visible()
    page.goto("/admin/settings")
    page.get_by_role("button", name="Reset to file web.contact").click()
    page.goto("/contact")
    assert page.get_by_text("Room 12").count() == 0


def test_a_wrong_value_is_refused_beside_its_field(house: House, open_page: Open) -> None:
    page = open_page("root", width=390)
    page.goto("/admin/settings")
    page.get_by_role("textbox", name="depot.max_upload").fill("much")
    page.get_by_role("button", name="Save depot.max_upload").click()
    field = page.get_by_role("textbox", name="depot.max_upload")
    assert (field.get_attribute("aria-invalid"), field.input_value()) == ("true", "much")
    assert axe.source() is None or axe.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
