"""Circles and collections: founding, people, datasets, end."""

from __future__ import annotations

import pytest

from appliance.actions import lookup
from tests.web.api.permission_fixture import World

BOTH = pytest.mark.parametrize(
    ("word", "letter", "kind"), [("organization", "C", "circle"), ("group", "G", "collection")]
)


@BOTH
def test_founding(world: World, word: str, letter: str, kind: str) -> None:
    founder = world.people["U"]
    made = founder.post(
        f"{word}_create", name=f"new-{kind}", title='With "quotes" and Ümläuts', description="**d**"
    ).result
    assert (made["type"], made["is_organization"]) == (word, word == "organization")
    assert (made["display_name"], made["description"], made["package_count"]) == (
        'With "quotes" and Ümläuts',
        "**d**",
        0,
    )
    assert [(user["name"], user["capacity"]) for user in made["users"]] == [("stranger", "admin")]
    shown = founder.get(f"{word}_show", id=f"new-{kind}").result
    assert shown["id"] == made["id"]
    assert "users" not in shown
    other = "group" if word == "organization" else "organization"
    assert founder.get(f"{other}_show", id=f"new-{kind}").status == 404
    for taker in ("organization_create", "group_create"):  # one name space
        refused = founder.post(taker, name=f"new-{kind}")
        assert (refused.status, refused.error) == (409, {"name": ["Group name already exists in database"]})


@BOTH
@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, {"name": ["Missing value"]}),
        ({"name": "x"}, {"name": ["Must be at least 2 characters long"]}),
        (
            {"name": "With Capitals"},
            {"name": ["Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"]},
        ),
        ({"name": "new"}, {"name": ["That name cannot be used"]}),
        ({"name": "ok-name", "image_url": "javascript:alert(1)"}, {"image_url": ["Must be a web address"]}),
        ({"name": "ok-name", "title": {"en": "x"}}, {"title": ["Must be a text"]}),
        ({"name": "ok-name", "description": "x" * 20_001}, {"description": ["At most 20000 characters are accepted"]}),
        ({"name": "ok-name", "users": "me"}, {"users": ["A list of objects with name and capacity is needed"]}),
        ({"name": "ok-name", "users": [{"name": "ce", "capacity": "king"}]}, {"role": ["role does not exist: king"]}),
    ],
)
def test_founding_that_is_refused(world: World, word: str, letter: str, kind: str, values: dict, error: dict) -> None:
    refused = world.people["U"].post(f"{word}_create", **values)
    assert (refused.status, refused.error) == (409, error)


@BOTH
def test_people(world: World, word: str, letter: str, kind: str) -> None:
    id_, admin = world.fresh(kind), world.people[f"{letter}a"]
    made = admin.post(f"{word}_member_create", id=id_, username="stranger", role="member").result
    assert {key: made[key] for key in ("group_id", "table_id", "table_name", "capacity", "state")} == {
        "group_id": id_, "table_id": world.people["U"].id, "table_name": "user", "capacity": "member", "state": "active",
    }  # fmt: skip
    again = admin.post(f"{word}_member_create", id=id_, username=world.people["U"].id, role="editor").result
    assert (again["id"], again["capacity"]) == (made["id"], "editor")
    assert admin.post(f"{word}_member_create", id=id_, username="stranger", role="king").error == {
        "role": ["role does not exist: king"]
    }
    assert admin.post(f"{word}_member_create", id=id_, username="nobody-there", role="member").status == 404
    assert admin.post(f"{word}_member_delete", id=id_, username="nobody-there").status == 404
    assert admin.post(f"{word}_member_delete", id=id_, user_id=world.people["U"].id).result is None
    assert admin.post(f"{word}_member_delete", id=id_, username="stranger").result is None  # again says nothing


@BOTH
def test_somebody_remains_in_charge(world: World, word: str, letter: str, kind: str) -> None:
    id_, admin = world.fresh(kind), world.people[f"{letter}a"]
    refused = admin.post(f"{word}_member_create", id=id_, username=admin.name, role="member")
    assert refused.message == "Access denied: Administrators cannot revoke their own admin status"
    refused = admin.post(f"{word}_member_delete", id=id_, username=admin.name)
    assert refused.message == "Access denied: The last admin cannot leave; make somebody else an admin first"
    admin.post(f"{word}_member_create", id=id_, username="stranger", role="admin")
    assert admin.post(f"{word}_member_delete", id=id_, username=admin.name).status == 200


@BOTH
def test_changing(world: World, word: str, letter: str, kind: str) -> None:
    id_, admin = world.fresh(kind), world.people[f"{letter}a"]
    before = admin.get(f"{word}_show", id=id_).result
    after = admin.post(f"{word}_patch", id=id_, title="Changed").result
    assert (after["title"], after["description"]) == ("Changed", before["description"])
    whole = admin.get(f"{word}_show", id=id_, include_users=True).result
    assert admin.post(f"{word}_update", **whole | {"description": "d"}).result["description"] == "d"
    refused = admin.post(f"{word}_patch", id=id_, name="another-name")
    assert (refused.status, "only an administrator can change it" in refused.message) == (403, True)


def test_a_changed_title_shows_in_datasets(world: World) -> None:
    one = world.dataset("private")
    world.people["Ca"].post("organization_patch", id=world.circle, title="Renamed circle")
    world.people["Ga"].post("group_patch", id=world.collection, title="Renamed collection")
    shown = world.people["Cm"].get("package_show", id=one.id).result
    assert shown["organization"]["title"] == "Renamed circle"
    assert [group["title"] for group in shown["groups"]] == ["Renamed collection"]
    assert world.people["Cm"].get("package_search", q="renamed", include_private=True).result["count"] >= 1


def test_a_circle_with_datasets_stays(world: World) -> None:
    id_, admin = world.fresh("circle"), world.people["S"]
    (one,) = world.datasets("draft", circle=id_)
    refused = admin.post("organization_delete", id=id_)
    assert (refused.status, refused.message) == (409, "Organization cannot be deleted while it still has datasets")
    admin.post("package_delete", id=one.id)
    assert admin.post("organization_delete", id=id_).result is None
    assert admin.get("organization_show", id=id_).status == 404
    assert admin.post("organization_purge", id=id_).status == 409  # a deleted dataset is still in it
    admin.post("dataset_purge", id=one.id)
    assert admin.post("organization_purge", id=id_).result is None


def test_a_deleted_collection_lets_its_datasets_go_and_keeps_its_name(world: World) -> None:
    id_, one = world.fresh("collection"), world.dataset("private")
    name = world.people["Ga"].get("group_show", id=id_).result["name"]
    world.people["Ga"].post("member_create", id=id_, object=one.name, object_type="package", capacity="public")
    assert world.people["Ga"].post("group_delete", id=id_).result is None
    assert world.people["Ga"].get("group_show", id=id_).status == 404
    groups = world.people["Cm"].get("package_show", id=one.id).result["groups"]
    assert [group["id"] for group in groups] == [world.collection]
    assert world.people["U"].post("group_create", name=name).status == 409
    assert world.people["S"].post("group_purge", id=id_).result is None
    assert world.people["U"].post("group_create", name=name).status == 200


def test_datasets_in_collections(world: World) -> None:
    id_, one, editor = world.fresh("collection"), world.dataset("private"), world.people["Ge"]
    shared = world.people["S"].post("package_collaborator_create", id=one.id, user_id="ge", capacity="editor")
    assert shared.status == 200  # the editor of the collection may also change the dataset
    before = editor.get("package_show", id=one.id).result
    added = editor.post("member_create", id=id_, object=one.id, object_type="package", capacity="member").result
    assert (added["table_id"], added["table_name"], added["group_id"]) == (one.id, "package", id_)
    assert (
        editor.post("member_create", id=id_, object=one.name, object_type="package", capacity="x").result["id"]
        == added["id"]
    )
    after = editor.get("package_show", id=one.id).result
    assert id_ in [group["id"] for group in after["groups"]]
    assert after["metadata_modified"] > before["metadata_modified"]  # caches of clients go by it
    assert editor.get("group_show", id=id_).result["package_count"] == 1
    assert editor.post("member_delete", id=id_, object=one.id, object_type="package").result is None
    assert editor.post("member_delete", id=id_, object=one.id, object_type="package").result is None
    stranger = world.datasets("private", circle=world.fresh("circle"))[0]
    world.people["Ga"].post("member_delete", id=world.collection, object=stranger.id, object_type="package")
    refused = editor.post("member_create", id=id_, object=stranger.id, object_type="package", capacity="public")
    assert refused.message == f"Not found: {lookup.NOT_SEEN}"
    assert (
        editor.post("member_create", id=id_, object="nothing", object_type="package", capacity="public").status == 404
    )
    assert editor.post("member_create", id=id_, object=one.id, object_type="cheese", capacity="public").status == 409
    assert (
        world.people["Ca"]
        .post("member_create", id=world.circle, object=one.id, object_type="package", capacity="public")
        .status
        == 409
    )


def test_lists_can_be_cut_and_sorted(world: World) -> None:
    everybody = world.people["A"]
    names = everybody.get("organization_list", sort="name asc").result
    assert names == sorted(names)
    assert everybody.get("organization_list", sort="name desc").result == names[::-1]
    assert everybody.get("organization_list", sort="name asc", limit=2, offset=1).result == names[1:3]
    assert everybody.get("organization_list", q="circle", limit=1).status == 200
    assert everybody.get("organization_list", organizations=names[0]).result == [names[0]]
    counted = everybody.get("organization_list", all_fields=True, sort="package_count desc").result
    assert [one["package_count"] for one in counted] == sorted((one["package_count"] for one in counted), reverse=True)


def test_a_list_for_a_user_has_their_role(world: World) -> None:
    for who, role, shown in (("Cm", "member", False), ("Ce", "editor", True), ("Ca", "admin", True)):
        found = {
            one["id"]: one["capacity"]
            for one in world.people[who].get("organization_list_for_user", permission="create_dataset").result
        }
        assert (world.circle in found) == shown
        found = {
            one["id"]: one["capacity"]
            for one in world.people[who].get("organization_list_for_user", permission="read").result
        }
        assert found[world.circle] == role
        assert world.circle in [one["id"] for one in world.people[who].get("organization_list_for_user").result], (
            "any role"
        )
    assert world.people["A"].get("organization_list_for_user").result == []
    assert world.people["A"].get("group_list_authz").result == []
    assert world.people["U"].get("organization_list_for_user", id="ca").status == 403
    assert world.people["S"].get("organization_list_for_user", id="cm", permission="read").result
    assert world.collection in [one["id"] for one in world.people["Gm"].get("group_list_authz", am_member=True).result]
    assert world.collection not in [one["id"] for one in world.people["Gm"].get("group_list_authz").result]
