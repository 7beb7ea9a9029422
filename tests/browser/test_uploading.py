"""Uploading: choose, describe, start; what the page says is what happened."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser import axe
from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import wait_for

Open = Callable[..., Any]


def test_nothing_is_sent_before_start_and_what_is_typed_meanwhile_reaches_the_files(
    house: House, open_page: Open, tmp_path: Path
) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab", title="Chosen, described, started", private=True)
    measurement, wrong = tmp_path / "M1.rtdc", tmp_path / "letter.docx"
    measurement.write_bytes(synthetic().read_bytes())
    wrong.write_bytes(b"x")
    page = open_page("ada", width=390)
    sent: list[str] = []
    held: list[Any] = []
    page.route(re.compile(r"/upload/browser$"), lambda route: (sent.append(route.request.url), route.continue_()))
    page.route(re.compile(r"/upload/browser/[^/]+$"), lambda route: held.append(route))
    page.goto(f"/dataset/{made['id']}/upload")
    page.locator("[data-files]").set_input_files([str(measurement), str(wrong)])
    organism = page.get_by_label("Organism")
    assert organism.is_visible(), "the form to describe them is open"
    assert sent == []
    assert page.get_by_text("Not started").is_visible()
    assert axe.source() is None or axe.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Start upload").click()
    wait_for(lambda: page.evaluate("1") and held, seconds=30)
    organism.fill("Danio rerio")
    page.unroute(re.compile(r"/upload/browser/[^/]+$"))
    held.pop().continue_()
    page.wait_for_selector("[data-state=done]", timeout=60_000)
    (file,) = ada.get("package_show", id=made["id"]).result["resources"]
    assert file["sp:cells:organism"] == "Danio rerio"
    assert page.locator("[data-finished]").is_hidden(), "one file was refused"
    assert "1 failed" in page.locator("[data-total]").inner_text()
    page.get_by_role("button", name="Remove letter.docx from the list").click()
    page.wait_for_selector("[data-finished]:not([hidden])")


def test_a_paused_upload_says_so_and_goes_on(house: House, open_page: Open, tmp_path: Path) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab", title="Paused", private=True)
    table = tmp_path / "table.csv"
    table.write_bytes(b"0,1\n" * 1000)
    page = open_page("ada")
    held: list[Any] = []
    page.route(re.compile(r"/upload/browser/[^/]+$"), lambda route: held.append(route))
    page.goto(f"/dataset/{made['id']}/upload")
    page.locator("[data-files]").set_input_files([str(table)])
    page.get_by_role("button", name="Start upload").click()
    wait_for(lambda: page.evaluate("1") and held, seconds=30)
    page.get_by_role("button", name="Pause").click()
    wait_for(lambda: page.locator("[data-list] .state").inner_text() == "Paused", seconds=15)
    assert page.locator("[data-rate]").inner_text() == ""
    assert page.locator("[data-finished]").is_hidden()
    page.unroute(re.compile(r"/upload/browser/[^/]+$"))
    page.get_by_role("button", name="Resume").click()
    page.wait_for_selector("[data-finished]:not([hidden])", timeout=60_000)
    assert len(ada.get("package_show", id=made["id"]).result["resources"]) == 1
