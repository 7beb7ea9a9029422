"""Describing files of a draft: nothing is overwritten that the reader did not see named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser import axe
from tests.support.furnished import House
from tests.support.samples import synthetic

Open = Callable[..., Any]
ORGANISM, PASSAGE = "sp:cells:organism", "sp:cells:passage number"


def five(house: House, title: str) -> tuple[str, list[str]]:
    """A draft of Ada's with five measurements: its id and theirs. The second and the third say something already."""
    ada = house.people["ada"]
    made = ada.draft("lab", title=title, private=True)
    files = [ada.add(made["id"], synthetic(), f"M{number}.rtdc")["id"] for number in range(1, 6)]
    visitor = house.visitor("ada")
    for file, organism in ((files[1], "Homo sapiens"), (files[2], "Rattus norvegicus")):
        answer = visitor.post(f"/dataset/{made['id']}/resource/{file}/edit", **{ORGANISM: organism, PASSAGE: "7"})
        assert answer.status_code == 303
    return made["id"], files


def stored(house: House, dataset: str, key: str) -> list[Any]:
    """A field of all files of a dataset, in their order."""
    return [one.get(key) for one in house.people["ada"].get("package_show", id=dataset).result["resources"]]


def test_only_changed_fields_are_saved_for_all_after_a_summary(house: House, open_page: Open) -> None:
    dataset, files = five(house, "Five to describe")
    page = open_page("ada")
    page.goto(f"/dataset/{dataset}/resource/{files[0]}/edit")
    page.get_by_label("Organism").fill("Mus musculus")
    page.get_by_role("button", name="Save for all measurements").click()
    assert page.get_by_text("5 files, 2 values will be overwritten").is_visible()
    assert page.get_by_text("M3.rtdc: Rattus norvegicus").is_visible()
    assert axe.source() is None or axe.violations(page) == []
    assert stored(house, dataset, ORGANISM) == [None, "Homo sapiens", "Rattus norvegicus", None, None]
    page.get_by_role("button", name="Save for all measurements").click()
    page.get_by_text("Saved.").wait_for()
    assert stored(house, dataset, ORGANISM) == ["Mus musculus"] * 5
    assert stored(house, dataset, PASSAGE) == [None, 7, 7, None, None], "what was not changed stays"


def test_further_fields_can_be_copied_to_all_without_scripts(house: House, open_page: Open) -> None:
    dataset, files = five(house, "Five to copy")
    page = open_page("ada", scripts=False)
    page.goto(f"/dataset/{dataset}/resource/{files[1]}/edit")
    page.get_by_role("button", name="Save for all measurements").click()
    assert page.get_by_text("5 files, 0 values will be overwritten").is_visible()
    page.locator(f"input[name=field][value='{PASSAGE}']").check()
    page.get_by_role("button", name="Save for all measurements").click()
    assert stored(house, dataset, PASSAGE) == [7] * 5
    assert stored(house, dataset, ORGANISM) == [None, "Homo sapiens", "Rattus norvegicus", None, None]


def test_a_form_that_lay_open_does_not_put_old_values_back(house: House, open_page: Open) -> None:
    dataset, files = five(house, "Described by two")
    page = open_page("ada")
    page.goto(f"/dataset/{dataset}/resource/{files[1]}/edit")
    house.visitor("max").post(f"/dataset/{dataset}/resource/{files[1]}/edit", **{ORGANISM: "Danio rerio"})
    page.get_by_label("Passage number").fill("9")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved.").wait_for()
    assert stored(house, dataset, ORGANISM)[1] == "Danio rerio"
    assert stored(house, dataset, PASSAGE)[1] == 9


def test_values_that_changed_since_the_summary_are_shown_again(house: House) -> None:
    dataset, files = five(house, "Changed meanwhile")
    path = f"/dataset/{dataset}/resource/{files[0]}/edit"
    ada = house.visitor("ada")
    summary = ada.post(path, all="1", **{ORGANISM: "Mus musculus"}).text
    seen = summary.split('name="seen" value="')[1].split('"')[0]
    ada.post(f"/dataset/{dataset}/resource/{files[4]}/edit", **{ORGANISM: "Danio rerio"})
    again = ada.post(path, all="1", seen=seen, field=ORGANISM, **{ORGANISM: "Mus musculus"})
    assert again.status_code == 200
    assert "3 values will be overwritten" in again.text
    assert stored(house, dataset, ORGANISM)[4] == "Danio rerio"
