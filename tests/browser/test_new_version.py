"""A new version is made on the page of an active dataset; both pages lead to each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser import axe
from tests.support.furnished import House
from tests.support.samples import synthetic

Open = Callable[..., Any]


def test_a_new_version_is_made_with_chosen_files_and_found_from_the_earlier_one(house: House, open_page: Open) -> None:
    ada = house.people["ada"]
    old = ada.draft("lab", title="To be extended", private=True)["id"]
    for name in ("M1.rtdc", "M2.rtdc"):
        ada.add(old, synthetic(), name)
    ada.activate(old)
    page = open_page("ada", width=1024)
    page.goto(f"/dataset/{old}")
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="New version").click()
    assert axe.source() is None or axe.violations(page) == []
    page.get_by_role("checkbox", name="M1.rtdc").uncheck()
    page.get_by_role("button", name="Create new version").click()
    page.get_by_text("The new version was created as a draft.").wait_for()
    new = page.url.rpartition("/")[2].partition("?")[0]
    assert [one["name"] for one in ada.get("package_show", id=new).result["resources"]] == ["M2.rtdc"]
    page.get_by_role("link", name="To be extended (").click()
    assert page.url.endswith(old)
    assert page.get_by_text("A newer version").count() == 0
    ada.activate(new)
    page.reload()
    page.get_by_text("A newer version of this dataset exists:").wait_for()
    page.get_by_role("link", name="To be extended (").click()
    assert page.url.endswith(new)
