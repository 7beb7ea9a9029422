"""Young's modulus as an axis of the explorer, isoelasticity lines over area and deformation, and the same in a comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dclab
import numpy as np
import pytest

from tests.browser import axe
from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import wait_for

Open = Callable[..., Any]


def opened(page: Any, house: House, query: str = "") -> None:
    page.goto(f"/dataset/{house.public['id']}/resource/{house.file['id']}{query}")
    page.wait_for_selector("#explorer[data-ready]")


@pytest.mark.parametrize(
    ("width", "theme", "language"), [(1440, "light", "en-GB"), (390, "dark", "de-DE")], ids=["wide", "narrow"]
)
def test_lines_and_axis_follow_the_conditions_and_the_link_brings_them_back(
    house: House, open_page: Open, width: int, theme: str, language: str
) -> None:
    page = open_page("ada", width=width, theme=theme, language=language)
    opened(page, house)
    picture = "document.querySelector('[data-plot]').toDataURL()"
    bare = page.evaluate(picture)
    page.locator("[data-young] > summary").click()
    page.locator("[data-young-lines]").check()
    page.locator("[data-young-lut]").select_option("LE-2D-FEM-19")
    wait_for(lambda: "buyukurganci-2022" in page.locator("[data-young-note]").inner_text(), seconds=15)
    wait_for(lambda: page.evaluate("dcorExplorer.young.lines.length") > 3, seconds=15)
    wait_for(lambda: page.evaluate(picture) != bare, seconds=10)
    page.locator("[data-young-temperature]").fill("24")
    page.locator("[data-young-temperature]").blur()
    wait_for(lambda: "24 °C" in page.locator("[data-young-note]").inner_text(), seconds=15)
    page.locator("[data-y]").select_option("emodulus")
    page.wait_for_url("**y=emodulus**")
    shown = "Array.from(dcorExplorer.y, (value) => (Number.isFinite(value) ? value : null))"
    with dclab.new_dataset(synthetic()) as ds:
        ds.config["calculation"].clear()
        ds.config["calculation"].update(
            {
                "emodulus lut": "LE-2D-FEM-19",
                "emodulus medium": ds.config["setup"]["medium"],
                "emodulus temperature": 24.0,
                "emodulus viscosity model": "buyukurganci-2022",
            }
        )
        wanted = np.array(ds["emodulus"], dtype=np.float32)

    def same() -> bool:
        found = np.array([np.nan if one is None else one for one in page.evaluate(shown)], dtype=np.float32)
        return bool(np.array_equal(found, wanted, equal_nan=True))

    wait_for(same, seconds=15)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe.source() is None or axe.violations(page) == []
    again = open_page("max", width=width, theme=theme, language=language)
    again.goto(page.url)
    again.wait_for_selector("#explorer[data-ready]")
    assert again.locator("[data-y]").input_value() == "emodulus"
    assert again.locator("[data-young-temperature]").input_value() == "24"
    assert again.evaluate(shown) == page.evaluate(shown)
    page.locator("[data-young-lut]").select_option("")
    wait_for(lambda: "lut=" not in page.evaluate("location.search"), seconds=10)
    assert page.locator("option[value=emodulus]").count() == 0
    assert page.locator("[data-y]").input_value() in page.evaluate("dcorExplorer.columns.stored")


def test_a_comparison_computes_it_and_says_under_which_conditions(house: House, open_page: Open) -> None:
    page = open_page("ada")
    page.goto(f"/compare?r={house.file['id']}&f=deform")
    page.get_by_text("Young's modulus", exact=True).first.click()
    page.locator("select[name=lut]").select_option("HE-3D-FEM-22")
    page.locator("input[name=temperature]").fill("23")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**lut=HE-3D-FEM-22**")
    page.locator("input[name=f][value=emodulus]").check()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**f=emodulus**")
    assert "HE-3D-FEM-22, 0.59% MC-PBS, 23 °C (as entered)" in page.content()
    assert page.locator(".compare-table tbody tr").filter(has_text="Young's modulus").count() == 1
