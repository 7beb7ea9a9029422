"""The table of all measurements: who sees what, filters, sorting, columns, CSV, and from ticks to a comparison."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser import axe
from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import wait_for

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def found(house: House) -> tuple[str, dict[str, str]]:
    """A draft of Ada's with two measurements that differ: its id, file name → id."""
    ada = house.people["ada"]
    made = ada.draft("lab", title="In the table", private=True)
    files = {
        "T1_slow.rtdc": ("--sample", "Tabular beads", "--flow-rate", "0.04", "--date", "2023-01-05"),
        "T2_fast.rtdc": ("--sample", "Tabular blood", "--flow-rate", "0.12", "--date", "2025-06-07", "--kind", "blood"),
    }
    ids = {name: ada.add(made["id"], synthetic(*options, events=130), name)["id"] for name, options in files.items()}
    for one in ids.values():
        house.appliance.jobs_done(one)
    return made["id"], ids


def names(page: Any) -> list[str]:
    return [text.strip() for text in page.locator(".measurement-table tbody th").all_inner_texts()]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_filter_sort_columns_csv_and_compare(
    found: tuple[str, dict[str, str]], open_page: Open, width: int, theme: str
) -> None:
    page = open_page("ada", width=width, theme=theme)
    page.goto("/dataset")
    page.get_by_role("link", name="All measurements").click()
    page.wait_for_url("**/measurements")
    page.locator("main input[type=search]").fill("tabular")
    page.locator("main form button.button-primary").click()
    page.wait_for_url("**q=tabular**")
    assert sorted(names(page)) == ["T1_slow.rtdc", "T2_fast.rtdc"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe.source() is None or axe.violations(page) == []
    page.get_by_role("link", name="Flow rate [µL/s]").click()
    page.wait_for_url("**sort=flow**")
    assert names(page) == ["T1_slow.rtdc", "T2_fast.rtdc"]
    page.get_by_role("link", name="Flow rate [µL/s]").click()
    page.wait_for_url("**way=desc**")
    assert names(page) == ["T2_fast.rtdc", "T1_slow.rtdc"]
    assert page.locator("th[aria-sort=descending]").count() == 1
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    lines = list(csv.DictReader(io.StringIO(Path(started.value.path()).read_text(encoding="utf-8"))))
    assert [line["name"] for line in lines] == ["T2_fast.rtdc", "T1_slow.rtdc"]
    assert lines[0]["sample"] == "Tabular blood"
    assert lines[0]["events"] == "130"
    assert lines[0]["verdict"] in {"good", "look", "bad"}
    assert float(lines[0]["deform"]) > 0
    for box in page.locator("input[name=r]").all():
        box.check()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare?**")
    assert page.locator(".compare-files li").count() == 2


def test_ranges_choices_and_columns_of_the_address(found: tuple[str, dict[str, str]], house: House) -> None:
    ada = house.visitor("ada")

    def listed(query: str) -> list[str]:
        text = ada.get(f"/measurements.csv?q=tabular&{query}").text
        return sorted(line["name"] for line in csv.DictReader(io.StringIO(text)))

    assert listed("flow_min=0.1") == ["T2_fast.rtdc"]
    assert listed("date_max=2024-01-01") == ["T1_slow.rtdc"]
    assert listed("region=reservoir") == []
    assert listed("device=zmdd-acc&events_max=130") == ["T1_slow.rtdc", "T2_fast.rtdc"]
    assert listed("medium=nothing") == []
    page = ada.page("/measurements?q=tabular&c=device")
    assert "ZMDD-AcC-demo00-000001" in page
    assert "Median area" not in page.split("<thead>")[1]


def test_only_what_one_may_read_is_listed_and_changes_show_at_once(
    found: tuple[str, dict[str, str]], house: House
) -> None:
    dataset, ids = found
    eve = house.visitor("eve")
    assert "T1_slow" not in eve.page("/measurements?q=tabular")
    house.share(dataset, "eve", "member")
    assert "T1_slow" in eve.page("/measurements?q=tabular")
    ada = house.people["ada"]
    changed = ada.post("resource_update", id=ids["T1_slow.rtdc"], **{"sp:cells:organism": "Danio rerio"}).result
    assert changed["sp:cells:organism"] == "Danio rerio"
    wait_for(lambda: "organism: Danio rerio" in eve.page("/measurements?q=danio&c=supplements"), seconds=10)
