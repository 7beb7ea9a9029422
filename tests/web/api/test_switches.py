"""Switches of a site, scopes of tokens, and that a right which was taken away is gone with the next request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from appliance.actions import accounts, communities
from appliance.model.viewer import OPERATOR
from appliance.security.limits import Limiter, Rates
from appliance.store import communities as stored
from appliance.store import sharing
from appliance.store.database import Database
from appliance.web.api.registry import ACTIONS
from tests.support.server import Person
from tests.web.api.permission_fixture import Dataset, World


@pytest.fixture(scope="module")
def clinic() -> Iterator[World]:
    """A site as it is installed: nothing without signing in."""
    world = World(**{"policy.anonymous_access": False})
    yield world
    world.stop()


@pytest.fixture(scope="module")
def medical() -> Iterator[World]:
    """DCOR-med: only private data, founded by administrators alone."""
    switches = {
        "policy.public_datasets": False, "policy.users_create_circles": False, "policy.users_create_collections": False,
        "policy.licences": "medical", "policy.anonymous_access": False,
    }  # fmt: skip
    world = World(**switches)
    yield world
    world.stop()


# --- nothing without signing in ---------------------------------------------------------------------------------------

OPEN = {"status_show", "help_show"}


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_a_clinic_shows_strangers_nothing(clinic: World, name: str) -> None:
    ask = clinic.people["A"].get if ACTIONS[name].get else clinic.people["A"].post
    answer = ask(name)
    if name in OPEN:
        assert answer.status in {200, 409}, answer.body
    else:
        assert (answer.status, answer.reason) == (403, "FORBIDDEN"), answer.body
        assert answer.message.startswith("Access denied"), answer.body


def test_a_clinic_keeps_files_of_public_datasets_inside(clinic: World) -> None:
    one = clinic.dataset("public")
    path = f"/dataset/{one.id}/resource/{one.resource}/download/data.rtdc"
    assert clinic.people["A"].fetch(path).status_code == 404
    assert clinic.people["U"].fetch(path).status_code == 200
    basins = clinic.people["U"].get("dcserv", id=one.resource, query="basins", version=2).result
    assert [basin["perishable"] for basin in basins] == [True, True]
    assert all("signature=" in basin["urls"][0] for basin in basins)
    assert clinic.people["A"].http.get(basins[0]["urls"][0]).status_code == 200
    assert clinic.people["A"].http.get(basins[0]["urls"][0].partition("?")[0]).status_code == 404


def test_nobody_registers_at_a_clinic(clinic: World) -> None:
    new = {"name": "newcomer", "email": "new@example.org", "password": "four words make sense"}
    assert clinic.people["A"].post("user_create", **new).status == 403
    assert clinic.people["Ca"].post("user_create", **new).status == 403


def test_a_playground_lets_people_register_and_gives_them_a_token() -> None:
    world = World(**{"policy.self_registration": True})
    try:
        new = {
            "name": "newcomer",
            "email": "new@example.org",
            "password": "four words make sense",
            "with_apitoken": True,
        }
        made = world.people["A"].post("user_create", **new).result
        assert made["name"] == "newcomer"
        assert made["sysadmin"] is False
        newcomer = Person(world.appliance, "newcomer", made["token"], made["id"])
        assert newcomer.get("user_show").result["email"] == "new@example.org"
        assert newcomer.circle("my-circle")["name"] == "my-circle"
        assert newcomer.get("user_list").status == 403
        weak = {"name": "weak", "email": "weak@example.org", "password": "1234"}
        assert "password" in world.people["A"].post("user_create", **weak).error
    finally:
        world.stop()


def test_a_playground_takes_no_thousands_of_accounts() -> None:
    world = World(**{"policy.self_registration": True})
    try:
        limiter = world.appliance.context.limiter
        world.appliance.context.limiter = Limiter(Rates(register_address="2/hour"))
        weak = {"name": "weak", "email": "weak@example.org", "password": "1234"}
        said = [world.people["A"].post("user_create", **weak).status for _ in range(4)]
        assert said == [409, 409, 429, 429]
        page = world.people["A"].http.post(f"{world.appliance.url}/user/register", data=weak)
        assert page.status_code == 429
        assert world.people["S"].post("user_create", **weak).status == 409  # administrators are not counted
        world.appliance.context.limiter = limiter
    finally:
        world.stop()


# --- only private data ------------------------------------------------------------------------------------------------

NEW = {"title": "T", "authors": "A", "license_id": "patient", "state": "draft"}
NO_PUBLIC = "public datasets have been disabled via the configuration option 'policy.public_datasets = false'!"


def test_datasets_of_a_medical_site_are_private(medical: World) -> None:
    editor = medical.people["Ce"]
    assert editor.post("package_create", owner_org=medical.circle, **NEW).result["private"] is True
    refused = editor.post("package_create", owner_org=medical.circle, private=False, **NEW)
    assert (refused.status, refused.message) == (403, f"Access denied: Creating {NO_PUBLIC}")
    for kind in ("private", "draft"):
        refused = editor.post("package_patch", id=medical.dataset(kind).id, private=False)
        assert (refused.status, refused.message) == (403, f"Access denied: P{NO_PUBLIC[1:]}")
    assert (
        medical.people["Ca"]
        .post("bulk_update_public", org_id=medical.circle, datasets=[medical.dataset("private").id])
        .status
        == 403
    )


def test_a_public_dataset_of_a_medical_site_may_become_private(medical: World) -> None:
    one = medical.dataset("public")
    assert medical.people["Ce"].post("package_patch", id=one.id, private=True).result["private"] is True


def test_only_administrators_found_circles_of_a_medical_site(medical: World) -> None:
    for action, words in (("organization_create", "create organizations"), ("group_create", "create groups")):
        refused = medical.people["Ca"].post(action, name=f"new-{action[:5]}")
        assert (refused.status, refused.message) == (403, f"Access denied: User ca not authorized to {words}")
        assert medical.people["S"].post(action, name=f"new-{action[:5]}").status == 200


def test_a_medical_site_has_its_own_licences(medical: World) -> None:
    assert [one["id"] for one in medical.people["U"].get("license_list").result] == ["none", "patient"]
    refused = medical.people["Ce"].post("package_create", owner_org=medical.circle, **NEW | {"license_id": "CC0-1.0"})
    assert refused.error == {"license_id": ["Please choose a license_id: ['patient']"]}


# --- scopes of tokens -------------------------------------------------------------------------------------------------


def _token(world: World, user: str, scope: str, **options: Any) -> Person:
    token, _ = accounts.create_token(world.context, OPERATOR, user, scope, scope=scope, **options)
    return Person(world.appliance, user, token)


@pytest.mark.parametrize("name", sorted(name for name, action in ACTIONS.items() if not action.get))
@pytest.mark.parametrize("user", ["ca", "admin"])
def test_a_token_for_reading_changes_nothing(clinic: World, name: str, user: str) -> None:
    reader = _READERS.setdefault((id(clinic), user), _token(clinic, user, "read"))
    one = clinic.dataset("draft")
    refused = reader.post(
        name, id=one.id, name="new-name", owner_org=clinic.circle, match={"id": one.id}, package_id=one.id, user_id="stranger",
        organization_id=clinic.circle, org_id=clinic.circle, datasets=[one.id], order=[one.resource], username="stranger",
        object=one.id, object_type="package", capacity="member", role="member", email="x@example.org", password="four words make sense",
    )  # fmt: skip
    assert refused.status == 403, refused.body
    assert refused.message == "Access denied: This token is read-only; create one with the scope 'write'."


_READERS: dict[tuple[int, str], Person] = {}


def test_a_token_for_reading_reads(clinic: World) -> None:
    reader, one = _token(clinic, "cm", "read"), clinic.dataset("private")
    assert reader.get("package_show", id=one.id).status == 200
    assert reader.fetch(f"/dataset/{one.id}/resource/{one.resource}/download/data.rtdc").status_code == 200
    assert [token["scope"] for token in reader.get("api_token_list").result].count("read") == 1


def test_an_administrators_ordinary_token_is_an_ordinary_users(clinic: World) -> None:
    ordinary = _token(clinic, "admin", "write")
    assert ordinary.get("package_show", id=clinic.dataset("private").id).status == 404
    assert ordinary.get("user_list").status == 403
    assert ordinary.post("api_token_create", user="admin", name="more", scope="admin").status == 403


def test_a_token_makes_no_token_with_more_rights(clinic: World) -> None:
    assert _token(clinic, "ca", "read").post("api_token_create", name="x", scope="write").status == 403
    made = clinic.people["Ca"].post("api_token_create", name="x", scope="read").result["token"]
    assert Person(clinic.appliance, "ca", made).post("user_patch", about="x").status == 403


def test_an_old_token_is_nobody(clinic: World) -> None:
    late = _token(clinic, "ca", "write", expires=timedelta(seconds=-1))
    assert late.get("user_show").status == 403
    unopened = _token(clinic, "ca", "write", first_use=timedelta(seconds=-1))
    assert unopened.get("user_show").status == 403


@pytest.mark.parametrize("header", ["Authorization", "X-CKAN-API-Key"])
def test_either_header_carries_the_token(clinic: World, header: str) -> None:
    url = f"{clinic.appliance.url}/api/3/action/user_show"
    certificate = str(clinic.appliance.certificate)
    answer = requests.get(url, headers={header: clinic.people["U"].token}, verify=certificate)
    assert answer.json()["result"]["name"] == "stranger"
    both = requests.get(
        url, headers={"Authorization": "", "X-CKAN-API-Key": clinic.people["U"].token}, verify=certificate
    )
    assert both.json()["result"]["name"] == "stranger"


# --- what was taken away is gone --------------------------------------------------------------------------------------


class Access:
    """All ways to read one dataset."""

    def __init__(self, world: World, person: Person, one: Dataset) -> None:
        self.world, self.person, self.one = world, person, one
        self.signed = person.get("dcserv", id=one.resource, query="basins", version=2).result[-1]["urls"][0]
        assert self.ways() == [200] * 7

    def ways(self) -> list[int]:
        """Statuses of show, resource, dcserv, download, condensed, preview and the signed address."""
        person, one = self.person, self.one
        files = f"/dataset/{one.id}/resource/{one.resource}"
        return [
            person.get("package_show", id=one.id).status,
            person.get("resource_show", id=one.resource).status,
            person.get("dcserv", id=one.resource, query="metadata", version=2).status,
            person.fetch(f"{files}/download/data.rtdc").status_code,
            person.fetch(f"{files}/condensed.rtdc").status_code,
            person.fetch(f"{files}/preview.jpg").status_code,
            requests.get(self.signed, verify=str(self.world.appliance.certificate)).status_code,
        ]


def _in_circle(world: World, person: Person, one: Dataset) -> None:
    world.people["Ca"].post("organization_member_create", id=world.circle, username=person.name, role="member")


def _out_of_circle(world: World, person: Person, one: Dataset) -> None:
    assert world.people["Ca"].post("organization_member_delete", id=world.circle, username=person.name).status == 200


def _in_collection(world: World, person: Person, one: Dataset) -> None:
    world.people["Ga"].post("group_member_create", id=world.collection, username=person.name, role="member")


def _out_of_collection(world: World, person: Person, one: Dataset) -> None:
    assert world.people["Ga"].post("group_member_delete", id=world.collection, username=person.name).status == 200


def _dataset_out_of_collection(world: World, person: Person, one: Dataset) -> None:
    taken = {"id": world.collection, "object": one.id, "object_type": "package"}
    assert world.people["Ga"].post("member_delete", **taken).status == 200


def _in_a_collection_of_its_own(world: World, person: Person, one: Dataset) -> None:
    collection, admin = world.fresh("collection"), world.people["S"]
    admin.post("member_create", id=collection, object=one.id, object_type="package", capacity="public")
    admin.post("group_member_create", id=collection, username=person.name, role="member")


def _collection_deleted(world: World, person: Person, one: Dataset) -> None:
    with world.context.db.write() as tx:
        (collection,) = stored.roles_of(tx, person.id)[1]
        stored.set_state(tx, collection, "deleted")


def _shared(world: World, person: Person, one: Dataset) -> None:
    world.people["Ca"].post("package_collaborator_create", id=one.id, user_id=person.id, capacity="member")


def _not_shared(world: World, person: Person, one: Dataset) -> None:
    assert world.people["Ca"].post("package_collaborator_delete", id=one.id, user_id=person.id).status == 200


def _by_another_process(world: World, person: Person, one: Dataset) -> None:
    other = Database(world.context.settings.database)
    with other.write() as tx:
        sharing.remove_collaborator(tx, one.id, person.id)
    other.close()


def _token_revoked(world: World, person: Person, one: Dataset) -> None:
    assert person.post("api_token_revoke", token=person.token).status == 200


def _account_disabled(world: World, person: Person, one: Dataset) -> None:
    accounts.set_state(world.context, OPERATOR, person.name, "disabled")


def _account_deleted(world: World, person: Person, one: Dataset) -> None:
    assert world.people["S"].post("user_delete", id=person.name).status == 200


_Change = Callable[[World, Person, Dataset], None]


@pytest.mark.parametrize(
    ("give", "take"),
    [
        (_in_circle, _out_of_circle), (_in_collection, _out_of_collection), (_in_collection, _dataset_out_of_collection),
        (_shared, _not_shared), (_shared, _by_another_process), (_shared, _token_revoked), (_shared, _account_disabled),
        (_shared, _account_deleted), (_in_a_collection_of_its_own, _collection_deleted),
    ],
    ids=lambda change: change.__name__.strip("_"),
)  # fmt: skip
def test_a_right_taken_away_is_gone_with_the_next_request(clinic: World, give: _Change, take: _Change) -> None:
    one, person = clinic.dataset("private"), clinic.appliance.person(clinic.user() + "-x")
    give(clinic, person, one)
    access = Access(clinic, person, one)
    take(clinic, person, one)
    nobody = take in {_token_revoked, _account_disabled, _account_deleted}  # a token that opens nothing is named
    assert access.ways() == [404, *([403, 403] if nobody else [404, 404]), 404, 404, 404, 404]


def test_an_editor_who_becomes_a_member_edits_no_more(clinic: World) -> None:
    person = clinic.appliance.person("declining")
    one = clinic.dataset("draft")
    communities.set_member(clinic.context, OPERATOR, "circle", clinic.circle, person.name, "editor")
    assert person.post("package_patch", id=one.id, notes="mine").status == 200
    clinic.people["Ca"].post("organization_member_create", id=clinic.circle, username=person.name, role="member")
    assert person.post("package_patch", id=one.id, notes="still mine").status == 403
    assert person.get("package_show", id=one.id).result["notes"] == "mine"


def test_a_dataset_moved_to_another_circle_leaves_its_readers(clinic: World) -> None:
    one, other = clinic.dataset("private"), clinic.fresh("circle")
    clinic.people["Ga"].post("member_delete", id=clinic.collection, object=one.id, object_type="package")
    access = Access(clinic, clinic.people["Cm"], one)
    for column in ("m", "e", "a"):
        communities.remove_member(clinic.context, OPERATOR, "circle", other, clinic.people[f"C{column}"].name)
    assert clinic.people["S"].post("package_owner_org_update", id=one.id, organization_id=other).status == 200
    assert access.ways() == [404, 404, 404, 404, 404, 404, 404]


# --- a stolen token ---------------------------------------------------------------------------------------------------


def test_revoking_a_token_revokes_what_was_made_with_it(clinic: World) -> None:
    first = clinic.appliance.person("robbed")
    second = Person(clinic.appliance, "robbed", first.post("api_token_create", user="robbed", name="2").result["token"])
    third = Person(clinic.appliance, "robbed", second.post("api_token_create", user="robbed", name="3").result["token"])
    own, _ = accounts.create_token(clinic.appliance.context, OPERATOR, "robbed", "by the administrator", scope="write")
    other = Person(clinic.appliance, "robbed", own)
    assert third.post("api_token_revoke", token=first.token).status == 200
    assert [someone.get("user_show").status for someone in (first, second, third)] == [403, 403, 403]
    assert [token["name"] for token in other.get("api_token_list", user_id="robbed").result] == ["by the administrator"]


def test_revoking_a_made_token_leaves_its_maker(clinic: World) -> None:
    first = clinic.appliance.person("maker")
    made = Person(clinic.appliance, "maker", first.post("api_token_create", user="maker", name="2").result["token"])
    assert first.post("api_token_revoke", token=made.token).status == 200
    assert (first.get("user_show").status, made.get("user_show").status) == (200, 403)
