"""What the keyboard does on every page, and moments in the reader's time zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.furnished import House

Open = Callable[..., Any]


def test_question_mark_shows_the_shortcuts_and_j_k_go_through_a_list(house: House, open_page: Open) -> None:
    page = open_page("ada")
    page.goto("/dataset")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keyboard shortcuts").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog", name="Keyboard shortcuts").is_hidden()
    titles = page.locator(".hit h3 a").all_inner_texts()
    assert len(titles) >= 2
    focused = "document.activeElement.textContent"
    page.keyboard.press("j")
    assert page.evaluate(focused) == titles[0]
    page.keyboard.press("j")
    assert page.evaluate(focused) == titles[1]
    page.keyboard.press("k")
    assert page.evaluate(focused) == titles[0]
    page.locator("main input[type=search]").first.press("j")
    assert page.locator("main input[type=search]").first.input_value() == "j", "what is typed is no shortcut"


def test_the_first_hit_is_ten_tabs_behind_the_skip_link(house: House, open_page: Open) -> None:
    page = open_page("ada")
    page.goto("/dataset")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _step in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.hit') !== null"):
            return
    raise AssertionError(page.evaluate("document.activeElement.outerHTML"))


def test_moments_are_shown_in_the_time_zone_of_the_reader(running: Any, house: House) -> None:
    context = running.new_context(
        ignore_https_errors=True, base_url=house.appliance.url, timezone_id="Asia/Tokyo", locale="en-GB"
    )
    context.add_cookies(
        [
            {
                "name": "__Host-dcor",
                "value": house.visitor("ada").http.cookies["__Host-dcor"],
                "url": house.appliance.url,
                "secure": True,
            }
        ]
    )
    page = context.new_page()
    page.goto(f"/dataset/{house.public['id']}")
    assert "GMT+9" in page.locator("time[datetime]", has_text="GMT").first.inner_text()
    context.close()
