"""Activating is final, so the page names what is wrong and asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser import axe
from tests.support import rtdc_hostile
from tests.support.every_state import with_a_patient
from tests.support.furnished import House

Open = Callable[..., Any]


def test_broken_files_block_unless_confirmed_by_name(house: House, open_page: Open, tmp_path: Path) -> None:
    ada = house.people["ada"]
    made, _file = house.dataset("With a truncated file", private=True, wait=True)
    cut, patient = tmp_path / "cut.rtdc", tmp_path / "patient.rtdc"
    rtdc_hostile.truncated(cut, tmp_path / "secret")
    with_a_patient(patient, tmp_path / "secret")
    broken = ada.add(made["id"], cut, "M2_cut.rtdc")
    named = ada.add(made["id"], patient, "M3_patient.rtdc")
    for file in (broken, named):
        house.appliance.jobs_done(file["id"])
    page = open_page("ada")
    page.goto(f"/dataset/{made['id']}/activate")
    assert page.get_by_text("2 valid measurements").is_visible()
    for said in ("Private: visible to members of its circle", "Lab", "This looks like personal data"):
        assert page.get_by_text(said).first.is_visible(), said
    page.get_by_role("button", name="Activate permanently").click()
    if page.get_by_label("Include M2_cut.rtdc although it is broken").count():
        assert (
            page.get_by_role("alert").inner_text().strip() == "Remove the broken files below, or confirm each of them."
        )
    assert axe.source() is None or axe.violations(page) == []
    assert ada.get("package_show", id=made["id"]).result["state"] == "draft"
    page.get_by_label("Include M2_cut.rtdc although it is broken").check()
    page.get_by_role("button", name="Activate permanently").click()
    assert page.get_by_role("alert").inner_text().strip() == "Check the personal data found below and confirm."
    assert page.get_by_label("Include M2_cut.rtdc although it is broken").is_checked()
    page.get_by_label("I have checked this and may store it here").check()
    page.get_by_role("button", name="Activate permanently").click()
    page.get_by_text("The dataset is now active.").wait_for()
    assert ada.get("package_show", id=made["id"]).result["state"] == "active"


def test_a_file_that_nothing_has_looked_into_is_checked_and_named(house: House, tmp_path: Path) -> None:
    """The jobs are not awaited: the verdict comes while the form is sent."""
    ada = house.people["ada"]
    made, _file = house.dataset("Not looked into", private=True)
    cut = tmp_path / "cut.rtdc"
    rtdc_hostile.truncated(cut, tmp_path / "secret")
    ada.add(made["id"], cut, "M2_cut.rtdc")
    answer = house.visitor("ada").post(f"/dataset/{made['id']}/activate")
    assert answer.status_code == 409
    assert "Include M2_cut.rtdc although it is broken" in answer.text
    assert ada.get("package_show", id=made["id"]).result["state"] == "draft"
