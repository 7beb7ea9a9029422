"""What becomes of attempts to change a dataset that is no draft any more (the table of DCOR's manual)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.api.permission_fixture import World

NOT_ALLOWED = "Access denied: Changing '{}' not allowed for non-draft datasets!"


@pytest.mark.parametrize("kind", ["public", "private"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", "x"), ("notes", "x"), ("authors", "x"), ("doi", "10.1/x"), ("references", "x"), ("tags", [{"name": "xx"}]),
        ("groups", []), ("colour", "red"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", ["package_patch", "package_update", "package_revise"])
def test_every_other_field_is_frozen(world: World, kind: str, key: str, value: Any, action: str) -> None:
    one = world.dataset(kind)
    sent: dict[str, Any] = {"id": one.id, key: value}
    if action == "package_revise":
        sent = {"match": {"id": one.id}, "update": {key: value}}
        if key == "groups":  # lists merge, so that an empty one says nothing
            sent = {"match": {"id": one.id}, "filter": ["-groups"]}
    refused = world.people["Ca"].post(action, **sent)
    assert (refused.status, refused.message) == (403, NOT_ALLOWED.format(key))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "x-y"}, "Editing not allowed: {'name': 'x-y'}"),
        ({"owner_org": "somewhere"}, "Changing 'owner_org' not allowed for non-draft datasets!"),
        ({"state": "draft"}, "Changing dataset state to draft not allowed"),
        ({"state": "deleted"}, "Use package_delete to delete a dataset"),
        ({"license_id": "CC-BY-SA-4.0"}, "Cannot switch to more-restrictive license"),
        ({"license_id": "none"}, "Cannot switch to more-restrictive license"),
        ({"private": True}, "Changing visibility to private not allowed"),
    ],
)
def test_directions_that_are_closed(world: World, change: dict[str, Any], words: str) -> None:
    refused = world.people["Ca"].post("package_patch", id=world.dataset("public").id, **change)
    assert (refused.status, refused.message) == (403, f"Access denied: {words}")


@pytest.mark.parametrize(
    "change",
    [
        {"title": None}, {"tag_string": ""}, {"pkg_name": "x"}, {"doi": ""}, {"notes": ""}, {"colour": ""}, {"groups": None},
        {"authors": "Ada L."}, {"license_id": "CC-BY-4.0"}, {"private": False}, {"state": "active"}, {"extras": []},
    ],
    ids=str,
)  # fmt: skip
def test_what_changes_nothing_is_allowed(world: World, change: dict[str, Any]) -> None:
    one, editor = world.dataset("public"), world.people["Ce"]
    before = editor.get("package_show", id=one.id).result
    if change == {"title": None}:
        change = {"title": before["title"]}
    after = editor.post("package_patch", id=one.id, **change).result
    assert after == before


def test_the_whole_dict_may_be_sent_back(world: World) -> None:
    for kind in ("public", "private", "draft"):
        one, editor = world.dataset(kind), world.people["Ce"]
        before = editor.get("package_show", id=one.id).result
        assert editor.post("package_update", **before).result == before
        assert editor.post("package_revise", match=before, update=before).result["package"] == before


def test_two_directions_are_open(world: World) -> None:
    one, editor = world.dataset("private"), world.people["Ce"]
    assert editor.post("package_patch", id=one.id, private=False).result["private"] is False
    assert editor.post("package_patch", id=one.id, license_id="CC0-1.0").result["license_id"] == "CC0-1.0"
    assert world.people["A"].get("package_show", id=one.id).status == 200
    assert world.people["A"].fetch(f"/dataset/{one.id}/resource/{one.resource}/condensed.rtdc").status_code == 200


RESOURCES = "Access denied: Changing 'resources' not allowed for non-draft datasets!"
EDITING = "Access denied: Editing resources for non-draft datasets not allowed!"


def test_files_are_frozen(world: World) -> None:
    one, editor = world.dataset("public"), world.people["Ce"]
    for sent in (
        {"update__resources__extend": [{"name": "x.txt"}]},
        {f"update__resources__{one.resource}": {"description": "x"}},
        {f"update__resources__{one.resource}__sp:chip:maker": "x"},
        {"update": {"resources": [{"description": "x"}]}},
    ):
        refused = editor.post("package_revise", match={"id": one.id}, **sent)
        assert (refused.status, refused.message) == (403, RESOURCES), sent
    for action in ("resource_update", "resource_patch"):
        assert editor.post(action, id=one.resource, description="x").message == EDITING
    created = editor.upload("resource_create", {"package_id": one.id}, "upload", "x.txt", b"x")
    assert created.message == EDITING
    assert editor.post("package_resource_reorder", id=one.id, order=[one.resource]).message == RESOURCES
    for kind in ("public", "draft"):
        refused = editor.post("resource_delete", id=world.dataset(kind).resource)
        assert refused.message == "Access denied: Only admins may do so."


def test_deleting_and_purging(world: World) -> None:
    editor = world.people["Ce"]
    assert (
        editor.post("package_delete", id=world.dataset("public").id).message
        == "Access denied: Only draft datasets can be deleted!"
    )
    for kind in ("public", "draft"):
        refused = editor.post("dataset_purge", id=world.dataset(kind).id)
        assert refused.message == "Access denied: Only deleted datasets can be purged!"
    one = world.dataset("draft")
    assert editor.post("package_delete", id=one.id).result is None
    shown = editor.get("package_show", id=one.id).result
    assert (shown["state"], shown["groups"]) == ("deleted", [])
    assert (
        editor.get("package_search", q=f"name:{one.name}", include_private=True, include_drafts=True).result["count"]
        == 0
    )
    assert world.people["Km"].get("package_show", id=one.id).status == 404
    assert world.context.depot.path(one.resource).exists()
    assert editor.post("dataset_purge", id=one.name).result is None
    assert editor.get("package_show", id=one.id).status == 404
    assert editor.get("resource_show", id=one.resource).status == 404
    assert not world.context.depot.path(one.resource).exists()
    for action in ("package_delete", "dataset_purge"):
        refused = world.people["A"].post(action, id=one.id)
        assert refused.message == f"Access denied: Action {action} requires an authenticated user"


# --- administrators -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x"},
        {"notes": "x"},
        {"license_id": "CC-BY-NC-4.0"},
        {"license_id": "none"},
        {"private": True},
        {"tags": [{"name": "xx"}]},
        {"name": "chosen-by-admin"},
    ],
    ids=str,
)
def test_an_administrator_changes_active_datasets(world: World, change: dict[str, Any]) -> None:
    found = world.people["S"].post("package_patch", id=world.dataset("public").id, **change).result
    if "tags" not in change:
        assert {key: found[key] for key in change} == change


def test_an_administrator_appends_files_and_removes_them(world: World) -> None:
    one, admin = world.dataset("public"), world.people["S"]
    added = admin.upload("resource_create", {"package_id": one.id}, "upload", "later.txt", b"x").result
    assert (added["name"], added["position"]) == ("later.txt", 1)
    assert admin.post("resource_patch", id=added["id"], description="later").result["description"] == "later"
    assert admin.post("resource_delete", id=added["id"]).result is None
    assert [one["name"] for one in admin.get("package_show", id=one.id).result["resources"]] == ["data.rtdc"]
    assert admin.post("package_delete", id=one.id).status == 200
    assert admin.post("dataset_purge", id=one.id).status == 200


def test_even_an_administrator_can_not_activate_an_empty_draft(world: World) -> None:
    made = (
        world.people["S"]
        .post("package_create", title="T", authors="A", license_id="none", owner_org=world.circle, state="draft")
        .result
    )
    refused = world.people["S"].post("package_patch", id=made["id"], state="active")
    assert refused.error == {
        "state": ["Cannot set state of dataset to 'active', because it does not contain any resources!"]
    }


@pytest.mark.parametrize("kind", ["public", "private"])
@pytest.mark.parametrize(
    "pattern", ["-resources__0", "-resources__-1", "-resources__ID", "-resources__*", "-resources"]
)
def test_a_filter_takes_no_file_out_of_a_published_dataset(world: World, kind: str, pattern: str) -> None:
    one = world.dataset(kind)
    sent = {"match": {"id": one.id}, "filter": [pattern.replace("ID", one.resource[:8])]}
    refused = world.people["Ca"].post("package_revise", **sent)
    assert (refused.status, refused.message) == (403, NOT_ALLOWED.format("resources"))
    assert world.people["Ca"].get("package_show", id=one.id).result["num_resources"] == 1


@pytest.mark.parametrize(
    "pattern", ["-resources__0", "-resources__-1", "-resources__ID", "-resources__*", "-resources"]
)
def test_a_filter_takes_a_file_out_of_a_draft(world: World, pattern: str) -> None:
    one = world.dataset("draft")
    sent = {"match": {"id": one.id}, "filter": [pattern.replace("ID", one.resource[:8])]}
    package = world.people["Ce"].post("package_revise", **sent).result["package"]
    assert package["resources"] == []
    assert world.people["Ce"].get("resource_show", id=one.resource).status == 404


def test_a_list_that_knows_nothing_of_a_file_does_not_remove_it(world: World) -> None:
    """A client's list may be older than another client's upload."""
    one = world.dataset("draft")
    refused = world.people["Ce"].post("package_update", id=one.id, resources=[])
    assert (refused.status, refused.message) == (403, "Access denied: Only admins may do so.")


def test_an_upload_is_refused_in_the_same_words(world: World) -> None:
    one = world.dataset("public")
    fields = {"match__id": one.id, "update__resources__extend": '[{"name": "x.txt"}]'}
    refused = world.people["Ce"].upload("package_revise", fields, "update__resources__-1__upload", "x.txt", b"x")
    assert (refused.status, refused.message) == (403, NOT_ALLOWED.format("resources"))


def test_a_system_administrator_sets_a_published_dataset_back_and_deletes_it(world: World) -> None:
    admin, one = world.people["S"], world.dataset("public")
    assert admin.post("package_patch", id=one.id, state="draft").result["state"] == "draft"
    assert world.people["A"].get("package_show", id=one.id).status == 404
    other = world.dataset("private")
    assert admin.post("package_patch", id=other.id, state="deleted").result["state"] == "deleted"
    third = world.dataset("public")
    assert admin.post("package_delete", id=third.id).result is None
    assert admin.get("package_show", id=third.id).result["state"] == "deleted"
