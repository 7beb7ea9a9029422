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
    page.get_by_role("textbox", name="Position of M3.rtdc").fill("1")
    page.get_by_role("button", name="Save names and order").click()
    assert names(house, made) == ["M3.rtdc", "M2.txt", "M10.txt", "M1.txt"], "names can be exchanged"
    page.get_by_role("textbox", name="Position of M3.rtdc").fill("3")
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


def test_a_file_is_replaced_on_the_page_and_comes_back(house: House, open_page: Open, tmp_path: Path) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab", title="With a truncated file", private=True)["id"]
    broken = tmp_path / "broken.rtdc"
    broken.write_bytes(synthetic().read_bytes()[:5000])
    first = ada.add(made, broken, "M1.rtdc")
    ada.add(made, synthetic(), "M2.rtdc")
    house.visitor("ada").post(f"/dataset/{made}/resource/{first['id']}/edit", **{"sp:cells:organism": "Mus musculus"})
    whole, note = tmp_path / "M1.rtdc", tmp_path / "note.txt"
    whole.write_bytes(synthetic().read_bytes())
    note.write_text("x")
    page = open_page("ada")
    page.goto(f"/dataset/{made}/files")
    page.locator(f"[data-replace='{first['id']}']").set_input_files(str(note))
    assert page.get_by_text("Choose a file ending in .rtdc.").is_visible()
    page.locator(f"[data-replace='{first['id']}']").set_input_files(str(whole))
    page.get_by_text("M1.rtdc was replaced.").wait_for()
    assert names(house, made) == ["M1.rtdc", "M2.rtdc"]
    new = ada.get("package_show", id=made).result["resources"][0]
    assert (new["id"] != first["id"], new["sp:cells:organism"]) == (True, "Mus musculus")
    assert new["size"] == whole.stat().st_size
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("The earlier file was restored.").wait_for()
    back = ada.get("package_show", id=made).result["resources"][0]
    assert (back["id"], back["size"], back["sp:cells:organism"]) == (first["id"], 5000, "Mus musculus")
    page.get_by_role("button", name="Undo").click()
    assert ada.get("package_show", id=made).result["resources"][0]["id"] == new["id"]
    assert names(house, made) == ["M1.rtdc", "M2.rtdc"]
    house.appliance.jobs_done(new["id"])


def test_new_files_stand_in_natural_order_whichever_arrived_first(
    house: House, open_page: Open, tmp_path: Path
) -> None:
    made = house.people["ada"].draft("lab", title="Arriving in any order", private=True)["id"]
    earlier = tmp_path / "earlier.txt"
    earlier.write_text("x")
    house.people["ada"].add(made, earlier, "zero.txt")
    sizes = {"M10.txt": 10, "M1.txt": 3_000_000, "M2.txt": 200}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(b"x" * size)
    page = open_page("ada")
    page.goto(f"/dataset/{made}/upload")
    held: list[Any] = []

    def hold_the_first(route: Any) -> None:
        if route.request.headers.get("upload-offset") == "0" and len(route.request.post_data_buffer or b"") > 1000:
            held.append(route)
        else:
            route.continue_()

    page.route("**/upload/browser/*", hold_the_first)
    page.locator("[data-files]").set_input_files([str(tmp_path / name) for name in sizes])
    assert page.locator(".upload-list .name").all_inner_texts() == ["M1.txt", "M2.txt", "M10.txt"]
    page.get_by_role("button", name="Start upload").click()
    page.locator("[data-state=done]").nth(1).wait_for()
    assert len(held) == 1
    held.pop().continue_()
    page.wait_for_selector("[data-finished]:not([hidden])")
    assert names(house, made) == ["zero.txt", "M1.txt", "M2.txt", "M10.txt"]


def test_nobody_replaces_a_file_of_another_dataset(house: House) -> None:
    made, file = house.dataset("Not to be replaced", private=True)
    other, _file = house.dataset("Another draft", private=True)
    eve, ada = house.visitor("eve"), house.visitor("ada")
    begin = {"dataset": other["id"], "name": "M1_beads.rtdc", "size": 1, "instead_of": file["id"]}
    taken = ada.http.post(f"{house.appliance.url}/upload/browser", json=begin)
    assert taken.status_code == 409, "its name is taken by the other dataset's own file"
    begin["name"] = "M7.rtdc"
    begun = ada.http.post(f"{house.appliance.url}/upload/browser", json=begin).json()
    ada.http.patch(house.appliance.url + begun["url"], data=b"x", headers={"Upload-Offset": "0"})
    finished = ada.http.post(house.appliance.url + begun["url"] + "/finish", json={"instead_of": file["id"]})
    assert finished.status_code == 404
    assert eve.http.post(f"{house.appliance.url}/upload/browser", json=begin).status_code in (403, 404)
    refused = ada.post(f"/dataset/{other['id']}/files", do="exchange", id=file["id"], back=house.file["id"])
    assert refused.status_code == 404
    assert names(house, made["id"]) == ["M1_beads.rtdc"]
