"""What rarely happens, as people see it: backups good and bad, a circle without datasets, failed jobs in German."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.every_state import Showroom
from tests.support.page_visits import show

Open = Callable[..., Any]


def test_backups_are_verified_and_say_what_is_wrong(showroom: Showroom, open_in_showroom: Open) -> None:
    page = open_in_showroom("root")
    page.goto("/admin/backups")
    rows = page.locator("tbody tr")
    assert rows.count() >= 3
    assert page.get_by_text("was changed after it was written").is_visible()
    assert page.locator(".report .dot-good").count() >= 1
    assert page.locator(".report .dot-bad").count() == 1
    form = page.locator(f"form[action='/admin/backups/{showroom.words['backup']}/verify']")
    form.get_by_role("button", name="Verify").click()
    page.get_by_text(f"The backup {showroom.words['backup']} is complete and unchanged.").wait_for()
    form = page.locator(f"form[action='/admin/backups/{showroom.words['damaged_backup']}/verify']")
    form.get_by_role("button", name="Verify").click()
    page.get_by_text("database.age differs from what was written: it is damaged or was changed.").wait_for()


def test_an_empty_circle_says_so_and_a_search_without_hits_says_something_else(
    showroom: Showroom, open_in_showroom: Open
) -> None:
    page = open_in_showroom("ada")
    page.goto("/organization/long-circle")
    assert page.get_by_text("No datasets here yet").is_visible()
    page.goto("/organization/lab?q=zzzz")
    assert page.get_by_text("No matching datasets").is_visible()
    page.get_by_role("link", name="Show all datasets").click()
    page.wait_for_url("**/organization/lab")


def test_a_failed_job_is_explained_in_german(showroom: Showroom, open_in_showroom: Open) -> None:
    page = open_in_showroom("ada", language="de-DE")
    show(page, "/dataset/{odd}/resource/{odd_4}", showroom)
    assert page.get_by_text("Metadaten fehlgeschlagen: Die Datei ist abgeschnitten: Ihr Ende fehlt.").first.is_visible()
