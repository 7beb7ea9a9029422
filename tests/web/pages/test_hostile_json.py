"""JSON in forms and addresses of pages is refused in words when it is nested too deeply or holds half characters."""

from __future__ import annotations

import json

import pytest

from tests.support.furnished import House

DEEP = "[" * 5000
HALF = '"\\ud800"'


@pytest.mark.parametrize("gates", [DEEP, "[" * 900, f"[{HALF}]", "{"])
def test_gates_in_an_address(house: House, gates: str) -> None:
    answer = house.visitor("ada").http.get(
        f"{house.appliance.url}/compare", params={"r": house.file["id"], "g": gates}, timeout=60
    )
    assert answer.status_code == 409


@pytest.mark.parametrize("changes", [DEEP, '{"%s": {"description": ["", ' + HALF + "]}}", "[]", "{"])
def test_changes_of_the_table_of_supplements(house: House, changes: str) -> None:
    sent = changes.replace("%s", house.draft_file["id"])
    assert house.visitor("ada").post(f"/dataset/{house.draft['id']}/supplements", changes=sent).status_code == 400


def test_nul_is_no_part_of_a_description(house: House) -> None:
    sent = json.dumps({house.draft_file["id"]: {"description": ["", "a\0b"]}})
    assert house.visitor("ada").post(f"/dataset/{house.draft['id']}/supplements", changes=sent).status_code == 409
    answer = house.people["ada"].post("resource_patch", id=house.draft_file["id"], description="a\x00b")
    assert (answer.status, "NUL" in str(answer.error)) == (409, True)
