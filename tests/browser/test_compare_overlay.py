"""The overlay of a comparison: each measurement in its colour, lines of equal density, one plot for each; the link says it all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest

from tests.browser import axe
from tests.support.furnished import House
from tests.support.samples import synthetic

Open = Callable[..., Any]

#: Which series have pixels of their very colour in a canvas.
DRAWN = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add(`rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`);
  return [1, 2, 3].filter((number) => {
    const mark = document.querySelector(`.compare-files .series-${number}`);
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = mark ? getComputedStyle(mark).color : "transparent";
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
    return a && seen.has(`rgb(${r}, ${g}, ${b})`);
  });
}"""


@pytest.fixture(scope="module")
def two(house: House) -> dict[str, Path]:
    """Two measurements of Ada's: ids and paths."""
    ada = house.people["ada"]
    made = ada.draft("lab", title="To be laid over each other", private=True)
    paths = [synthetic("--seed", str(seed), events=400) for seed in (21, 22)]
    files = {ada.add(made["id"], path, f"O{n}.rtdc")["id"]: path for n, path in enumerate(paths)}
    for one in files:
        house.appliance.jobs_done(one)
    return files


def settled(page: Any, action: Callable[[], Any]) -> None:
    """Do something to the overlay and wait until it is drawn anew."""
    before = page.locator("#overlay").get_attribute("data-ready")
    action()
    page.wait_for_function("before => document.getElementById('overlay').dataset.ready !== before", arg=before)


@pytest.mark.parametrize(
    ("width", "theme", "language"), [(1440, "light", "en-GB"), (390, "dark", "de-DE")], ids=["wide", "narrow"]
)
def test_each_measurement_is_drawn_in_its_colour_and_the_link_brings_it_back(
    house: House, open_page: Open, two: dict[str, Path], width: int, theme: str, language: str
) -> None:
    page = open_page("ada", width=width, theme=theme, language=language)
    page.goto("/compare?" + "&".join(f"r={one}" for one in two))
    page.wait_for_selector("#overlay[data-ready]")
    assert page.locator("#overlay canvas").count() == 1
    assert page.locator("#overlay canvas").evaluate(DRAWN) == [1, 2]
    settled(page, lambda: page.locator("[data-lines]").uncheck())
    assert page.locator("#overlay canvas").evaluate(DRAWN) == [1, 2], "few points are as strong as the lines"
    settled(page, lambda: page.locator("[data-lines]").check())
    settled(page, lambda: page.locator("[data-points]").uncheck())
    assert page.locator("#overlay canvas").evaluate(DRAWN) == [1, 2], "the lines alone have the colours, too"
    settled(page, lambda: page.locator("[data-multiples]").check())
    drawn = [one.evaluate(DRAWN) for one in page.locator("#overlay canvas").all()]
    assert drawn == [[1], [2]]
    settled(page, lambda: page.locator("[data-y]").select_option("bright_avg"))
    settled(page, lambda: page.locator("[data-xlog]").check())
    page.locator("#overlay summary").click()
    rows = page.locator("#overlay [data-numbers] tr").all_inner_texts()
    assert [row.split("\t")[1:3] for row in rows] == [["400", "400"]] * 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe.source() is None or axe.violations(page) == []
    again = open_page("max", width=width, theme=theme, language=language)
    again.goto(page.url)
    again.wait_for_selector("#overlay[data-ready]")
    again.locator("#overlay summary").click()
    assert again.locator("#overlay [data-numbers] tr").all_inner_texts() == rows
    assert [one.evaluate(DRAWN) for one in again.locator("#overlay canvas").all()] == [[1], [2]]


def test_the_overlay_shows_the_events_of_the_first_gate_and_survives_the_form(
    house: House, open_page: Open, two: dict[str, Path]
) -> None:
    page = open_page("ada")
    page.goto("/compare?" + "&".join(f"r={one}" for one in two))
    page.wait_for_selector("#overlay[data-ready]")
    settled(page, lambda: page.locator("[data-x]").select_option("bright_avg"))
    page.locator("select[name=gate]").select_option("area_um")
    page.locator("input[name=gate_min]").fill("70")
    page.locator("input[name=gate_max]").fill("100")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**gate_max=100**")
    page.wait_for_selector("#overlay[data-ready]")
    assert page.locator("[data-x]").input_value() == "bright_avg"
    page.locator("#overlay summary").click()
    shown = [int(row.split("\t")[2]) for row in page.locator("#overlay [data-numbers] tr").all_inner_texts()]
    wanted = []
    for path in two.values():
        with dclab.new_dataset(path) as ds:
            wanted.append(int(np.count_nonzero((ds["area_um"][:] >= 70) & (ds["area_um"][:] <= 100))))
    assert shown == wanted
