"""Instruments: medians over time with control limits that equal dclab's and numpy's numbers, made only of what one may read."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import dclab
import numpy as np
import pytest

from appliance.actions import sharing
from appliance.model.viewer import OPERATOR
from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import Appliance

DEVICE = "LAB/7 & more"


def _measured(day: int, kind: str) -> Path:
    """A file of that day, with numbers of its own."""
    return synthetic(
        "--setup", DEVICE, "--seed", str(day), "--date", f"2025-03-{day:02}", "--kind", kind, "--sample", f"{kind} of the day"
    )  # fmt: skip


#: Beads on twelve days, then something else by mistake.
FILES = {f"ref_{day:02}.rtdc": _measured(day, "beads" if day < 13 else "blood") for day in range(1, 14)}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    appliance = Appliance(tmp_path_factory.mktemp("instruments") / "data")
    yield House(appliance)
    appliance.stop()


@pytest.fixture(scope="module")
def dataset(house: House) -> str:
    """Beads measured on twelve days, and on the thirteenth something else; private, active, marked as reference by an editor."""
    ada = house.people["ada"]
    made = ada.draft("lab", title="Beads of each day", private=True)
    ids = [ada.add(made["id"], path, name)["id"] for name, path in FILES.items()]
    for one in ids:
        house.appliance.jobs_done(one)
    ada.activate(made["id"])
    answer = house.visitor("max").post(f"/dataset/{made['id']}/reference", on="yes")
    assert answer.status_code == 303
    return str(made["id"])


def device_page(house: House, name: str, query: str = "", language: str = "en") -> str:
    return house.visitor(name, language).page(f"/instrument?device=LAB%2F7+%26+more{query}")


def test_limits_and_deviations_equal_numpy_on_what_dclab_reads(house: House, dataset: str) -> None:
    page = device_page(house, "max", "&f=deform")
    medians = []
    for path in FILES.values():
        with dclab.new_dataset(path) as opened:
            medians.append(float(np.median(opened["deform"][:])))
    mean, sd = float(np.mean(medians)), float(np.std(medians, ddof=1))
    assert f"Mean {mean:.5g}, SD {sd:.3g}, from the first 13 reference medians" in page
    rows = re.findall(r'<td class="num">([\d.]+) <span class="muted small">\(([−\d.]+) SD\)', page)
    assert [row[0] for row in rows] == [f"{one:.6g}" for one in reversed(medians)]
    assert [row[1].replace("−", "-") for row in rows] == [f"{(one - mean) / sd:.3g}" for one in reversed(medians)]
    assert page.count('class="control-flagged"') == 1
    assert page.count('class="control-reference"') == 12
    assert "is out of control: Deformation." in page
    assert "more than 3 SD from the mean (rule 1-3s)" in page


def test_sample_and_date_narrow_what_the_limits_are_made_of(house: House, dataset: str) -> None:
    page = device_page(house, "max", "&f=deform&since=2025-03-09&sample=bead")
    assert "from the first 4 reference medians" in page
    assert "preliminary" in page


def test_only_what_one_may_read_is_listed_drawn_and_counted(house: House, dataset: str) -> None:
    name = html.escape(DEVICE)
    kim = house.visitor("kim")
    assert name in house.visitor("max").page("/instruments")
    assert name not in kim.page("/instruments")
    assert kim.get("/instrument?device=LAB%2F7+%26+more").status_code == 404
    sharing.share(house.appliance.context, OPERATOR, dataset, "kim", "editor")
    assert name in kim.page("/instruments")
    assert "13 measurements" in device_page(house, "kim")
    assert kim.post(f"/dataset/{dataset}/reference", on="").status_code == 403  # not for guests of one dataset
    sharing.unshare(house.appliance.context, OPERATOR, dataset, "kim")
    assert kim.get("/instrument?device=LAB%2F7+%26+more").status_code == 404
    assert kim.post(f"/dataset/{dataset}/reference", on="").status_code == 404


def test_the_switch_is_on_the_datasets_page_and_works_both_ways(house: House, dataset: str) -> None:
    editor = house.visitor("max")
    path = f"/dataset/{dataset}"
    assert "No longer use as reference" in editor.page(path)
    assert "Reference for its instruments" in editor.page(path)
    assert editor.post(f"{path}/reference").status_code == 303
    assert "Use as reference" in editor.page(path)
    page = device_page(house, "max")
    assert "is marked as a reference" in page
    assert page.count('class="control-other"') == 39  # three features, without limits
    assert editor.post(f"{path}/reference", on="yes").status_code == 303
    assert "control-reference" in device_page(house, "max")
    assert "Use as reference" not in house.visitor("eve").page(f"/dataset/{house.public['id']}")


def test_the_table_of_measurements_leads_there_and_german_is_complete(house: House, dataset: str) -> None:
    page = house.visitor("max").page("/measurements?c=device&sort=date&way=desc")
    assert 'href="/instrument?device=LAB%2F7+%26+more"' in page
    assert 'href="/instruments"' in page
    german = device_page(house, "max", language="de")
    assert "Regel 1-3s" in german
    assert "Mittelwert" in german
