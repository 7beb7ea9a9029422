"""What is hidden stays hidden at every address under which it could be asked for, and nobody learns that it is there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.furnished import House
from tests.support.server import Person


@pytest.fixture(scope="module")
def hidden(house: House) -> dict[str, dict[str, str]]:
    """A dataset with finished jobs in each hidden state: private, draft, deleted."""
    found = {}
    for state in ("private", "draft", "deleted"):
        made, file = house.dataset(
            f"Secret {state}", private=True, activate=state == "private", wait=True, tags=["hush"]
        )
        if state == "deleted":
            assert house.people["ada"].post("package_delete", id=made["id"]).status == 200
        found[state] = {"id": made["id"], "name": made["name"], "file": file["id"]}
    return found


BULK = [
    "/dataset/{id}/resource/{file}/download", "/dataset/{name}/resource/{file}/download/x.rtdc", "/dataset/{id}/resource/{file}/condensed.rtdc",
    "/dataset/{id}/resource/{file}/preview.jpg", "/dataset/{id}/resource/{file}/preview.webp", "/dataset/{id}/resource/{file}/thumbnail.webp",
    "/dataset/{id}/resource/{file}/columns.bin", "/dataset/{id}/resource/{file}/density.bin", "/dataset/{id}/resource/{file}/event/0.json",
    "/dataset/{id}/resource/{file}/export.csv", "/dataset/{id}/resource/{file}/export.tsv", "/dataset/{id}/resource/{file}/export.fcs",
    "/dataset/{id}/download.zip", "/dataset/{name}/download.zip", "/datasets.zip?dataset={id}", "/compare/export.csv?r={file}", "/dataset/{id}/SHA256SUMS",
    "/dataset/{id}/download.sh", "/dataset/{id}/download.py", "/objects/resource/{place}", "/objects/condensed/{place}",
]  # fmt: skip
ACTIONS: list[tuple[str, dict[str, str]]] = [
    ("package_show", {"id": "{id}"}), ("package_show", {"id": "{name}"}), ("resource_show", {"id": "{file}"}), ("resource_view_list", {"id": "{file}"}),
    *[("dcserv", {"id": "{file}", "version": version, "query": query}) for version, query in (
        ("2", "metadata"), ("2", "size"), ("2", "basins"), ("2", "logs"), ("2", "tables"), ("2", "valid"), ("2", "trace_list"), ("1", "feature_list"),
        ("1", "metadata"),
    )],
    ("dcserv", {"id": "{file}", "query": "feature", "feature": "deform"}), ("package_collaborator_list", {"id": "{id}"}),
    ("dataset_follower_count", {"id": "{id}"}), ("am_following_dataset", {"id": "{id}"}), ("follow_dataset", {"id": "{id}"}),
    ("package_patch", {"id": "{id}", "title": "x"}), ("package_revise", {"match__id": "{id}", "update__title": "x"}), ("package_delete", {"id": "{id}"}),
    ("dataset_purge", {"id": "{id}"}), ("resource_patch", {"id": "{file}", "description": "x"}), ("resource_delete", {"id": "{file}"}),
    ("package_resource_reorder", {"id": "{id}", "order": "{file}"}), ("resource_create", {"package_id": "{id}"}),
    ("member_create", {"id": "eves", "object": "{id}", "object_type": "package", "capacity": "public"}),
]  # fmt: skip
WHO = ["", "eve", "kim"]
STATES = ["private", "draft", "deleted"]


def _person(house: House, who: str) -> Person:
    return house.people[who] if who else house.appliance.nobody


def _filled(values: dict[str, str]) -> dict[str, str]:
    place = values["file"]
    return values | {"place": f"{place[:3]}/{place[3:6]}/{place[6:]}"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("who", WHO)
def test_files_and_what_was_made_of_them(house: House, hidden: dict[str, dict[str, str]], who: str, state: str) -> None:
    person, values = _person(house, who), _filled(hidden[state])
    got = {path: person.fetch(path.format(**values), allow_redirects=False).status_code for path in BULK}
    assert {path: status for path, status in got.items() if status != 404} == {}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("who", WHO)
def test_actions(house: House, hidden: dict[str, dict[str, str]], who: str, state: str) -> None:
    person, values = _person(house, who), hidden[state]
    if who == "eve" and person.get("group_show", id="eves").status == 404:
        assert person.post("group_create", name="eves").status == 200
    for action, template in ACTIONS:
        answer = person.post(action, **{key: text.format(**values) for key, text in template.items()})
        refused = {403, 404, 409} if "follow" in action else {403, 404}  # a wrong value, as what is not there
        assert answer.status in refused, (action, template, answer.status, answer.body)
        assert "Secret" not in answer.text
        assert "beads.rtdc" not in answer.text


def test_members_do_see_them(house: House, hidden: dict[str, dict[str, str]]) -> None:
    """The lists above are of addresses that work, else they would prove nothing."""
    for path in BULK:
        answer = house.people["max"].fetch(path.format(**_filled(hidden["private"])), stream=True)
        answer.close()
        assert answer.status_code == 200, path


@pytest.mark.parametrize("who", WHO)
def test_no_list_count_facet_or_completion_tells_of_them(
    house: House, hidden: dict[str, dict[str, str]], who: str
) -> None:
    person = _person(house, who)
    everything: dict[str, Any] = {"include_private": True, "include_drafts": True, "include_deleted": True}
    facets = '["organization","groups","tags","license_id","creator_user_id","state"]'
    asked = [
        person.post("package_search", q="Secret", **everything),
        person.post("package_search", q="*:*", fq="tags:hush", **everything, **{"facet.field": facets}),
        person.post("package_search", q=f"id:{hidden['private']['id']}", **everything),
        person.post("package_search", fq="state:(draft OR deleted)", **everything),
        person.post("resource_search", query="name:M1"), person.post("resource_search", query=f"id:{hidden['draft']['file']}"),
        person.post("package_autocomplete", q="secret"), person.post("package_list"), person.post("current_package_list_with_resources"),
        person.post("tag_list"), person.post("tag_autocomplete", q="hu"), person.post("tag_show", id="hush"),
        person.post("organization_show", id="lab", include_datasets=True), person.post("group_show", id="study", include_datasets=True),
        person.post("user_show", id="ada", include_datasets=True), person.post("group_package_show", id="study"),
    ]  # fmt: skip
    for answer in asked:
        for values in hidden.values():
            assert values["id"] not in answer.text, answer.body
            assert values["file"] not in answer.text, answer.body
        assert "secret" not in answer.text.lower()
    if who:
        found = asked[1].result
        assert (found["count"], found["search_facets"]["tags"]["items"]) == (0, [])
        counted = person.get("organization_show", id="lab").result["package_count"]
        assert counted == len(
            person.post("package_search", fq="organization:lab", rows=100, **everything).result["results"]
        )


@pytest.mark.parametrize("who", ["eve", "kim"])
def test_pages_show_nothing_of_them(house: House, hidden: dict[str, dict[str, str]], who: str) -> None:
    visitor = house.visitor(who)
    for path in (
        "/",
        "/dataset",
        "/dataset?q=Secret",
        "/dataset?tags=hush",
        "/organization/lab",
        "/group/study",
        "/dashboard",
        "/organization",
        "/user/complete?q=a",
    ):
        text = visitor.get(path).text
        assert [state for state in STATES if f"Secret {state}" in text] == [], path
        assert not any(values["id"] in text for values in hidden.values()), path


def test_others_uploads_are_not_touched(house: House) -> None:
    ada, eve, url = house.people["ada"].http, house.people["eve"].http, house.appliance.url
    made = ada.post(
        f"{url}/upload/browser", json={"dataset": house.draft["id"], "name": "mine.txt", "size": 4}, timeout=30
    ).json()
    assert eve.get(url + made["url"], timeout=30).status_code == 404
    assert eve.patch(url + made["url"], data=b"evil", headers={"Upload-Offset": "0"}, timeout=30).status_code == 404
    assert eve.post(url + made["url"] + "/finish", json={}, timeout=30).status_code == 404
    assert eve.delete(url + made["url"], timeout=30).status_code == 404
    assert eve.get(f"{url}/upload/browser", timeout=30).json() == []
    assert ada.patch(url + made["url"], data=b"mine", headers={"Upload-Offset": "0"}, timeout=30).status_code == 204
    assert ada.post(url + made["url"] + "/finish", json={}, timeout=30).status_code == 201


@pytest.mark.parametrize(("action", "values"), [
    ("member_create", {"id": "lab", "object": "eve", "object_type": "user", "capacity": "admin"}),
    ("organization_member_create", {"id": "lab", "username": "eve", "role": "admin"}),
    ("organization_member_delete", {"id": "lab", "username": "max"}), ("organization_patch", {"id": "lab", "title": "x"}),
    ("group_patch", {"id": "study", "title": "x"}), ("group_member_create", {"id": "study", "username": "eve", "role": "admin"}),
    ("bulk_update_public", {"org_id": "lab", "datasets": []}), ("package_owner_org_update", {"id": "public", "organization_id": "lab"}),
    ("user_patch", {"id": "ada", "about": "x"}), ("api_token_list", {"user_id": "ada"}), ("api_token_create", {"user": "ada", "name": "x"}),
    ("user_list", {}), ("user_delete", {"id": "ada"}),
])  # fmt: skip
def test_what_is_others_is_not_changed(house: House, action: str, values: dict[str, Any]) -> None:
    assert house.people["eve"].post(action, **values).status in {403, 404}


def test_members_are_known_to_members_only(house: House) -> None:
    shown = house.people["eve"].get("organization_show", id="lab", include_users=True).result
    assert not shown.get("users")
    assert house.people["eve"].get("member_list", id="lab", object_type="user").status in {200, 403}
    assert "max" not in house.people["eve"].get("member_list", id="lab", object_type="user").text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/dataset",
        "/dashboard",
        "/user/ada",
        "/user/ada/api-tokens",
        "/user/ada/access-file",
        "/dataset/{id}",
        "/dataset/{id}/resource/{file}",
    ],
)
def test_no_shared_cache_keeps_a_page_of_somebodys(house: House, hidden: dict[str, dict[str, str]], path: str) -> None:
    control = house.visitor("ada").get(path.format(**hidden["private"])).headers["Cache-Control"]
    assert "no-store" in control or "private" in control


@pytest.mark.parametrize("path", BULK)
def test_no_shared_cache_keeps_a_file(house: House, hidden: dict[str, dict[str, str]], path: str) -> None:
    answer = house.people["ada"].fetch(path.format(**_filled(hidden["private"])), stream=True)
    answer.close()
    headers = answer.headers
    assert "private" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
