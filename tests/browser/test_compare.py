"""Comparing measurements: tick on a dataset's page, read dclab's numbers, pass on the link."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dclab
import pytest
from dclab.statistics import get_statistics

from tests.browser import axe
from tests.support.furnished import House
from tests.support.judged import GRADES, measurement
from tests.support.samples import synthetic
from tests.support.server import wait_for

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def four(house: House, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Path]]:
    """A dataset of Ada's with four measurements: its id, and the files' ids and paths."""
    ada, folder = house.people["ada"], tmp_path_factory.mktemp("compared")
    made = ada.draft("lab", title="To be compared", private=True)
    paths = [measurement(folder, name) for name in GRADES if name != "broken"]
    paths += [synthetic("--seed", str(seed), events=120) for seed in (8, 9)]
    files = {ada.add(made["id"], path, f"C{n}_{path.name}")["id"]: path for n, path in enumerate(paths)}
    for one in files:
        house.appliance.jobs_done(one)
    return made["id"], files


def by_dclab(path: Path, low: float, high: float) -> dict[str, float]:
    """Events in a range of areas, and dclab's statistics of the deformation there."""
    with dclab.new_dataset(path) as ds:
        ds.config["filtering"]["area_um min"], ds.config["filtering"]["area_um max"] = low, high
        ds.apply_filter()
        header, values = get_statistics(ds, methods=["Mean", "Median", "Mode", "SD"], features=["deform"])
        assert len(header) == 4
        return dict(zip(("mean", "median", "mode", "sd"), values, strict=True)) | {"events": float(ds.filter.all.sum())}


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_four_files_compared_give_the_numbers_of_dclab(
    four: tuple[str, dict[str, Path]], open_page: Open, house: House, width: int, theme: str
) -> None:
    dataset, files = four
    page = open_page("ada", width=width, theme=theme)
    page.goto(f"/dataset/{dataset}")
    for box in page.locator("input[name=r]").all():
        box.check()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare?r=*")
    assert page.locator(".compare-files li").count() == 4
    page.locator("select[name=gate]").select_option("area_um")
    page.locator("input[name=gate_min]").fill("70")
    page.locator("input[name=gate_max]").fill("110")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**gate_max=110**")
    assert page.locator(".compare-chart polyline").count() == 8
    assert page.locator(".compare-chart polygon").count() == 8
    rows = page.locator(".compare-table tbody tr").all_inner_texts()
    assert len(rows) == 4 * 2 * 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe.source() is None or axe.violations(page) == []
    address = page.url
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV", exact=True).click()
    lines = list(csv.DictReader(io.StringIO(Path(started.value.path()).read_text())))
    for resource_id, path in files.items():
        (line,) = [one for one in lines if (one["id"], one["feature"]) == (resource_id, "deform") and one["gate"] != ""]
        wanted = by_dclab(path, 70, 110)
        assert {key: float(line[key]) for key in wanted} == wanted
        shown = [row for row in rows if path.name in row and "Deformation" in row and "area_um" in row]
        assert f"{wanted['median']:.6g}" in shown[0]
        assert f"{wanted['mean']:.6g}" in shown[0]
    again = open_page("max")
    again.goto(address)
    assert again.locator(".compare-table tbody tr").all_inner_texts() == rows
    stranger = open_page("eve")
    stranger.goto(address)
    wait_for(lambda: "None of these measurements is available to you." in stranger.content(), seconds=10)


def test_what_cannot_be_compared_says_so(four: tuple[str, dict[str, Path]], house: House) -> None:
    _dataset, files = four
    ada, first = house.visitor("ada"), next(iter(files))
    answer = ada.get("/compare?" + "&".join(f"r={number:032x}" for number in range(13)))
    assert answer.status_code == 409
    assert "Between 1 and 12 measurements" in answer.text
    assert ada.get(f"/compare?r={first}&f=<script>").status_code == 409
    assert "1 measurement of this link is not available to you." in ada.page(
        f"/compare?r={first}&r=00000000-0000-0000-0000-000000000000"
    )
    assert "Nothing to compare yet" in ada.page("/compare")
    assert house.visitor("eve").get(f"/compare.csv?r={first}").text.count("\n") == 1


def test_datasets_ticked_in_a_list_are_compared(house: House) -> None:
    answer = house.visitor("ada").post("/dataset/selection", id=house.public["id"], do="compare")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/compare?r={house.file['id']}"
