"""What CKAN's actions keep besides DCOR's own fields, and what administrators may do that others may not, as CKAN documents it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.api.permission_fixture import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.stop()


_EXTRAS = [{"key": "project", "value": "Zu\u0308rich 7"}, {"key": "Grant", "value": "12"}]
_SHOWN = [{"key": "Grant", "value": "12"}, {"key": "project", "value": "Z\u00fcrich 7"}]


@pytest.mark.parametrize("word", ["group", "organization"])
def test_extras_of_groups_are_kept(world: World, word: str) -> None:
    admin = world.people["S"]
    made = admin.post(f"{word}_create", name=f"extra-{word}", extras=_EXTRAS).result
    assert made["extras"] == _SHOWN
    assert admin.get(f"{word}_show", id=made["id"]).result["extras"] == _SHOWN
    assert "extras" not in admin.get(f"{word}_show", id=made["id"], include_extras=False).result
    listed = admin.post(f"{word}_list", all_fields=True, include_extras=True, **{f"{word}s": [made["id"]]}).result
    assert listed[0]["extras"] == _SHOWN
    assert admin.post(f"{word}_patch", id=made["id"], title="T").result["extras"] == _SHOWN, "what is not named stays"
    assert admin.post(f"{word}_patch", id=made["id"], extras=[]).result["extras"] == []


def test_extras_of_datasets_are_kept_and_found(world: World) -> None:
    editor = world.people["Ce"]
    sent = {"title": "Extra", "authors": "A", "license_id": "CC0-1.0", "owner_org": "circle"}
    made = editor.post("package_create", **sent, extras=_EXTRAS).result
    assert made["extras"] == _SHOWN
    assert editor.post("package_patch", id=made["id"], notes="N").result["extras"] == _SHOWN
    drafts = {"include_drafts": True, "include_private": True}
    for query in ("extras_Grant:12", 'extras_project:"Z\u00fcrich 7"', "z\u00fcrich"):
        found = editor.get("package_search", q=query, **drafts).result["results"]
        assert made["id"] in [one["id"] for one in found], query
    assert editor.get("package_search", q="extras_Grant:13", **drafts).result["count"] == 0
    changed = editor.post("package_patch", id=made["id"], extras=[*_SHOWN[1:], {"key": "x", "value": 4.5}]).result
    assert changed["extras"] == [_SHOWN[1], {"key": "x", "value": "4.5"}]
    assert editor.get("package_search", q="extras_Grant:12", **drafts).result["count"] == 0
    gone = editor.post("package_patch", id=made["id"], extras=[{"key": "x", "value": "", "deleted": True}]).result
    assert gone["extras"] == []


def test_extras_of_published_datasets_stay(world: World) -> None:
    dataset = world.dataset("public")
    refused = world.people["Ce"].post("package_patch", id=dataset.id, extras=_EXTRAS)
    assert (refused.status, "Changing 'extras' not allowed for non-draft datasets!" in refused.message) == (403, True)
    sent_back = world.people["Ce"].post("package_patch", id=dataset.id, extras=[])
    assert sent_back.status == 200, "a client may send back what it was given"
    assert world.people["S"].post("package_patch", id=dataset.id, extras=_EXTRAS).result["extras"] == _SHOWN


@pytest.mark.parametrize(
    ("extras", "field"),
    [
        ("project", "extras"),
        ([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], "extras_validation"),
        ([{"key": "", "value": "1"}], "extras"),
        ([{"key": "a"}], "extras"),
        ([{"key": "a", "value": ["1"]}], "extras"),
        ([{"key": "a", "value": "\0"}], "extras"),
        ([{"key": "a" * 101, "value": "1"}], "extras"),
        ([{"key": "title", "value": "1"}], "extras"),
        (["a"], "extras"),
    ],
)
@pytest.mark.parametrize("action", ["package_create", "group_create", "organization_create"])
def test_extras_of_a_wrong_form_are_refused(world: World, action: str, extras: Any, field: str) -> None:
    sent = {"authors": "A", "license_id": "CC0-1.0", "owner_org": "circle"} if action == "package_create" else {}
    refused = world.people["S"].post(action, name="wrong-extras", title="Wrong", **sent, extras=extras)
    assert (refused.status, list(refused.error)) == (409, [field])


def test_extras_have_a_bound_together(world: World) -> None:
    one = world.dataset("draft")
    many = [{"key": f"k{number}", "value": "x" * 19_000} for number in range(30)]
    for action, more in (("package_patch", {"id": one.id}), ("organization_patch", {"id": world.circle})):
        refused = world.people["Ca"].post(action, extras=many, **more)
        assert (refused.status, refused.error) == (
            409,
            {"extras": ["All extras together may have at most 500000 characters"]},
        )
        assert world.people["Ca"].post(action, extras=many[:20], **more).status == 200
    fields = {entry["key"]: entry["value"] for entry in many}
    assert world.people["S"].post("resource_patch", id=one.resource, **fields).status == 409


def test_dcors_own_fields_are_no_extras(world: World) -> None:
    sent = {"title": "T", "authors": "A", "license_id": "CC0-1.0", "owner_org": "circle"}
    refused = world.people["S"].post("package_create", **sent, extras=[{"key": "doi", "value": "10.1/2"}])
    assert refused.error == {"extras": [{"key": ["There is a schema field with the same name"]}]}


def test_administrators_rename_files(world: World) -> None:
    dataset, admin = world.dataset("draft"), world.people["S"]
    renamed = {"id": dataset.resource, "name": "other.rtdc"}
    assert world.people["Ce"].post("resource_patch", **renamed).status == 403
    shown = admin.post("resource_patch", **renamed).result
    assert (shown["name"], shown["url"].rpartition("/")[2]) == ("other.rtdc", "other.rtdc")
    shown = admin.post(
        "package_revise", match={"id": dataset.id}, update__resources__0={"name": "third.rtdc", "description": "D"}
    ).result["package"]["resources"][0]
    assert (shown["name"], shown["description"]) == ("third.rtdc", "D")
    found = admin.get("package_search", q="res_name:third.rtdc", include_drafts=True, include_private=True).result
    assert [one["id"] for one in found["results"]] == [dataset.id]
    assert admin.fetch(shown["url"].removeprefix(world.appliance.url)).status_code == 200
    for name in ("third.txt", "third", "a/b.rtdc"):
        assert list(admin.post("resource_patch", id=dataset.resource, name=name).error) == ["name"], name


def test_fields_of_ones_own_of_files_are_kept(world: World) -> None:
    dataset, admin = world.dataset("draft"), world.people["S"]
    sent = {"package_id": dataset.id, "alt_url": "https://example.org/1", "checked": "true"}
    made = admin.upload("resource_create", sent, "upload", "extra.txt", b"1").result
    assert (made["alt_url"], made["checked"]) == ("https://example.org/1", "true")
    shown = admin.post("resource_patch", id=made["id"], count=3, checked="").result
    assert (shown["alt_url"], shown["count"], "checked" in shown) == ("https://example.org/1", 3, False)
    assert admin.post("resource_patch", id=made["id"], description="D").result["count"] == 3
    listed = admin.get("package_show", id=dataset.id).result["resources"]
    assert listed[-1]["count"] == 3
    listed[-1]["count"] = 4
    assert admin.post("package_update", id=dataset.id, resources=listed).result["resources"][-1]["count"] == 4
    for values in ({"count": 5}, {"something": 1}):
        assert world.people["Ce"].post("resource_patch", id=made["id"], **values).status == 403
    sent_back = admin.get("resource_show", id=made["id"]).result | {"description": "E"}
    assert world.people["Ce"].post("resource_patch", **sent_back).result["count"] == 4
    no_key = {"package_id": dataset.id, "alt_url": "https://example.org/1"}
    assert world.people["Ce"].upload("resource_create", no_key, "upload", "other.txt", b"1").status == 403


@pytest.mark.parametrize(
    "value",
    [[3], ["a", None], {}, {"someotherkey": "alt234", "Zu\u0308rich": {"deep": [1.5, True]}}, [[], {"a": []}]],
)
def test_fields_of_ones_own_of_files_may_be_lists_and_objects(world: World, value: Any) -> None:
    dataset, admin = world.dataset("draft"), world.people["S"]
    composed = json.loads(json.dumps(value).replace("u\\u0308", "\\u00fc"))
    made = admin.post("resource_patch", id=dataset.resource, mine=value).result
    assert made["mine"] == composed
    assert admin.post("resource_patch", id=dataset.resource, description="D").result["mine"] == composed
    listed = admin.get("package_show", id=dataset.id).result["resources"]
    assert listed[0]["mine"] == composed
    assert world.people["Ce"].post("resource_patch", **listed[0] | {"description": "E"}).status == 200
    assert world.people["Ce"].post("resource_patch", id=dataset.resource, mine=[1, 2]).status == 403
    assert "mine" not in admin.post("resource_patch", id=dataset.resource, mine=None).result


def test_extras_of_a_file_are_left_out_as_in_ckan(world: World) -> None:
    """Its own test: ``somekey="somevalue"`` is how to do it, ``extras={…}`` is not."""
    shown = (
        world.people["S"]
        .post("resource_patch", id=world.dataset("draft").resource, some="v", extras={"other": 1})
        .result
    )
    assert shown["some"] == "v"
    assert shown.keys().isdisjoint({"extras", "other"})


@pytest.mark.parametrize(
    "value", [{"a": ["\0"]}, ["  "], {"\0": 1}, ["x" * 20_001], {"a": "x" * 20_001}, "x" * 20_001, list(range(9000))]
)
def test_fields_of_files_that_do_not_hold_are_refused(world: World, value: Any) -> None:
    refused = world.people["S"].post("resource_patch", id=world.dataset("draft").resource, mine=value)
    assert (refused.status, list(refused.error)) == (409, ["mine"])


def test_a_field_that_is_sent_in_two_spellings_is_refused(world: World) -> None:
    twice = {"Zu\u0308rich": 1, "Z\u00fcrich": 2}
    refused = world.people["S"].post("resource_patch", id=world.dataset("draft").resource, **twice)
    assert (refused.status, list(refused.error)) == (409, ["extras"])


def test_names_of_fields_of_files_are_composed(world: World) -> None:
    made = (
        world.people["S"].post("resource_patch", id=world.dataset("draft").resource, **{"Gro\u0308\u00dfe": 1}).result
    )
    assert made["Gr\u00f6\u00dfe"] == 1


def test_a_file_never_has_too_many_fields_to_be_changed(world: World) -> None:
    dataset, admin = world.dataset("draft"), world.people["S"]
    made = admin.upload("resource_create", {"package_id": dataset.id}, "upload", "many.txt", b"1").result["id"]
    assert admin.post("resource_patch", id=made, **{f"a{n}": n for n in range(150)}).status == 200
    refused = admin.post("resource_patch", id=made, **{f"b{n}": n for n in range(150)})
    assert (refused.status, list(refused.error)) == (409, ["extras"])
    assert admin.post("resource_patch", id=made, description="still").result["description"] == "still"
    assert "a7" not in admin.post("resource_patch", id=made, a7="").result


def test_collaborators_stand_in_the_order_in_which_they_came(world: World) -> None:
    dataset, admin = world.datasets("private")[0], world.people["S"]
    names = [world.user() for _ in range(3)][::-1]
    for name in names:
        admin.post("package_collaborator_create", id=dataset.id, user_id=name, capacity="member")
    ids = [admin.get("user_show", id=name).result["id"] for name in names]
    assert [one["user_id"] for one in admin.get("package_collaborator_list", id=dataset.id).result][-3:] == ids


def test_accounts_are_made_deleted(world: World) -> None:
    admin, sent = world.people["S"], {"name": "gone-at-once", "email": "gone@example.org"}
    assert list(admin.post("user_create", **sent, state="tired").error) == ["state"]
    assert world.people["U"].post("user_create", **sent, state="deleted").status == 403
    assert admin.post("user_create", **sent, state="deleted").result["state"] == "deleted"
    assert "gone-at-once" not in admin.get("user_list", all_fields=False).result


def test_accounts_wait_and_are_let_in(world: World) -> None:
    admin, sent = world.people["S"], {"name": "invited", "email": "invited@example.org"}
    made = admin.post("user_create", **sent, state="pending").result
    assert made["state"] == "pending"
    changed = {"id": made["id"], "email": sent["email"]}
    assert admin.post("user_update", **changed, state="active").result["state"] == "active"
    assert admin.post("user_update", **changed, state="pending").result["state"] == "pending"
    assert list(admin.post("user_update", **changed, state="deleted").error) == ["state"]
    known = admin.get("user_show", id="admin").result["email"]
    refused = admin.post("user_update", id="admin", email=known, state="pending")
    assert (refused.status, list(refused.error)) == (409, ["message"]), "the last administrator stays"


@pytest.mark.parametrize("action", ["member_create", "member_delete"])
def test_a_dataset_that_is_not_there_is_missed_first(world: World, action: str) -> None:
    sent = {"id": "circle", "object_type": "package", "capacity": "member"}
    assert world.people["S"].post(action, object="no-such", **sent).status == 404
    assert world.people["S"].post(action, object=world.dataset("public").id, **sent).status == 409
    assert world.people["Ce"].post(action, object=world.dataset("public").id, **sent).status == 403, "rights come first"


@pytest.mark.parametrize(
    ("name", "mimetype", "format_"),
    [("a.rtdc", "RT-DC", "RT-DC"), ("a.json", "application/json", "JSON"), ("a.svg", "image/svg+xml", "SVG"), ("a.none", None, ""), ("a", None, "")],
)  # fmt: skip
def test_files_are_what_their_names_say(world: World, name: str, mimetype: str | None, format_: str) -> None:
    made = world.people["S"].upload(
        "resource_create", {"package_id": world.dataset("draft").id}, "upload", f"x-{name}", b"1"
    )
    assert (made.result["mimetype"], made.result["format"]) == (mimetype, format_)
    sent = world.people["S"].fetch(made.result["url"].removeprefix(world.appliance.url))
    assert sent.headers["Content-Type"] == "application/octet-stream", "no browser runs what somebody has uploaded"
