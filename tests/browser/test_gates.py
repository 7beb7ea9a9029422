"""Gates in the explorer: drawn, named, combined, kept over other axes, undone, linked, saved, and as a file that dclab reads."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dclab
import pytest

from tests.browser import axe
from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import wait_for

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def cells(house: House, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The address of a measurement in an active private dataset of Ada's circle, and the file."""
    ada, path = house.people["ada"], synthetic("--seed", "5", events=800)
    dataset = ada.draft("lab", title="To be gated", private=True)["id"]
    file = ada.add(dataset, path, "G1.rtdc")["id"]
    house.appliance.jobs_done(file)
    ada.activate(dataset)
    return f"/dataset/{dataset}/resource/{file}", path


def opened(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#explorer[data-ready]")


def draw(page: Any, tool: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.get_by_role("button", name=tool, exact=True).click()
    box = page.locator("[data-plot]").bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def names(page: Any) -> list[str]:
    return list(page.locator("[data-gate=name]").evaluate_all("all => all.map(one => one.value)"))


def counted(page: Any, name: str) -> int:
    """Events of a gate, as the server has counted them."""
    cell = page.locator(f'[data-gate-row="{name}"] [data-gate=count]')
    wait_for(lambda: "(" in cell.inner_text(), seconds=20)
    return int(cell.inner_text().split()[0].replace(",", ""))


def test_gates_survive_other_axes_and_a_link_and_dclab_selects_the_same(
    cells: tuple[str, Path], open_page: Open, tmp_path: Path
) -> None:
    address, path = cells
    page = open_page("ada")
    opened(page, address)
    draw(page, "Box", (0.3, 0.3), (0.65, 0.75))
    draw(page, "Ellipse", (0.4, 0.2), (0.8, 0.6))
    draw(page, "Range", (0.35, 0.5), (0.6, 0.51))
    assert names(page) == ["Gate 1", "Gate 2", "Gate 3"]
    page.locator('[data-gate-row="Gate 2"] [data-gate=name]').fill("round")
    page.locator('[data-gate-row="Gate 2"] [data-gate=name]').press("Enter")
    page.get_by_text("Combine gates").click()
    page.locator("[data-gate-second]").select_option("round")
    page.locator("[data-gate-how]").select_option("without")
    page.get_by_role("button", name="Combine", exact=True).click()
    combined = "Gate 1 and not round"
    assert names(page)[-1] == combined
    before = {name: counted(page, name) for name in names(page)}
    assert 0 < before[combined] < before["Gate 1"]
    assert axe.source() is None or axe.violations(page) == []
    page.locator("[data-y]").select_option("bright_avg")
    page.wait_for_url("**y=bright_avg**")
    assert {name: counted(page, name) for name in names(page)} == before
    page.wait_for_selector(f'#explorer[data-exact="{combined}"]')
    assert page.locator("[data-selection]").inner_text().startswith(f"{before[combined]:,} of 800 events")
    with page.expect_download() as started:
        page.get_by_role("button", name=".poly").click()
    poly = tmp_path / "gate.poly"
    poly.write_bytes(Path(started.value.path()).read_bytes())
    dclab.PolygonFilter.clear_all_filters()
    with dclab.new_dataset(path) as ds:
        for one in dclab.PolygonFilter.import_all(poly):
            ds.polygon_filter_add(one)
        ds.apply_filter()
        assert int(ds.filter.all.sum()) == before[combined]
    page.locator("summary", has_text="Gallery").click()
    page.locator("[data-gallery-sort]").select_option("deform")
    page.get_by_label("Direction").select_option("down")
    page.wait_for_selector('.gallery-item[aria-label*="Deformation"]')
    page.locator(".gallery-item").first.click()
    first = page.locator("[data-number]").input_value()
    page.keyboard.press("ArrowRight")
    wait_for(lambda: page.locator("[data-number]").input_value() != first, seconds=20)
    with dclab.new_dataset(path) as ds:
        chosen = [
            int(one) for one in page.locator(".gallery-item").evaluate_all("all => all.map(one => one.dataset.event)")
        ]
        values = [float(ds["deform"][one]) for one in chosen]
    assert values == sorted(values, reverse=True)
    assert len(chosen) == min(48, before[combined])
    page.locator("summary", has_text="Export the events").click()
    page.get_by_role("button", name=".rtdc", exact=True).click()
    page.locator("[data-export-list] a").wait_for(timeout=60_000)
    assert axe.source() is None or axe.violations(page) == []
    with page.expect_download() as started:
        page.locator("[data-export-list] a").click()
    exported = tmp_path / "exported.rtdc"
    exported.write_bytes(Path(started.value.path()).read_bytes())
    with dclab.new_dataset(path) as ds, dclab.new_dataset(exported) as some:
        for one in dclab.PolygonFilter.instances:
            ds.polygon_filter_add(one)
        ds.apply_filter()
        assert list(some["deform"][:]) == list(ds["deform"][:][ds.filter.all])
    again = open_page("max")
    opened(again, page.url)
    assert names(again) == names(page)
    assert {name: counted(again, name) for name in names(again)} == before
    assert again.locator(f'[data-gate-row="{combined}"] [data-gate=choose]').is_checked()


def test_undo_redo_keyboard_and_shapes_without_area(cells: tuple[str, Path], open_page: Open) -> None:
    page = open_page("ada")
    opened(page, cells[0])
    page.locator("[data-plot]").focus()
    page.keyboard.press("Shift+Enter")
    assert names(page) == ["Gate 1"]
    page.keyboard.press("Control+z")
    assert names(page) == []
    page.keyboard.press("Control+Shift+z")
    assert names(page) == ["Gate 1"]
    page.get_by_text("Add a range by values").click()
    page.locator("[data-gate-feature]").select_option("deform")
    page.locator("[data-gate-min]").fill("0.05")
    page.get_by_role("button", name="Add", exact=True).click()
    assert names(page) == ["Gate 1", "Gate 2"]
    page.get_by_role("button", name="not Gate 2").click()
    assert counted(page, "Gate 2") < 800
    page.get_by_role("button", name="Delete Gate 2").click()
    page.get_by_role("button", name="Undo").click()
    assert names(page) == ["Gate 1", "Gate 2"]
    draw(page, "Box", (0.5, 0.5), (0.8, 0.5))
    wait_for(lambda: "has no area" in page.locator(".toast").inner_text(), seconds=10)
    assert names(page) == ["Gate 1", "Gate 2"]


def test_saved_gates_are_there_for_the_circle(cells: tuple[str, Path], open_page: Open) -> None:
    page = open_page("ada")
    opened(page, cells[0])
    draw(page, "Box", (0.3, 0.3), (0.65, 0.75))
    page.locator("summary", has_text="Saved gates").click()
    page.locator("[data-gate-setname]").fill("cells")
    page.get_by_label("for the circle").check()
    page.locator("[data-gate-save] button").click()
    wait_for(lambda: page.locator("[data-gate-saved] option").count() == 1, seconds=10)
    wanted = counted(page, "Gate 1")
    member = open_page("max")
    opened(member, cells[0])
    member.locator("summary", has_text="Saved gates").click()
    wait_for(lambda: member.locator("[data-gate-saved] option").count() == 1, seconds=10)
    assert member.locator("[data-gate-saved] option").inner_text() == "cells (ada)"
    member.get_by_role("button", name="Load").click()
    assert counted(member, "Gate 1") == wanted
    wait_for(lambda: "gates" in urllib.parse.parse_qs(urllib.parse.urlsplit(member.url).query), seconds=10)
    page.get_by_role("button", name="Delete", exact=True).click()
    wait_for(lambda: page.locator("[data-gate-saved] option").count() == 0, seconds=10)
