"""Lines of equal density and the time course of the explorer: what is drawn is what the numbers say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dclab
import numpy as np
import pytest

from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import wait_for

Open = Callable[..., Any]

MODULE = """async (name) => {
  const main = document.querySelector('script[type=module][src*="explorer/main"]').src;
  return new URL(name, main).href;
}"""


def opened(page: Any, house: House, query: str = "") -> None:
    page.goto(f"/dataset/{house.public['id']}/resource/{house.file['id']}{query}")
    page.wait_for_selector("#explorer[data-ready]")


def test_lines_of_a_round_cloud_are_circles_of_the_right_size(house: House, open_page: Open) -> None:
    page = open_page("ada")
    opened(page, house)
    rng = np.random.default_rng(4)
    cloud = rng.normal(0.5, 0.08, size=(2, 60_000))
    found = page.evaluate(
        """async ([address, px, py]) => {
          const {contours} = await import(address);
          return contours(Float32Array.from(px), Float32Array.from(py)).map(({level, segments}) =>
            ({level, radii: segments.map(([x, y]) => Math.hypot(x - 0.5, y - 0.5))}));
        }""",
        [page.evaluate(MODULE, "contours.js"), *cloud.tolist()],
    )
    assert [one["level"] for one in found] == [0.05, 0.2, 0.4, 0.6, 0.8]
    # two box blurs of 7 cells (of 160) widen the cloud by the variance of a cell's 2 · (7² − 1) / 12
    sigma = np.hypot(0.08, np.sqrt(2 * (49 - 1) / 12) / 160)
    for one in found[:3]:
        assert np.median(one["radii"]) == pytest.approx(sigma * np.sqrt(-2 * np.log(one["level"])), rel=0.04)


def test_lines_are_drawn_remembered_and_gone_again(house: House, open_page: Open) -> None:
    page = open_page("ada")
    opened(page, house)
    picture = "document.querySelector('[data-plot]').toDataURL()"
    bare = page.evaluate(picture)
    page.get_by_text("Axis limits, contours").click()
    page.locator("[data-contours]").check()
    wait_for(lambda: page.evaluate(picture) != bare, seconds=10)
    assert page.evaluate("dcorExplorer.lines.some(({segments}) => segments.length > 10)")
    assert "show=contours" in page.url
    again = open_page("max")
    opened(again, house, "?show=contours")
    assert again.locator("[data-contours]").is_checked()
    assert again.evaluate("dcorExplorer.lines.length") == 5
    page.locator("[data-contours]").uncheck()
    wait_for(lambda: page.evaluate(picture) == bare, seconds=10)


def test_the_time_course_has_the_medians_and_rates_of_the_file(house: House, open_page: Open) -> None:
    page = open_page("ada")
    opened(page, house)
    page.locator("[data-course] > summary").click()
    page.locator("[data-course-feature]").select_option("area_um")
    page.locator("[data-course] details summary").click()
    rows = page.locator("[data-course-table] tr")
    wait_for(lambda: rows.count() == 10, seconds=10)
    with dclab.new_dataset(synthetic()) as ds:
        times, areas = (np.asarray(ds[name][:], dtype=np.float32).astype(float) for name in ("time", "area_um"))
    edges = np.linspace(times.min(), times.max(), 11)

    def wanted() -> list[tuple[float, float]]:
        found = []
        for part in range(10):
            last = part == 9
            inside = (times >= edges[part]) & ((times <= edges[part + 1]) if last else (times < edges[part + 1]))
            found.append(
                (inside.sum() / (edges[1] - edges[0]), float(np.median(areas[inside])) if inside.any() else np.nan)
            )
        return found

    def number(text: str) -> float:
        return np.nan if text == "–" else float(text.replace(",", ""))

    def shown() -> list[tuple[float, float]]:
        cells = [[number(one) for one in row.split("\t")[1:]] for row in rows.all_inner_texts()]
        return [(rate, median) for rate, median in cells]

    wait_for(lambda: np.allclose(shown(), wanted(), rtol=2e-3, equal_nan=True), seconds=10)
    median = page.evaluate(
        """async ([address, times, values]) => {
          const {runningMedian} = await import(address);
          return runningMedian(Float32Array.from(times), Float32Array.from(values), 15, 1);
        }""",
        [page.evaluate(MODULE, "course.js"), times.tolist(), areas.tolist()],
    )
    for place, (_time, value) in enumerate(median):
        assert value == pytest.approx(np.median(areas[max(0, place - 7) : place + 8]))
    assert page.evaluate(
        "(() => { const c = document.querySelector('[data-course-plot]'); return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size > 5; })()"
    )
