"""The table of supplementary metadata: like a spreadsheet with scripts, as CSV without."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser import axe
from tests.browser.test_describing import ORGANISM, PASSAGE, five, stored
from tests.support.furnished import House

Open = Callable[..., Any]
FIXED = "sp:cells:fixed"


def cell(page: Any, row: int, label: str) -> Any:
    """The cell of a file (from 0) below a heading."""
    headings = page.locator("#sheet thead tr").nth(1).locator("th").all_inner_texts()
    return page.locator("#sheet tbody tr").nth(row).locator("> *").nth(headings.index(label))


def paste(page: Any, text: str) -> None:
    """Paste as from a spreadsheet program."""
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.setData("text/plain", text);
          document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        text,
    )


def save(page: Any) -> None:
    """Press "Save" and wait until it is."""
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("[data-status]").get_by_text("Saved.").wait_for()


def test_cells_are_typed_pasted_filled_down_undone_and_saved(house: House, open_page: Open) -> None:
    dataset, _files = five(house, "Five in a table")
    page = open_page("ada")
    page.goto(f"/dataset/{dataset}/supplements")
    assert axe.source() is None or axe.violations(page) == []
    cell(page, 0, "Organism").click()
    page.keyboard.type("Mus musculus")
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    page.keyboard.press("ArrowUp")
    assert stored(house, dataset, ORGANISM)[:2] == [None, "Homo sapiens"], "nothing is written before it is saved"
    save(page)
    assert stored(house, dataset, ORGANISM) == ["Mus musculus", None, "Rattus norvegicus", None, None]
    page.keyboard.press("Control+d")
    assert page.get_by_text("4 unsaved changes").is_visible()
    page.keyboard.press("Control+z")
    assert page.get_by_text("No unsaved changes").is_visible()
    page.keyboard.press("Control+y")
    save(page)
    assert stored(house, dataset, ORGANISM) == ["Mus musculus"] * 5
    cell(page, 1, "Passage number").click()
    paste(page, "11\n12\n13\n14\n15")
    assert "Nothing was pasted" in page.locator("[data-status]").inner_text()
    paste(page, "11\r\n12\r\n13\r\n14\r\n")
    save(page)
    assert stored(house, dataset, PASSAGE) == [None, 11, 12, 13, 14]
    cell(page, 0, "Fixed cells").click()
    paste(page, "yes")
    save(page)
    assert stored(house, dataset, FIXED) == [True, None, None, None, None]


def test_what_does_not_fit_or_changed_meanwhile_is_shown_in_its_cell(house: House, open_page: Open) -> None:
    dataset, files = five(house, "Wrong in a table")
    page = open_page("ada")
    page.goto(f"/dataset/{dataset}/supplements")
    cell(page, 0, "Passage number").click()
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    assert "1 value is invalid" in page.locator("[data-status]").inner_text()
    assert cell(page, 0, "Passage number").get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="Undo").click()
    house.visitor("max").post(f"/dataset/{dataset}/resource/{files[1]}/edit", **{ORGANISM: "Danio rerio"})
    cell(page, 1, "Organism").click()
    page.keyboard.type("Mus musculus")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector("#sheet td[aria-invalid]")
    assert "Danio rerio" in page.locator("[data-status]").inner_text()
    assert stored(house, dataset, ORGANISM)[1] == "Danio rerio"


def test_the_table_goes_out_and_in_as_csv_without_scripts(house: House, open_page: Open, tmp_path: Path) -> None:
    dataset, _files = five(house, "Out and in")
    page = open_page("ada", scripts=False)
    page.goto(f"/dataset/{dataset}/supplements")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    lines = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    place = lines[0].index("cells:organism")
    for line, organism in zip(lines[1:], ["=1+1", "", "Danio rerio", "", ""], strict=True):
        line[place] = organism
    edited = tmp_path / "edited.csv"
    with edited.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=";").writerows(lines)
    page.locator("input[type=file]").set_input_files(str(edited))
    page.get_by_role("button", name="Check the table").click()
    assert page.get_by_text("3 files, 2 values will be overwritten").is_visible()
    assert stored(house, dataset, ORGANISM)[1] == "Homo sapiens"
    page.get_by_role("button", name="Save these values").click()
    assert stored(house, dataset, ORGANISM) == ["=1+1", None, "Danio rerio", None, None]
    assert stored(house, dataset, PASSAGE) == [None, 7, 7, None, None]
    again = house.visitor("ada").get(f"/dataset/{dataset}/supplements.csv").content.decode("utf-8-sig")
    assert "'=1+1" in again, "no spreadsheet program calculates it"
    same = house.visitor("ada").post(f"/dataset/{dataset}/supplements", table=again)
    assert "Nothing was changed" in same.text, "what goes out comes in unchanged"
    page.get_by_role("button", name="Undo").click()
    assert stored(house, dataset, ORGANISM) == [None, "Homo sapiens", "Rattus norvegicus", None, None]


def test_tables_that_do_not_fit_are_refused_as_a_whole(house: House) -> None:
    dataset, files = five(house, "Refused tables")
    ada = house.visitor("ada")
    for table, said in (
        ("", "The table is empty."),
        ("M1.rtdc,Mus", "column &#39;file&#39;"),
        ("file,organism\nM1.rtdc,Mus", "organism"),
        ("file,cells:organism\nM9.rtdc,Mus", "M9.rtdc"),
        ("file,cells:organism\nM1.rtdc,Mus\nM1.rtdc,Mus", "more than one line"),
        ("file,cells:organism\nM1.rtdc,Mus,7", "more cells"),
        ("file,cells:passage number\nM1.rtdc,many\nM2.rtdc,8", "Invalid value “many”"),
        ('file,cells:organism\n"M1.rtdc,Mus', "quotation mark"),
    ):
        answer = ada.post(f"/dataset/{dataset}/supplements", table=table)
        assert (answer.status_code, said in answer.text) == (409, True), (table, answer.text)
    for changes in ("[]", "{", json.dumps({files[0]: {"name": ["a", "b"]}}), json.dumps({files[0]: {ORGANISM: "Mus"}})):
        assert ada.post(f"/dataset/{dataset}/supplements", changes=changes).status_code == 400
    stranger = json.dumps({house.file["id"]: {ORGANISM: ["", "Mus"]}})
    assert ada.post(f"/dataset/{dataset}/supplements", changes=stranger).status_code == 404
    assert ada.get(f"/dataset/{house.public['id']}/supplements").status_code == 404
    assert stored(house, dataset, ORGANISM) == [None, "Homo sapiens", "Rattus norvegicus", None, None]


def test_german_readers_get_their_separators(house: House) -> None:
    dataset, _files = five(house, "Tabelle")
    max_ = house.visitor("max", "de")
    sent = max_.post(f"/dataset/{dataset}/supplements", table="file;chip:channel width\nM1.rtdc;20,5")
    assert sent.status_code == 200
    house.visitor("ada").post(
        f"/dataset/{dataset}/supplements",
        changes=json.dumps({five_id(house, dataset): {"sp:chip:channel width": ["", "20,5"]}}),
    )
    assert stored(house, dataset, "sp:chip:channel width")[0] == 20.5
    assert ";20,5;" in max_.get(f"/dataset/{dataset}/supplements.csv").content.decode("utf-8-sig")


def five_id(house: House, dataset: str) -> str:
    """The id of the first file of a dataset."""
    return str(house.people["ada"].get("package_show", id=dataset).result["resources"][0]["id"])
