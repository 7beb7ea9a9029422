"""What answers tell beside the matter: names, titles, ids, addresses; and texts that become something else elsewhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.actions import accounts, communities
from appliance.model.viewer import OPERATOR
from tests.support.furnished import PASSWORD, House
from tests.support.server import Appliance, Person


def test_an_outside_collaborator_reads_no_names_of_the_circle(house: House) -> None:
    draft = house.people["ada"].draft("lab", private=True)["id"]
    assert house.people["max"].post("package_patch", id=draft, title="Changed by a colleague").status == 200
    for name in ("kim", "eve"):
        assert (
            house.people["ada"].post("package_collaborator_create", id=draft, user_id=name, capacity="member").status
            == 200
        )
    page = house.visitor("eve").page(f"/dataset/{draft}")
    activity = page[page.index('id="activity"') :]
    assert "Someone else" in activity
    for one in ("ada", "max", "kim"):
        assert f"<strong>{one}</strong>" not in activity.lower()
        assert house.people[one].id not in page
    inside = house.visitor("ada").page(f"/dataset/{draft}")
    inside = inside[inside.index('id="activity"') :]
    assert "<strong>Max</strong>" in inside
    assert "Kim" in inside
    assert house.people["kim"].id not in inside


def test_what_is_stored_about_me_tells_no_later_title(house: House) -> None:
    someone = house.appliance.person("leaver", password=PASSWORD)
    site = house.appliance.context
    communities.set_member(site, OPERATOR, "circle", "lab", "leaver", "editor")
    draft = someone.draft("lab", private=True, title="Old title")["id"]
    public = someone.draft("lab", private=True, title="Still seen")["id"]
    house.share(public, "leaver", "member")
    communities.remove_member(site, OPERATOR, "circle", "lab", "leaver")
    assert house.people["ada"].post("package_patch", id=draft, title="Secret new title").status == 200
    for reader in ("leaver", "root"):  # an administrator hands it to that person
        found = json.loads(house.visitor(reader).page("/user/leaver/everything.json"))["datasets"]
        by_id = {one["id"]: one for one in found}
        assert by_id[draft].keys() == {"id", "created"}
        assert by_id[public]["title"] == "Still seen"


def test_a_hidden_files_id_looks_like_an_unknown_one(house: House) -> None:
    eve = house.people["eve"]
    if eve.get("organization_show", id="eves").status != 200:
        eve.circle("eves")
    own = eve.draft("eves")["id"]

    def told(id_: str) -> tuple[int, str]:
        answer = eve.post("resource_create", package_id=own, id=id_, s3_available=True, name="a.txt")
        return answer.status, answer.message.replace(id_, "ID")

    assert told(house.draft_file["id"]) == told(str(uuid.uuid4()))
    seen = house.people["ada"].post(
        "resource_create", package_id=house.draft["id"], id=house.draft_file["id"], s3_available=True, name="a.txt"
    )
    assert "already exists" in seen.message


def test_nobody_tries_out_who_has_an_address(house: House) -> None:
    curious, old = house.appliance.person("curious", password=PASSWORD), {"old_password": PASSWORD}
    tried = [curious.post("user_patch", email=f"nobody-{number}@example.org", **old).status for number in range(10)]
    assert set(tried) == {200}
    refused = curious.post("user_patch", email="ada@example.org", **old)
    assert refused.status == 429
    assert "Too many attempts" in refused.message
    assert curious.post("user_patch", fullname="Still me", email="nobody-9@example.org").status == 200
    assert house.people["root"].post("user_patch", id="curious", email="curious@example.org").status == 200


FIELDS = [
    "update__notes", "update__title", "update__tags", "update__groups", "update__authors", "update__private",
    "update__owner_org", "update__extras", "update__license_id", "update__doi", "match__title", "update__references",
    "update__resources", "update__state", "include", "filter", "update", "upload",
]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_a_file_is_no_text(house: House, field: str) -> None:
    draft = house.people["ada"].draft("lab", private=True)["id"]
    before = house.people["ada"].get("package_show", id=draft).result
    answer = house.people["ada"].upload("package_revise", {"match__id": draft}, field, "x.txt", b"hello")
    assert answer.status == 409
    assert field in answer.error
    assert "Incoming" not in answer.text
    assert house.people["ada"].get("package_show", id=draft).result == before


@pytest.mark.parametrize("field", ["description", "name", "id", "sp:cells:organism"])
def test_a_file_is_no_text_of_a_resource(house: House, field: str) -> None:
    draft = house.people["ada"].draft("lab", private=True)["id"]
    answer = house.people["ada"].upload("resource_create", {"package_id": draft}, field, "x.txt", b"hello")
    assert (answer.status, list(answer.error)) == (409, [field])


@pytest.mark.parametrize("value", [{"a": 1}, ["a"]])
def test_a_profile_takes_texts(house: House, value: object) -> None:
    answer = house.people["eve"].post("user_patch", fullname=value)
    assert answer.status == 409
    assert "text" in answer.message


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Appliance]:
    running = Appliance(tmp_path / "data", **{"policy.self_registration": True})
    yield running
    running.stop()


def test_a_token_registers_no_more_accounts_than_a_stranger(
    playground: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = playground.person("someone")
    token, _ = accounts.create_token(playground.context, OPERATOR, "someone", "x", scope="read")
    reader = Person(playground, "someone", token)
    for who in (someone, reader):
        monkeypatch.setattr(playground.context.limiter, "registration", lambda address: 60)
        answer = who.post("user_create", name="more", email="more@example.org", password=PASSWORD)
        assert answer.status == 429
    assert playground.admin.post("user_create", name="more", email="more@example.org").status == 200


@pytest.mark.parametrize(
    "title", ["x}}, url = {https://evil.example}, zz = {{y", "}} @misc{a, b = {{", "a {B} c", "{", "}", "\\}"]
)
def test_a_title_stays_in_its_field(house: House, title: str) -> None:
    draft = house.people["ada"].draft("lab", private=True, title=title, authors=title.replace(",", ";"))["id"]
    text = house.visitor("ada").page(f"/dataset/{draft}/citation.bib")
    depth = fields = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
        fields += character == "=" and depth == 1
    assert depth == 0
    assert fields == 6
    assert text.count("@misc{") == 1
