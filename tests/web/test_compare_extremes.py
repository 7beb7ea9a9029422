"""Files with values that no picture can show are compared all the same, and long descriptions cost little."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import h5py
import pytest

from appliance.web.pages.frame import markdown
from tests.support.furnished import PASSWORD, Visitor
from tests.support.samples import synthetic
from tests.support.server import Appliance


@pytest.mark.parametrize("values", [(-1.7e308, 1.7e308), (0.0, 5e-324)], ids=["extreme", "tiny"])
def test_values_that_cannot_be_drawn_leave_out_their_picture_only(
    appliance: Appliance, tmp_path: Path, values: tuple[float, float]
) -> None:
    path = tmp_path / "odd.rtdc"
    shutil.copy(synthetic(), path)
    with h5py.File(path, "r+") as file:
        del file["events/area_um"]
        file["events/area_um"] = [values[number % 2] for number in range(len(file["events/deform"]))]
    ada = appliance.person("ada", password=PASSWORD)
    ada.circle("lab")
    draft = ada.draft("lab")["id"]
    odd, plain = ada.add(draft, path, "odd.rtdc")["id"], ada.add(draft, synthetic(), "plain.rtdc")["id"]
    for one in (odd, plain):
        appliance.jobs_done(one)
    visitor = Visitor(appliance, "ada")
    alone = visitor.page(f"/compare?r={odd}&f=area_um&f=deform")
    assert "odd.rtdc" in alone
    assert alone.count("<polyline") == 1  # deformation
    both = visitor.page(f"/compare?r={odd}&r={plain}&f=area_um&f=deform")
    assert both.count("<polyline") >= 2


@pytest.mark.parametrize("piece", ["[", "![", "[a](", "![a]["])
def test_brackets_without_end_cost_no_seconds(piece: str) -> None:
    source = (piece * 50_000)[:49_990]
    before = time.process_time()
    for _ in range(20):
        assert "[" in markdown.render(source)
    assert time.process_time() - before < 5


def test_links_of_a_usual_description_are_links() -> None:
    assert markdown.render("[a](https://example.org) " * 1000).count("<a ") == 1000


@pytest.mark.parametrize("text", ["[" * 5000, '{"x": {"description": ["", "\\ud800"]}}', '{"x":' * 5000])
def test_json_in_addresses_and_forms_is_refused_however_deep(appliance: Appliance, text: str) -> None:
    ada = appliance.person("ada", password=PASSWORD)
    ada.circle("lab")
    draft = ada.draft("lab")["id"]
    file = ada.add(draft, synthetic(), "M1.rtdc")["id"]
    visitor = Visitor(appliance, "ada")
    assert visitor.get("/compare", params={"r": file, "g": text}).status_code in {400, 409, 414}
    answer = visitor.post(f"/dataset/{draft}/supplements", changes=text)
    assert answer.status_code in {400, 409}, answer.status_code
