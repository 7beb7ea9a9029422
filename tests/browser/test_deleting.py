"""Drafts are deleted, several at once, and come back until they are purged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import axe
from tests.support.furnished import House

Open = Callable[..., Any]


@pytest.mark.parametrize("scripts", [True, False])
def test_drafts_are_deleted_in_bulk_and_restored(house: House, open_page: Open, scripts: bool) -> None:
    ada = house.people["ada"]
    made = [ada.draft("lab", title=f"In bulk {number} {scripts}", private=True)["id"] for number in range(3)]
    page = open_page("ada", scripts=scripts)
    page.goto("/dashboard?show=drafts")
    for one in made[:2]:
        page.locator(f"input[name=id][value='{one}']").check()
    page.get_by_role("button", name="Delete drafts").click()
    assert page.get_by_role("heading", name="Delete 2 drafts?").is_visible()
    assert page.get_by_text(f"In bulk 1 {scripts} (0 files)").is_visible()
    assert axe.source() is None or not scripts or axe.violations(page) == []
    assert [ada.get("package_show", id=one).result["state"] for one in made] == ["draft"] * 3
    page.get_by_role("button", name="Delete drafts").click()
    page.get_by_text("You can restore them until they are purged.").wait_for()
    assert [ada.get("package_show", id=one).result["state"] for one in made] == ["deleted", "deleted", "draft"]
    if scripts:
        assert page.locator("[data-bulk-count]").inner_text() == "0 selected"
    for one in made[:2]:
        page.locator(f"input[name=id][value='{one}']").check()
    page.get_by_role("button", name="Restore").click()
    page.get_by_text("Drafts restored.").wait_for()
    assert [ada.get("package_show", id=one).result["state"] for one in made] == ["draft"] * 3


def test_a_deleted_draft_is_restored_on_its_page(house: House, open_page: Open) -> None:
    made, _file = house.dataset("Deleted by mistake", private=True)
    page = open_page("max")
    page.goto(f"/dataset/{made['id']}/delete")
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("Draft deleted. You can restore it until it is purged.").wait_for()
    page.get_by_role("button", name="Restore").click()
    page.get_by_text("Draft restored.").wait_for()
    assert house.people["ada"].get("package_show", id=made["id"]).result["state"] == "draft"
