"""Files of a draft are removed, renamed and put in order on the page, and every change can be undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser import axe
from tests.support.furnished import House
from tests.support.samples import synthetic

Open = Callable[..., Any]


def names(house: House, dataset: str) -> list[str]:
    """File names in their order."""
    return [one["name"] for one in house.people["ada"].get("package_show", id=dataset).result["resources"]]


def test_files_are_sorted_renamed_moved_and_removed_with_undo(house: House, open_page: Open, tmp_path: Path) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab", title="To be arranged", private=True)["id"]
    note = tmp_path / "note.txt"
    note.write_text("x")
    for name in ("M10.txt", "M2.txt", "M1.txt"):
        ada.add(made, note, name)
    measurement = ada.add(made, synthetic(), "M3.rtdc")
    house.visitor("ada").post(
        f"/dataset/{made}/resource/{measurement['id']}/edit", **{"sp:cells:organism": "Mus musculus"}
    )
    page = open_page("max")
    page.goto(f"/dataset/{made}/files")
    assert axe.source() is None or axe.violations(page) == []
    page.get_by_role("button", name="Sort by name").click()
    assert names(house, made) == ["M1.txt", "M2.txt", "M3.rtdc", "M10.txt"]
    page.get_by_role("button", name="Undo").click()
    assert names(house, made) == ["M10.txt", "M2.txt", "M1.txt", "M3.rtdc"]
    page.get_by_role("textbox", name="Name of M10.txt").fill("M2.txt")
    page.get_by_role("textbox", name="Name of M2.txt").fill("M10.txt")
    page.get_by_role("textbox", name="Place of M3.rtdc").fill("1")
    page.get_by_role("button", name="Save names and order").click()
    assert names(house, made) == ["M3.rtdc", "M2.txt", "M10.txt", "M1.txt"], "names can be exchanged"
    page.get_by_role("textbox", name="Place of M3.rtdc").fill("3")
    page.get_by_role("button", name="Save names and order").click()
    assert names(house, made) == ["M2.txt", "M10.txt", "M3.rtdc", "M1.txt"], "down, too, to the very place"
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("textbox", name="Name of M1.txt").fill("M1.csv")
    page.get_by_role("button", name="Save names and order").click()
    assert page.get_by_text("The file name must end with '.txt'").is_visible()
    assert names(house, made) == ["M3.rtdc", "M2.txt", "M10.txt", "M1.txt"]
    page.goto(f"/dataset/{made}/files")
    page.get_by_role("checkbox", name="Select M3.rtdc").check()
    page.get_by_role("checkbox", name="Select M10.txt").check()
    page.get_by_role("button", name="Remove selected files").click()
    assert page.get_by_text("2 files removed.").is_visible()
    assert names(house, made) == ["M2.txt", "M1.txt"]
    page.get_by_role("button", name="Undo").click()
    assert page.get_by_text("2 files restored.").is_visible()
    assert names(house, made) == ["M3.rtdc", "M2.txt", "M10.txt", "M1.txt"]
    back = ada.get("resource_show", id=measurement["id"]).result
    assert back["sp:cells:organism"] == "Mus musculus"
    assert (
        ada.fetch(f"/dataset/{made}/resource/{measurement['id']}/download/m3.rtdc").content == synthetic().read_bytes()
    )
    house.appliance.jobs_done(measurement["id"])


def test_only_editors_of_a_draft_arrange_its_files(house: House) -> None:
    made, file = house.dataset("Not to be touched", private=True)
    house.share(made["id"], "eve", "member")
    refused = house.visitor("eve").post(f"/dataset/{made['id']}/files", do="remove", id=file["id"])
    assert refused.status_code in (403, 404)
    active = house.visitor("ada").post(f"/dataset/{house.public['id']}/files", do="remove", id=house.file["id"])
    assert active.status_code in (404, 409)
    stranger = house.visitor("ada").post(f"/dataset/{made['id']}/files", do="remove", id=house.file["id"])
    assert stranger.status_code == 404
    assert names(house, made["id"]) == ["M1_beads.rtdc"]
    assert names(house, house.public["id"]) == ["M1_beads.rtdc"]
