"""Selecting several datasets in a list: ticks stay, are counted, and reach what the buttons do."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from appliance.actions import collecting, communities
from appliance.model.viewer import OPERATOR
from tests.browser import axe
from tests.support.furnished import House
from tests.support.server import wait_for

Open = Callable[..., Any]
BOXES = "input[name=id][form=bulk]"


@pytest.fixture(scope="module")
def crowd(house: House) -> list[str]:
    """25 datasets of Ada's in a circle of their own, more than one page holds; all in a collection of their own."""
    ada, context = house.people["ada"], house.appliance.context
    ada.circle("crowd")
    communities.create(context, OPERATOR, "collection", {"name": "crowded", "title": "Crowded"})
    communities.set_member(context, OPERATOR, "collection", "crowded", "ada", "admin")
    made = [ada.draft("crowd", title=f"Crowd {number:02d}", private=True)["id"] for number in range(25)]
    for one in made:
        with context.db.write() as tx:
            tx.execute("UPDATE dataset SET state = 'active' WHERE id = ?", (one,))
            from appliance.store import datasets

            datasets.touch(tx, one)
        collecting.add(context, OPERATOR, "crowded", [one])
    return made


def bar(page: Any, text: str) -> None:
    """Wait until the bar counts as `text` says."""
    wait_for(lambda: page.locator("[data-bulk-count]").inner_text() == text, seconds=15)


@pytest.mark.parametrize(
    "path", ["/dataset?organization=crowd&sort=title", "/organization/crowd?sort=title", "/group/crowded?sort=title"]
)
def test_ticks_stay_over_filtering_and_paging(crowd: list[str], open_page: Open, path: str) -> None:
    page = open_page("ada")
    page.goto(path)
    buttons = page.locator(".bulk button[form=bulk]")
    assert buttons.count() == 4
    assert all(button.is_disabled() for button in buttons.all())
    first, second = page.locator(BOXES).nth(0), page.locator(BOXES).nth(1)
    wanted = {first.get_attribute("value"), second.get_attribute("value")}
    first.check()
    second.focus()
    page.keyboard.press("Space")
    bar(page, "2 selected")
    assert all(button.is_enabled() for button in buttons.all())
    page.locator("main input[type=search]").fill("Crowd 07")
    wait_for(lambda: page.locator(".hit").count() == 1, seconds=15)
    bar(page, "2 selected")
    page.locator(BOXES).check()
    wanted.add(page.locator(BOXES).get_attribute("value"))
    page.locator("main input[type=search]").fill("")
    wait_for(lambda: page.locator(".hit").count() == 20, seconds=15)
    assert page.locator(f"{BOXES}:checked").count() == 3
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**page=2**")
    bar(page, "3 selected")
    page.get_by_role("button", name="Add to a collection").click()
    page.wait_for_url("**/dataset/selection")
    found = page.locator("input[name=id]").evaluate_all("boxes => boxes.map(box => box.value)")
    assert len(found) == 3
    assert set(found) == wanted


def test_all_of_a_page_are_selected_and_cleared(crowd: list[str], open_page: Open) -> None:
    page = open_page("ada", language="de-DE", width=390)
    page.goto("/organization/crowd?sort=title")
    every = page.locator("[data-bulk-all]")
    every.check()
    bar(page, "20 ausgewählt")
    page.locator(BOXES).first.uncheck()
    bar(page, "19 ausgewählt")
    assert every.evaluate("box => box.indeterminate && !box.checked")
    assert axe.source() is None or axe.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[data-bulk-clear]").click()
    bar(page, "0 ausgewählt")
    assert page.locator(f"{BOXES}:checked").count() == 0
    assert page.locator(".bulk button[form=bulk]").first.is_disabled()


def test_the_archive_holds_what_was_ticked(house: House, open_page: Open) -> None:
    page = open_page("ada")
    page.goto("/dataset?q=beads")
    page.get_by_label("Select Public beads").check()
    with page.expect_download() as started:
        page.get_by_role("button", name="Download as ZIP").click()
    with zipfile.ZipFile(started.value.path()) as archive:
        assert any("M1_beads.rtdc" in name for name in archive.namelist())


def test_selecting_works_without_scripts(house: House, open_page: Open) -> None:
    page = open_page("ada", scripts=False)
    page.goto("/dataset?q=beads")
    page.get_by_label("Select Public beads").check()
    page.get_by_role("button", name="Add to a collection").click()
    assert page.locator("main .linkrows a").all_inner_texts() == ["Public beads"]
    assert not page.locator("[data-bulk-all]").is_visible()


def test_too_many_are_refused_and_none_is_left_out_in_silence(house: House) -> None:
    visitor = house.visitor("ada")
    answer = visitor.post("/dataset/selection", id=[f"{number:036d}" for number in range(201)], do="zip")
    assert answer.status_code == 409
    assert "Select at most 200 datasets at once; you have selected 201." in answer.text
