"""The verdict on pages, in lists, in the search and by the API; a job that failed does not hide it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from appliance.store import verdicts
from tests.support.furnished import House
from tests.support.judged import GRADES, measurement

Judged = dict[str, tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture(scope="module")
def judged(house: House, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """A dataset of Ada's with a good file, one with a drifting file (both active), and a draft with a broken one."""
    ada, folder, found = house.people["ada"], tmp_path_factory.mktemp("judged"), {}
    for name in GRADES:
        made = ada.draft("lab", title=f"Verdict {name}", private=True)
        file = ada.add(made["id"], measurement(folder, name))
        house.appliance.jobs_done(file["id"])
        if name != "broken":
            ada.activate(made["id"])
        found[name] = (made, file)
    return found


def file_page(house: House, judged: Judged, name: str, language: str = "en") -> str:
    made, file = judged[name]
    return house.visitor("ada", language).page(f"/dataset/{made['id']}/resource/{file['id']}")


def test_the_page_of_a_file_says_it_in_one_line_and_tells_why(house: House, judged: Judged) -> None:
    assert "Good: no problems found in the data." in file_page(house, judged, "good")
    page = file_page(house, judged, "drifting")
    assert "Take a look at: Brightness" in page
    assert "The brightness drifts by" in page
    assert page.count("<polyline") >= 4
    page = file_page(house, judged, "broken")
    assert "Do not use, because: " in page
    assert "deform" in page.split("Do not use, because: ")[1][:300]
    assert "Nicht verwenden, denn: " in file_page(house, judged, "broken", "de")


def test_a_failed_job_does_not_hide_it(house: House, judged: Judged) -> None:
    _made, file = judged["good"]
    with house.appliance.context.db.write() as tx:
        tx.execute("UPDATE job SET state = 'failed', error = 'lost' WHERE resource_id = ?", (file["id"],))
    page = file_page(house, judged, "good")
    assert "Good: no problems found in the data." in page
    with house.appliance.context.db.write() as tx:
        tx.execute("UPDATE job SET state = 'done', error = '' WHERE resource_id = ?", (file["id"],))


def test_a_file_without_a_verdict_says_why(house: House, judged: Judged, tmp_path: Path) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab", title="Verdict of rubbish", private=True)
    rubbish = tmp_path / "rubbish.rtdc"
    rubbish.write_bytes(b"no measurement at all\n" * 100)
    file = ada.add(made["id"], rubbish)
    house.appliance.jobs_done(file["id"])
    page = house.visitor("ada").page(f"/dataset/{made['id']}/resource/{file['id']}")
    assert "Do not use, because: " in page
    with house.appliance.context.db.write() as tx:
        tx.execute("DELETE FROM verdict WHERE resource_id = ?", (file["id"],))
    page = house.visitor("ada").page(f"/dataset/{made['id']}/resource/{file['id']}")
    assert "No verdict, because the file could not be read: " in page


def test_datasets_lists_and_the_facet_show_it(house: House, judged: Judged) -> None:
    ada = house.visitor("ada")
    assert "Do not use</span>" in ada.page(f"/dataset/{judged['broken'][0]['id']}")
    assert "1 file: take a look" in ada.page("/dataset?q=Verdict")
    page = ada.page("/dataset?verdict=look&q=Verdict")
    assert "Verdict drifting" in page
    assert "Verdict good" not in page
    assert "Take a look" in page


def test_the_api_gives_it_and_searches_by_it(house: House, judged: Judged) -> None:
    ada = house.people["ada"]
    for name, grade in GRADES.items():
        answer = ada.get("dcor_verdict", id=judged[name][1]["id"]).result
        assert answer["verdict"] == grade
        assert {one["verdict"] for one in answer["checks"]} >= {grade}
    found = ada.get("package_search", fq="verdict:good", q="Verdict", include_private=True).result
    assert [one["title"] for one in found["results"]] == ["Verdict good"]
    assert house.people["eve"].get("dcor_verdict", id=judged["good"][1]["id"]).status == 404


def test_other_limits_judge_anew_without_reading_files(house: House, judged: Judged) -> None:
    context = house.appliance.context
    limits = dataclasses.asdict(context.settings.verdict)
    with context.db.write() as tx:
        verdicts.set_limits(tx, limits | {"brightness_drift": 100})
    ada = house.people["ada"]
    try:
        found = ada.get("package_search", fq="verdict:look", q="Verdict", include_private=True).result
        assert found["count"] == 0
    finally:
        with context.db.write() as tx:
            assert verdicts.set_limits(tx, limits) == 1
    assert ada.get("package_search", fq="verdict:look", q="Verdict", include_private=True).result["count"] == 1
