"""Groups by hand and by a supplement on the page of a comparison, and the differences of medians that follow."""

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


def as_number(shown: str) -> float:
    """The number that a page writes as 1.284·10⁻⁵ or −0.01."""
    plain = shown.translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789"))
    return float(plain.replace("·10", "e"))


@pytest.fixture(scope="module")
def four(house: House) -> dict[str, Path]:
    """Four measurements of Ada's, of two species."""
    ada = house.people["ada"]
    made = ada.draft("lab", title="To be grouped", private=True)
    paths = [synthetic("--seed", str(seed), events=150) for seed in (41, 42, 43, 44)]
    files = {}
    for number, path in enumerate(paths):
        file = ada.add(made["id"], path, f"G{number}.rtdc")
        species = "human" if number % 2 else "mouse"
        assert ada.post("resource_patch", id=file["id"], **{"sp:cells:organism": species}).status == 200
        files[file["id"]] = path
    for one in files:
        house.appliance.jobs_done(one)
    return files


@pytest.mark.parametrize(("width", "theme"), [(1440, "dark"), (390, "light")])
def test_groups_by_hand_give_paired_differences(
    house: House, open_page: Open, four: dict[str, Path], width: int, theme: str
) -> None:
    page = open_page("ada", width=width, theme=theme)
    page.goto("/compare?f=deform&" + "&".join(f"r={one}" for one in four))
    assert page.locator(".compare-grouped").count() == 0
    page.get_by_text("Groups and reference").click()
    for number, (role, replicate) in enumerate(zip(["treatment", "control"] * 2, "1122", strict=True)):
        page.locator("select[name=role]").nth(number).select_option(role)
        page.locator("input[name=rep]").nth(number).fill(replicate)
    page.locator("select[name=ref]").select_option(index=1)
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**rep=2**")
    medians = []
    for path in four.values():
        with dclab.new_dataset(path) as ds:
            medians.append(float(np.median(ds["deform"][:])))
    shown = [row.split("\t") for row in page.locator(".compare-differences tbody tr").all_inner_texts()]
    assert [row[2] for row in shown] == ["Treatment 1", "Control 1", "Treatment 2", "Control 2"]
    assert [row[4] for row in shown][1] == "reference"
    assert as_number(shown[0][4]) == pytest.approx(medians[0] - medians[1], rel=1e-3)
    (row,) = [one.split("\t") for one in page.locator(".compare-grouped tbody tr").all_inner_texts()]
    wanted = (medians[0] + medians[2]) / 2 - (medians[1] + medians[3]) / 2
    assert as_number(row[3]) == pytest.approx(wanted, rel=1e-3)
    assert row[5] == "pairs of replicates, and events within them"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe.source() is None or axe.violations(page) == []
    with page.expect_download() as started:
        page.get_by_role("link", name="Events as CSV").click()
    lines = Path(started.value.path()).read_text().splitlines()
    assert len(lines) == 1 + 4 * 150
    assert ",treatment,1,1," in lines[1]


def test_groups_by_a_supplement_are_in_the_fields_and_can_be_changed(
    house: House, open_page: Open, four: dict[str, Path]
) -> None:
    page = open_page("ada")
    page.goto("/compare?f=deform&" + "&".join(f"r={one}" for one in four))
    page.get_by_text("Groups and reference").click()
    page.locator("select[name=by]").select_option("sp:cells:organism=mouse")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**by=sp**")

    def groups() -> list[str]:
        return [row.split("\t")[2] for row in page.locator(".compare-differences tbody tr").all_inner_texts()]

    assert groups() == ["Control", "Treatment"] * 2
    assert [one.input_value() for one in page.locator("select[name=role]").all()] == [""] * 4
    page.locator("select[name=by]").select_option("sp:cells:organism=human")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**by=sp**human**")
    assert groups() == ["Treatment", "Control"] * 2
    page.locator("select[name=by]").select_option("sp:cells:organism=mouse")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**by=sp**mouse**")
    assert page.locator(".compare-grouped tbody td").last.inner_text() == "measurements, and events within them"
    page.locator("select[name=role]").first.select_option("treatment")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**role=treatment&**")
    assert page.locator("select[name=role]").first.input_value() == "treatment"
    assert groups() == ["Treatment", "Treatment", "Control", "Treatment"]
    assert house.visitor("ada").get(f"/compare?r={next(iter(four))}&role=boss").status_code == 409
