"""The verdict of a good, a drifting and a broken file in the browser, on wide and narrow screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import axe
from tests.support.furnished import House
from tests.support.judged import GRADES, measurement

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def files(house: House, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """A draft of Ada's with one file of each grade: its id, and the ids of the files."""
    ada, folder = house.people["ada"], tmp_path_factory.mktemp("judged")
    made = ada.draft("lab", title="Three verdicts", private=True)
    found = {name: ada.add(made["id"], measurement(folder, name))["id"] for name in GRADES}
    for one in found.values():
        house.appliance.jobs_done(one)
    return made["id"], found


@pytest.mark.parametrize(("width", "theme", "language"), [(1440, "light", "en-GB"), (390, "dark", "de-DE")])
def test_verdicts_are_told_in_words_and_curves(
    files: tuple[str, dict[str, str]], open_page: Open, width: int, theme: str, language: str
) -> None:
    page = open_page("ada", width=width, theme=theme, language=language)
    dataset, found = files
    page.goto(f"/dataset/{dataset}")
    words = ["Good", "Take a look", "Do not use"] if language == "en-GB" else ["Gut", "Bitte prüfen", "Nicht verwenden"]
    assert [text.strip() for text in page.locator(".resource-end .badge").all_inner_texts()] == words
    assert axe.source() is None or axe.violations(page) == []
    for (name, grade), kind in zip(GRADES.items(), ("good", "warn", "bad"), strict=True):
        page.goto(f"/dataset/{dataset}/resource/{found[name]}")
        assert page.locator(f".verdict-{kind}").is_visible(), grade
        page.locator(".verdict a").click()
        assert page.locator(".verdict-table .curve").count() >= 3
        assert page.locator(f".verdict-table .dot-{kind}").count() >= 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert axe.source() is None or axe.violations(page) == []
