"""Accounts, profiles, tokens and sharing."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.server import Person
from tests.web.api.permission_fixture import World

KEYS = {
    "id", "name", "fullname", "display_name", "created", "about", "last_active", "activity_streams_email_notifications", "sysadmin", "state",
    "image_url", "image_display_url", "email_hash", "number_created_packages", "email", "apikey",
}  # fmt: skip


def person(world: World) -> Person:
    """Somebody new."""
    return world.appliance.person(f"{world.user()}-p")


def test_a_user_as_dcoraid_reads_it(world: World) -> None:
    someone = person(world)
    shown = someone.get("user_show").result
    assert shown.keys() == KEYS
    assert shown["about"] == ""
    assert shown["apikey"] is None
    assert shown["number_created_packages"] == 0
    assert shown["email_hash"] == hashlib.md5(f"{someone.name}@example.org".encode()).hexdigest()
    assert shown["last_active"] is not None
    own = someone.circle(f"c-{someone.name}")
    someone.draft(own["name"])
    assert someone.get("user_show", id=someone.name).result["number_created_packages"] == 1
    included = someone.get("user_show", include_datasets=True, include_num_followers=True).result
    assert (len(included["datasets"]), included["num_followers"]) == (1, 0)


@pytest.mark.parametrize(
    ("who", "parameters"),
    [("A", {}), ("A", {"id": "founder"}), ("U", {"id": "founder"}), ("U", {"id": "no-such-user"})],
)
def test_nobody_learns_who_else_there_is(world: World, who: str, parameters: dict[str, str]) -> None:
    refused = world.people[who].get("user_show", **parameters)
    assert (refused.status, refused.reason) == (403, "FORBIDDEN")
    assert refused.message == "Access denied: Users may only view their own details"


def test_a_profile_may_be_sent_back_whole(world: World) -> None:
    someone = person(world)
    whole = someone.get("user_show").result
    changed = someone.post(
        "user_update", **whole | {"fullname": "New Name", "about": "me", "sysadmin": True, "nonsense": 1}
    ).result
    assert (changed["fullname"], changed["display_name"], changed["about"]) == ("New Name", "New Name", "me")
    assert changed["sysadmin"] is False
    assert changed["name"] == someone.name
    patched = someone.post("user_patch", id=someone.id, about="").result
    assert (patched["fullname"], patched["about"]) == ("New Name", "")


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, {"email": ["Missing value"]}),
        ({"email": ""}, {"email": ["Missing value"]}),
        ({"email": "not an address"}, {"email": ["Email address is not valid"]}),
        (
            {"email": "founder@example.org"},
            {"email": ["The email address 'founder@example.org' belongs to a registered user."]},
        ),
        (
            {"email": "FOUNDER@EXAMPLE.ORG"},
            {"email": ["The email address 'FOUNDER@EXAMPLE.ORG' belongs to a registered user."]},
        ),
        ({"email": "x@example.org", "fullname": "x" * 201}, {"fullname": ["At most 200 characters are accepted"]}),
        ({"email": "x@example.org", "password": "short"}, None),
        ({"email": "x@example.org", "password": "stranger@example.org"}, None),
    ],
)
def test_profiles_that_are_refused(world: World, values: dict[str, Any], error: dict[str, Any] | None) -> None:
    who = "U" if values.get("email") == "not an address" else "S"  # by a token, a new address needs the password
    refused = world.people[who].post("user_update", id="stranger", **values)
    assert refused.status == 409
    if error is None:
        assert refused.error.keys() == {"password"}
    else:
        assert refused.error == error


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "a@example.org"}, "name"),
        ({"name": "founder", "email": "a@example.org"}, "name"),
        ({"name": "Not A Name", "email": "a@example.org"}, "name"),
        ({"name": "fine-name"}, "email"),
        ({"name": "fine-name", "email": "nobody"}, "email"),
        ({"name": "fine-name", "email": "founder@example.org"}, "email"),
        ({"name": "fine-name", "email": "a@example.org", "password": "1234"}, "password"),
    ],
)
def test_accounts_that_are_refused(world: World, values: dict[str, Any], field: str) -> None:
    refused = world.people["S"].post("user_create", **values)
    assert (refused.status, list(refused.error)) == (409, [field])


def test_a_deleted_account_is_gone_and_its_datasets_stay(world: World) -> None:
    someone = person(world)
    someone.circle(f"c-{someone.name}")
    draft = someone.draft(f"c-{someone.name}")
    assert world.people["S"].post("user_delete", id=someone.name).result is None
    assert someone.get("user_show").status == 403
    assert someone.name not in [user["name"] for user in world.people["S"].get("user_list").result]
    assert someone.name not in [
        user["name"] for user in world.people["U"].get("user_autocomplete", q=someone.name).result
    ]
    assert world.people["S"].get("package_show", id=draft["id"]).result["creator_user_id"] == someone.id
    assert world.people["S"].post("user_delete", id=someone.name).status == 404


def test_the_last_administrator_stays(world: World) -> None:
    refused = world.people["S"].post("user_delete", id="admin")
    assert (refused.status, refused.message) == (
        409,
        "This is the last administrator; make someone else an administrator first.",
    )


def test_lists_of_users(world: World) -> None:
    admin = world.people["S"]
    assert [user["name"] for user in admin.get("user_list", email="founder@example.org").result] == ["founder"]
    assert admin.get("user_list", q="found", all_fields=False).result == ["founder"]
    assert all(user.keys() == KEYS for user in admin.get("user_list").result)
    found = world.people["U"].get("user_autocomplete", q="FOUND").result
    assert [(user["name"], set(user)) for user in found] == [("founder", {"id", "name", "fullname"})]
    assert world.people["U"].get("user_autocomplete", q="%").result == []


def test_tokens(world: World) -> None:
    someone = person(world)
    made = someone.post("api_token_create", user=someone.id, name="DCOR-Aid host abcde").result["token"]
    other = Person(world.appliance, someone.name, made)
    assert other.get("user_show").result["name"] == someone.name
    listed = {token["name"]: token for token in someone.get("api_token_list", user=someone.name).result}
    assert listed["DCOR-Aid host abcde"].keys() == {
        "id",
        "name",
        "user_id",
        "created_at",
        "last_access",
        "expires_at",
        "scope",
    }
    assert listed["DCOR-Aid host abcde"]["last_access"] is not None
    assert other.post("api_token_revoke", token=made).result is None  # with itself, as DCOR-Aid does
    assert other.get("user_show").status == 403
    assert someone.post("api_token_create", user=someone.id).error == {"name": ["Missing value"]}
    refused = someone.post("api_token_create", user="founder", name="x")
    assert refused.message == f"Access denied: User {someone.name} not authorized to create tokens for user founder"
    foreign = world.people["U"].get("api_token_list").result[0]["id"]
    for sent in ({"jti": foreign}, {"token": "nonsense"}, {"jti": "nonsense"}):
        refused = someone.post("api_token_revoke", **sent)
        assert refused.message == f"Access denied: User {someone.name} not authorized to revoke this token"
    assert someone.post("api_token_create", name="x", scope="king").status == 409
    short = someone.post("api_token_create", name="x", expires_in=10**15).result["token"]
    assert Person(world.appliance, someone.name, short).get("user_show").status == 200


def test_collaborators(world: World) -> None:
    one, admin, someone = world.dataset("draft"), world.people["Ca"], person(world)
    assert someone.get("package_collaborator_list_for_user").result == []
    made = admin.post("package_collaborator_create", id=one.name, user_id=someone.name, capacity="member").result
    assert made.keys() == {"package_id", "user_id", "capacity", "modified"}
    assert someone.post("package_patch", id=one.id, title="Other").status == 403
    admin.post("package_collaborator_create", id=one.id, user_id=someone.id, capacity="editor")
    assert someone.post("package_patch", id=one.id, title="Other").status == 200
    own = someone.get("package_collaborator_list_for_user", id=someone.id).result
    assert [(entry["package_id"], entry["capacity"], len(entry)) for entry in own] == [(one.id, "editor", 3)]
    assert len(admin.get("package_collaborator_list", id=one.id).result) == 3
    assert len(admin.get("package_collaborator_list", id=one.id, capacity="member").result) == 1
    assert admin.post("package_collaborator_create", id=one.id, user_id="nobody-there", capacity="member").status == 404
    refused = admin.post("package_collaborator_create", id=one.id, user_id=someone.id, capacity="admin")
    assert (refused.status, refused.message) == (409, 'Role must be one of "editor, member"')
    assert admin.post("package_collaborator_delete", id=one.id, user_id=someone.id).result is None
    assert admin.post("package_collaborator_delete", id=one.id, user_id=someone.id).status == 404
    assert someone.get("package_show", id=one.id).status == 404


@pytest.mark.parametrize(
    ("sent", "days"), [({"expires_in": 30, "unit": 86400}, 30), ({"expires_in": "2", "unit": "604800"}, 14), ({"expires_in": 86400}, 1)]
)  # fmt: skip
def test_a_token_lives_as_many_units_as_asked(world: World, sent: dict[str, Any], days: int) -> None:
    someone = person(world)
    someone.post("api_token_create", name="timed", **sent)
    (entry,) = [token for token in someone.get("api_token_list").result if token["name"] == "timed"]
    ends = datetime.fromisoformat(entry["expires_at"])
    assert abs(ends - datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)) < timedelta(hours=1)


@pytest.mark.parametrize(
    "sent",
    [{"expires_in": 0}, {"expires_in": 5, "unit": 0}, {"expires_in": -1}, {"expires_in": "soon"}, {"unit": 86400}],
)
def test_a_token_without_a_life_is_refused(world: World, sent: dict[str, Any]) -> None:
    assert list(person(world).post("api_token_create", name="timed", **sent).error) == ["expires_in"]
