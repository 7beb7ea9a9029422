"""What each of CKAN's actions does with each parameter that CKAN documents: honoured, refused with a reason, or not applicable.

The table is `ckan_parameters`. A parameter that is known upstream is never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.web.api.registry import ACTIONS
from appliance.web.api.upstream import REFUSED
from tests.contract.ckan_parameters import CKAN, DCOR, KINDS, OURS, PARAMETERS, UNKNOWN
from tests.web.api.permission_fixture import World

PAIRS = [(action, name, kind) for action, row in PARAMETERS.items() for name, kind in row.items()]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.stop()


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_entry_is_of_a_known_kind() -> None:
    assert {kind for _, _, kind in PAIRS} <= KINDS.keys()
    assert len(PAIRS) > 350


@pytest.mark.parametrize("action", PARAMETERS)
def test_the_declaration_says_the_same(action: str) -> None:
    declared = ACTIONS[action]
    names = {name for parameter in declared.parameters for name in (parameter.name, *parameter.aliases)}
    row = PARAMETERS[action]
    assert {name for name, kind in row.items() if kind == "declared"} <= names
    assert {name for name, kind in row.items() if kind == "refused"} == REFUSED.get(action, {}).keys()


def test_every_action_of_upstream_is_in_the_table() -> None:
    listed = [*PARAMETERS, *" ".join(UNKNOWN.values()).split(), *OURS]
    assert len(listed) == len(set(listed))
    assert PARAMETERS.keys() | OURS == ACTIONS.keys()
    assert set(listed) == CKAN | DCOR | OURS


def test_actions_that_do_not_exist_here_are_unknown(world: World) -> None:
    for name in " ".join(UNKNOWN.values()).split():
        assert name not in ACTIONS
        assert world.people["S"].post(name).body == f"Bad request - Action name not known: {name}"


@pytest.mark.parametrize(("action", "name"), [(action, name) for action, row in REFUSED.items() for name in row])
def test_what_is_refused_is_refused_with_its_reason(world: World, action: str, name: str) -> None:
    refused = world.people["S"].post(action, **_needed(action), **{name: "something else"})
    assert (refused.status, refused.error) == (409, {name: [REFUSED[action][name].reason]})


@pytest.mark.parametrize(("action", "name"), [(action, name) for action, row in REFUSED.items() for name in row])
def test_what_is_the_case_anyway_is_accepted(world: World, action: str, name: str) -> None:
    for value in (None, "", *REFUSED[action][name].harmless):
        answer = world.people["S"].post(action, **_needed(action), **{name: value})
        assert answer.status == 200 or name not in answer.error, value


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_numbers_that_are_none_break_nothing(world: World, action: str) -> None:
    """Also where an action does not declare them."""
    for value in ("x", "", [[]], {"a": 1}, 10**30, -1, 1.5):
        odd = dict.fromkeys(("limit", "offset", "rows", "start", "page"), value)
        assert world.people["S"].post(action, **odd | _needed(action)).status < 500, value


def _needed(action: str) -> dict[str, Any]:
    """Required parameters, with values that lead to nothing."""
    return {parameter.name: "no-such-thing" for parameter in ACTIONS[action].parameters if parameter.required}


# --- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["group", "organization"])
@pytest.mark.parametrize("sort", ["colour", "name sideways", "name asc, title", "; drop"])
def test_a_sort_that_is_none_is_refused(world: World, word: str, sort: str) -> None:
    for key in ("sort", "order_by"):
        assert list(world.people["U"].post(f"{word}_list", **{key: sort}).error) == ["sort"]


@pytest.mark.parametrize("word", ["group", "organization"])
def test_lists_honour_what_is_asked_for(world: World, word: str) -> None:
    ask = world.people["S"].post
    kind = "collection" if word == "group" else "circle"
    first, second = world.fresh(kind), world.fresh(kind)
    for name in ("first", "second", "third"):
        sent: dict[str, Any] = {"title": name, "authors": "A", "license_id": "CC0-1.0"}
        target = first if name == "first" else second
        sent |= {"owner_org": target} if word == "organization" else {"owner_org": "circle", "groups": [{"id": target}]}
        ask("package_create", **sent).result  # noqa: B018
    chosen = {f"{word}s": [first, second]}
    shown = {one["id"]: one["name"] for one in ask(f"{word}_list", all_fields=True, **chosen).result}
    ascending = ask(f"{word}_list", sort="package_count asc", **chosen).result
    assert ascending == [shown[first], shown[second]]
    assert ask(f"{word}_list", order_by="package_count desc", **chosen).result == ascending[::-1]
    assert ask(f"{word}_list", type="somethingelse").result == []
    assert ask(f"{word}_list", type=word, **chosen).result != []
    plain = ask(f"{word}_list", all_fields=True, **chosen).result[0]
    assert not {"extras", "groups", "tags", "users"} & plain.keys()
    flags = {f"include_{key}": True for key in ("extras", "groups", "tags", "users")}
    full = ask(f"{word}_list", all_fields=True, include_dataset_count=False, **flags, **chosen).result[0]
    assert (full["extras"], full["groups"], full["tags"], "package_count" in full) == ([], [], [], False)
    assert {user["capacity"] for user in full["users"]} == {"admin", "editor", "member"}
    bare = ask(f"{word}_show", id=second, include_followers=False, include_tags=False).result
    assert "num_followers" not in bare
    assert "tags" not in bare
    assert [one["title"] for one in ask(f"{word}_show", id=second, include_datasets=True).result["packages"]] == [
        "third",
        "second",
    ]


def test_lists_of_users_are_sorted_as_asked(world: World) -> None:
    ask = world.people["S"].post
    names = [user["display_name"] for user in ask("user_list").result]
    assert names == sorted(names), "as CKAN: by what is displayed, where nothing else is asked for"
    created = [user["created"] for user in ask("user_list", order_by="created").result]
    assert created == sorted(created)
    counts = [user["number_created_packages"] for user in ask("user_list", order_by="number_created_packages").result]
    assert counts == sorted(counts)
    assert list(ask("user_list", order_by="edits").error) == ["order_by"]
    assert list(ask("package_collaborator_list_for_user", capacity="king").error) == ["message"]


def test_pages_of_the_current_list(world: World) -> None:
    ask = world.people["S"].post
    every = [one["id"] for one in ask("current_package_list_with_resources", limit=4).result]
    assert [one["id"] for one in ask("current_package_list_with_resources", limit=2, page=2).result] == every[2:]


# --- values of a wrong kind -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["user_update", "user_patch"])
@pytest.mark.parametrize(
    ("sent", "field"),
    [
        *(({"name": name}, "name") for name in ("updated", "", "a", False, 0, -1, 23, "new", "a" * 200, "Hi!", "founder")),
        *(({"password": password}, "password") for password in (None, False, -1, 23, 30.7, ["a"], "xxx")),
        ({"state": "deleted"}, "state"),
        ({"fullname": ["a"]}, "fullname"),
        ({"fullname": "  "}, "fullname"),
        ({"about": "a\0b"}, "about"),
    ],
)  # fmt: skip
def test_profiles_with_wrong_values_are_refused(world: World, action: str, sent: dict[str, Any], field: str) -> None:
    name = world.user()
    refused = world.people["S"].post(action, id=name, email=f"{name}@example.org", **sent)
    assert (refused.status, list(refused.error)) == (409, [field])


def test_all_that_is_missing_is_said_at_once(world: World) -> None:
    missing = {"name": ["Missing value"], "email": ["Missing value"]}
    assert world.people["S"].post("user_create").error == missing
    assert world.people["S"].post("user_create", name="incomplete").error == {"email": ["Missing value"]}


def test_an_empty_password_changes_nothing(world: World) -> None:
    name = world.user()
    assert world.people["S"].post("user_update", id=name, email=f"{name}@example.org", password="").status == 200


@pytest.mark.parametrize("action", ["user_update", "user_patch"])
def test_administrators_make_administrators(world: World, action: str) -> None:
    name, admin = world.user(), world.people["S"]
    sent = {"id": name, "email": f"{name}@example.org"}
    own = world.appliance.person(name)
    assert own.post(action, **sent, sysadmin=True).result["sysadmin"] is False, "it tells others only what is so"
    assert list(admin.post(action, **sent, sysadmin="perhaps").error) == ["sysadmin"]
    assert admin.post(action, **sent, sysadmin="true").result["sysadmin"] is True
    assert admin.post(action, **sent).result["sysadmin"] is True, "what is not said stays"
    assert admin.post(action, **sent, sysadmin=False).result["sysadmin"] is False
    known = admin.get("user_show", id="admin").result["email"]  # another one would need the password
    refused = admin.post(action, id="admin", email=known, sysadmin=False)
    assert (refused.status, list(refused.error)) == (409, ["message"]), "the last one stays"
    assert admin.get("user_show", id="admin").result["sysadmin"] is True


def test_accounts_are_made_with_the_rights_that_are_said(world: World) -> None:
    sent = {"name": "second-admin", "email": "second@example.org", "sysadmin": True}
    made = world.people["S"].post("user_create", **sent).result
    assert made["sysadmin"] is True
    world.people["S"].post("user_delete", id=made["id"])


@pytest.mark.parametrize("title", ["   ", "\t\n", "a\0b", "\u00a0\u2003"])
@pytest.mark.parametrize("action", ["package_create", "group_create", "organization_create"])
def test_titles_of_nothing_are_refused(world: World, action: str, title: str) -> None:
    sent = {"authors": "A", "license_id": "CC0-1.0", "owner_org": "circle"} if action == "package_create" else {}
    refused = world.people["S"].post(action, name=f"untitled-{action[:3]}", title=title, **sent)
    assert (refused.status, list(refused.error)) == (409, ["title"])


def test_texts_are_composed_wherever_they_enter(world: World) -> None:
    apart, composed = "Zu\u0308rich", "Z\u00fcrich"
    made = world.people["S"].post(
        "package_create", title=apart, authors=apart, license_id="CC0-1.0", owner_org="circle", tags=[{"name": apart}]
    ).result  # fmt: skip
    assert (made["title"], made["authors"], made["tags"][0]["name"]) == (composed, composed, composed)
    for spelling in (apart, composed):
        assert world.people["A"].get("package_search", q=f"title:{spelling}").result["count"] == 1
        assert world.people["A"].get("tag_show", id=spelling).result["name"] == composed
        assert world.people["A"].get("package_search", fq=f'tags:"{spelling}"').result["count"] == 1


# --- ids that administrators choose -----------------------------------------------------------------------------------

_ID = "11111111-2222-4333-8444-{:012d}"


@pytest.mark.parametrize(
    ("number", "action", "fields"),
    [
        (1, "group_create", {"name": "chosen-group"}),
        (2, "organization_create", {"name": "chosen-circle"}),
        (3, "user_create", {"name": "chosen-user", "email": "chosen@example.org"}),
        (4, "package_create", {"title": "Chosen", "authors": "A", "license_id": "CC0-1.0", "owner_org": "circle"}),
    ],
)
def test_administrators_choose_ids(world: World, number: int, action: str, fields: dict[str, Any]) -> None:
    id_ = _ID.format(number)
    again = fields | {key: f"x{value}" for key, value in fields.items() if key in ("name", "email")}
    refused = world.people["Ca"].post(action, id=id_, **fields)
    community = action in ("group_create", "organization_create")  # CKAN does not know the field there, DCOR forbids it
    assert refused.status == (409 if community else 403)
    assert not community or refused.error == {"id": ["The input field id was not expected."]}
    assert world.people["S"].post(action, id=id_, **fields).result["id"] == id_
    assert world.people["Ca"].post(action, id=id_, **again).error == refused.error, "the right is asked first"
    taken = world.people["S"].post(action, id=id_, **again).error
    assert list(taken) == ["id"]
    assert "already exists" in taken["id"][0]
    assert list(world.people["S"].post(action, id="a/b", **again).error) == ["id"]


def test_the_name_of_a_deleted_dataset_may_be_used_again(world: World) -> None:
    sent = {"name": "used-twice", "title": "T", "authors": "A", "license_id": "CC0-1.0", "owner_org": "circle"}
    first = world.people["S"].post("package_create", **sent).result
    assert list(world.people["S"].post("package_create", **sent).error) == ["name"]
    world.people["S"].post("package_delete", id=first["id"])
    second = world.people["S"].post("package_create", **sent).result
    assert (second["name"], second["id"] == first["id"]) == ("used-twice", False)


def test_administrators_make_datasets_in_every_state(world: World) -> None:
    sent = {"title": "Mirrored", "authors": "A", "license_id": "CC0-1.0", "owner_org": "circle"}
    for state in ("draft", "active", "deleted"):
        made = world.people["S"].post("package_create", **sent, state=state).result
        assert made["state"] == state
        found = world.people["A"].get("package_search", fq=f"id:{made['id']}").result["count"]
        assert found == (1 if state == "active" else 0)
        if state != "draft":
            assert list(world.people["Ca"].post("package_create", **sent, state=state).error) == ["state"]
    assert list(world.people["S"].post("package_create", **sent, state="finished").error) == ["state"]


def test_administrators_find_people_by_their_address(world: World) -> None:
    name = world.user()
    assert [one["name"] for one in world.people["S"].get("user_autocomplete", q=f"{name}@example.org").result] == [name]
    assert world.people["U"].get("user_autocomplete", q=f"{name}@example.org").result == []


# --- many at once, tags, members --------------------------------------------------------------------------------------


def test_bulk_actions(world: World) -> None:
    circle, admin = world.fresh("circle"), world.people["S"]
    sent = {"authors": "A", "license_id": "CC0-1.0", "owner_org": circle}
    ids = [admin.post("package_create", title=f"Bulk {number}", **sent).result["id"] for number in range(2)]
    for action in ("bulk_update_private", "bulk_update_delete"):
        refused = world.people["Ca"].post(action, org_id=circle, datasets=ids)
        assert (refused.status, refused.message) == (403, "Access denied: Only admins may do so.")
    assert admin.post("bulk_update_private", org_id=circle, datasets=[*ids, "no-such"]).status == 404
    assert admin.get("package_show", id=ids[0]).result["private"] is False, "all or none"
    assert admin.post("bulk_update_private", org_id=circle, datasets=ids).status == 200
    assert {admin.get("package_show", id=one).result["private"] for one in ids} == {True}
    assert admin.post("bulk_update_public", org_id=circle, datasets=ids).status == 200
    assert admin.post("bulk_update_delete", org_id=circle, datasets=ids).status == 200
    assert {admin.get("package_show", id=one).result["state"] for one in ids} == {"deleted"}


def test_tags_of_any_script(world: World) -> None:
    admin, name = world.people["S"], "Flexible. \u30a1"
    sent = {"title": "Tagged", "authors": "A", "license_id": "CC0-1.0", "owner_org": "circle", "tags": [{"name": name}]}
    made = admin.post("package_create", **sent).result
    shown = admin.post("tag_show", id=name, include_datasets=True).result
    assert (shown["name"], shown["display_name"], [one["id"] for one in shown["packages"]]) == (
        name,
        name,
        [made["id"]],
    )
    assert name in [one["name"] for one in admin.post("tag_list", all_fields=True).result]
    assert world.people["Ca"].post("tag_delete", id=name).status == 403
    assert admin.post("tag_delete", id=name, vocabulary_id="x").status == 404
    assert admin.post("tag_delete", id=name).result is None
    assert admin.post("tag_delete", id=name).status == 404
    assert admin.get("package_show", id=made["id"]).result["tags"] == []
    assert admin.post("tag_create", name="new", vocabulary_id="x").error == {
        "vocabulary_id": ["Tag vocabulary was not found."]
    }
    assert admin.post("tag_create", name="new").error == {"vocabulary_id": ["Missing value"]}


@pytest.mark.parametrize("word", ["group", "organization"])
def test_a_description_may_be_sent_back_whole_but_not_with_other_members(world: World, word: str) -> None:
    admin = world.people["S"]
    id_ = world.fresh("collection" if word == "group" else "circle")
    whole = admin.get(f"{word}_show", id=id_, include_users=True).result
    assert admin.post(f"{word}_update", **whole | {"title": "Other"}).result["title"] == "Other"
    fewer = whole | {"users": whole["users"][1:]}
    assert re.match(f"Use {word}_member_create", admin.post(f"{word}_update", **fewer).error["users"][0])


def test_administrators_bring_a_deleted_dataset_back_by_its_state(world: World) -> None:
    """As CKAN: `state` alone decides. What it had left (here: a collaborator) comes back with it."""
    admin = world.people["S"]
    sent = {"authors": "A", "license_id": "CC0-1.0", "owner_org": "circle"}
    for wanted in ("active", "draft"):
        made = admin.post("package_create", title="Back", name=f"back-{wanted}", **sent).result
        admin.post("package_collaborator_create", id=made["id"], user_id=world.user(), capacity="member")
        admin.post("package_delete", id=made["id"])
        refused = world.people["Ca"].post("package_patch", id=made["id"], state=wanted)
        assert refused.status in (403, 404)
        assert admin.post("package_patch", id=made["id"], state=wanted).result["state"] == wanted
        assert len(admin.get("package_collaborator_list", id=made["id"]).result) == 1
        admin.post("package_delete", id=made["id"])
        admin.post("package_create", title="Another", name=f"back-{wanted}", **sent).result  # noqa: B018
        assert list(admin.post("package_patch", id=made["id"], state=wanted).error) == ["name"]
        back = admin.post("package_patch", id=made["id"], state=wanted, name=f"back-as-{wanted}").result
        assert (back["state"], back["name"]) == (wanted, f"back-as-{wanted}")


@pytest.mark.parametrize("word", ["dataset", "group", "user"])
def test_what_cannot_be_followed_is_a_wrong_value(world: World, word: str) -> None:
    """409 with the field's name, as CKAN; what is hidden answers the same as what is missing."""
    for action in (f"follow_{word}", f"unfollow_{word}", f"am_following_{word}", f"{word}_follower_count"):
        refused = world.people["U"].post(action, id="nothing-of-this-name")
        assert (refused.status, refused.error) == (409, {"id": [f"Not found: {word.title()}"]})
