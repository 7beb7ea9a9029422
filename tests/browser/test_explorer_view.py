"""The explorer's plot is seen at once, scrolling a page is not caught, and the axes obey numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import axe
from tests.support.furnished import House
from tests.support.server import wait_for

Open = Callable[..., Any]


def opened(page: Any, house: House) -> None:
    page.goto(f"/dataset/{house.public['id']}/resource/{house.file['id']}")
    page.wait_for_selector("#explorer[data-ready]")


@pytest.mark.parametrize(("width", "height", "language"), [(1440, 900, "en-GB"), (390, 844, "de-DE")])
def test_the_whole_plot_is_visible_without_scrolling(
    house: House, open_page: Open, width: int, height: int, language: str
) -> None:
    page = open_page("ada", width=width, language=language)
    page.set_viewport_size({"width": width, "height": height})
    opened(page, house)
    box = page.locator("[data-plot]").bounding_box()
    assert page.evaluate("scrollY") == 0
    assert box["y"] + box["height"] <= height
    assert box["height"] >= 300
    assert axe.source() is None or axe.violations(page) == []


def test_the_wheel_scrolls_the_page_until_the_plot_is_clicked(house: House, open_page: Open) -> None:
    page = open_page("ada")
    opened(page, house)
    box = page.locator("[data-plot]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, 150)
    wait_for(lambda: page.evaluate("scrollY") > 0, seconds=10)
    assert "view=" not in page.url
    box = page.locator("[data-plot]").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -150)
    page.wait_for_url("**view=**")


def test_limits_by_number_and_reset_shows_every_event(house: House, open_page: Open) -> None:
    page = open_page("ada")
    opened(page, house)
    assert page.locator("[data-x] optgroup").count() >= 4
    assert page.locator("[data-x] option[value=area_um]").inner_text() == "Area [µm²]"
    page.get_by_text("Axis limits, contours").click()
    page.locator("[data-limit=xmin]").fill("80")
    page.locator("[data-limit=xmax]").fill("100")
    page.locator("[data-limit=xmax]").blur()
    page.wait_for_url("**view=80%2C100%2C**")
    page.locator("[data-limit=xmin]").fill("200")
    page.locator("[data-limit=xmin]").blur()
    assert page.locator("[data-limit=xmin]").get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="Reset view").click()
    page.wait_for_url("**view=all**")
    reaches = """() => { const {x, y, scatter} = dcorExplorer; const inside = (values, scale) =>
      values.every((value) => !Number.isFinite(value) || (value >= scale.low && value <= scale.high));
      return inside(x, scatter.scaleX) && inside(y, scatter.scaleY); }"""
    assert page.evaluate(reaches)
    again = open_page("max")
    again.goto(page.url)
    again.wait_for_selector("#explorer[data-ready]")
    assert again.evaluate(reaches)


def test_a_box_leads_to_exact_statistics_of_the_same_events(house: House, open_page: Open) -> None:
    page = open_page("ada")
    opened(page, house)
    page.get_by_role("button", name="Box").click()
    box = page.locator("[data-plot]").bounding_box()
    places = [(box["x"] + box["width"] * share, box["y"] + box["height"] * share) for share in (0.3, 0.7)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()
    wait_for(lambda: "selected" in page.locator("[data-selection]").inner_text(), seconds=10)
    chosen = page.locator("[data-selection]").inner_text().split()[0]
    page.get_by_role("link", name="Exact statistics").click()
    page.wait_for_url("**/compare?**")
    row = page.locator(".compare-table tbody tr").filter(has_text="Gate 1").first
    assert row.locator("td").nth(2).inner_text() == chosen
