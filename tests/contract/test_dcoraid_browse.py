"""DCOR-Aid looks around: own, shared, followed and all datasets, circles and collections, and its cache of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dcoraid.api import CKANAPI
from dcoraid.api.errors import APIConflictError, APINotFoundError
from dcoraid.dbmodel import APIInterrogator, CachedAPIInterrogator

from appliance.actions import communities
from appliance.model.viewer import OPERATOR
from tests.support.server import Person
from tests.web.api.permission_fixture import World

MANY = 1100


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.stop()


def client(world: World, person: Person) -> CKANAPI:
    """DCOR-Aid for a person; a new one remembers nothing of what another has asked."""
    return CKANAPI(server=world.appliance.url, api_key=person.token, ssl_verify=str(world.appliance.certificate))


def test_own_shared_and_followed_datasets(world: World) -> None:
    editor, stranger = world.people["Ce"], world.appliance.person(f"{world.user()}-reader")
    own = world.datasets("private", creator="Ce")[0]
    others, hidden = world.dataset("private"), world.datasets("private", circle=world.fresh("circle"))[0]
    for column in "mea":
        place = world.people[f"C{column}"].get("organization_list_for_user", permission="read").result
        for circle in place:
            if circle["id"] != world.circle:
                communities.remove_member(world.context, OPERATOR, "circle", circle["id"], f"c{column}")
    world.people["Ga"].post("member_delete", id=world.collection, object=hidden.id, object_type="package")
    found = APIInterrogator(client(world, editor))
    assert [one["id"] for one in found.get_datasets_user_owned()] == [own.id]
    shared = {one["id"] for one in found.get_datasets_user_shared()}
    assert others.id in shared
    assert own.id not in shared
    assert hidden.id not in shared
    assert {one["id"] for one in APIInterrogator(client(world, world.people["Km"])).get_datasets_user_shared()} >= {
        others.id,
        hidden.id,
    }
    public = world.dataset("public")
    stranger.post("follow_dataset", id=public.id)
    alone = APIInterrogator(client(world, stranger))
    assert [one["id"] for one in alone.get_datasets_user_following()] == [public.id]
    assert {one["id"] for one in alone.get_datasets_user()} == {public.id}


def test_circles_collections_and_people(world: World) -> None:
    found = APIInterrogator(client(world, world.people["U"]))
    assert "circle" in [circle["name"] for circle in found.get_circles()]
    assert "collection" in [collection["name"] for collection in found.get_collections()]
    assert "founder" in found.get_users()
    assert APIInterrogator(client(world, world.people["A"])).get_circles()


def test_all_circles_are_listed(world: World) -> None:
    """The reference stops at 25 by default; DCOR-Aid does not ask for the rest."""
    for _ in range(30):
        world.fresh("circle")
    assert len(APIInterrogator(client(world, world.people["U"])).get_circles()) > 30


def test_more_than_a_thousand_results_come_in_pages(world: World) -> None:
    circle = world.fresh("circle")
    made = {one.id for one in world.datasets("private", MANY, circle=circle, files=False)}
    other = world.dataset("private")
    name = world.people["Ce"].get("organization_show", id=circle).result["name"]
    found = APIInterrogator(client(world, world.people["Ce"]))
    assert {one["id"] for one in found.search_dataset_via_api(circles=[name], limit=0)} == made
    assert len(found.search_dataset_via_api(circles=[name], limit=7)) == 7
    assert {
        one["id"] for one in found.search_dataset_via_api(circles=[name], collections=["collection"], limit=0)
    } == made
    union = found.search_dataset_via_api(
        circles=[name, "circle"], collections=["collection"], circle_collection_union=True, limit=0
    )
    assert made | {other.id} <= {one["id"] for one in union}
    created = [one["metadata_created"] for one in found.search_dataset_via_api(circles=[name], limit=100)]
    assert created == sorted(created, reverse=True)
    outside = APIInterrogator(client(world, world.people["U"]))
    assert len(outside.search_dataset_via_api(circles=[name], limit=0)) == 0


def test_searching_for_words(world: World) -> None:
    one = world.dataset("public")
    title = 'Blood "of" Müller & Söhne (a [test]) 0123456789'
    world.people["S"].post("package_patch", id=one.id, title=title)
    found = APIInterrogator(client(world, world.people["U"]))
    for words in ("0123456789", "blood", "mueller", "müller söhne", title):
        hits = [hit["id"] for hit in found.search_dataset(words)]
        assert one.id in hits, words
    assert [hit["title"] for hit in found.search_dataset("0123456789")] == [title]


def test_the_cache_follows_changes(world: World, tmp_path: Path) -> None:
    circle = world.fresh("circle")
    first = world.datasets("private", 3, circle=circle, files=False)
    draft = world.datasets("draft", circle=circle)[0]
    api = client(world, world.people["Ce"])
    cache = CachedAPIInterrogator(api, tmp_path)
    cache.update(reset=True)
    assert {one.id for one in first} <= {hit["id"] for hit in cache.search_dataset("dataset", limit=0)}
    assert draft.id not in {hit["id"] for hit in cache.search_dataset("dataset", limit=0)}
    shown = world.people["Ce"].get("package_show", id=first[0].id).result
    assert cache.get_dataset_dict(first[0].id) == shown  # a search result is the whole dict

    cache.local_timestamp = time.time() - 2
    time_of_change = (
        world.people["S"].post("package_patch", id=first[1].id, title="Renamed since").result["metadata_modified"]
    )
    assert time_of_change > shown["metadata_modified"]
    later = world.datasets("private", circle=circle)[0]
    assert world.people["Ce"].post("package_patch", id=draft.id, state="active").status == 200
    fresh = CachedAPIInterrogator(
        client(world, world.people["Ce"]), tmp_path
    )  # the program was closed and opened again
    fresh.local_timestamp = cache.local_timestamp
    fresh.update()
    assert [hit["id"] for hit in fresh.search_dataset("renamed since", limit=0)] == [first[1].id]
    assert fresh.get_dataset_dict(draft.id)["state"] == "active"
    assert fresh.get_dataset_dict(later.id)["id"] == later.id
    fresh.close()
    cache.close()


def test_the_cache_asks_only_for_what_changed(world: World) -> None:
    circle = world.fresh("circle")
    name = world.people["Ce"].get("organization_show", id=circle).result["name"]
    world.datasets("private", 3, circle=circle, files=False)
    found = APIInterrogator(client(world, world.people["Ce"]))
    assert len(found.search_dataset_via_api(circles=[name], since_time=0, limit=0)) == 3
    assert len(found.search_dataset_via_api(circles=[name], since_time=time.time() + 60, limit=0)) == 0


def test_errors_have_dcoraids_types(world: World) -> None:
    api = client(world, world.people["Ce"])
    with pytest.raises(APINotFoundError):
        api.get("package_show", id="nothing-of-that-name")
    with pytest.raises(APINotFoundError):
        client(world, world.people["U"]).get("package_show", id=world.dataset("private").id)
    with pytest.raises(APIConflictError):
        api.post("organization_create", {"name": "circle"})
    wrong = CKANAPI(
        server=world.appliance.url,
        api_key="not-a-token-of-this-server-at-all-000000000",
        ssl_verify=str(world.appliance.certificate),
    )
    assert wrong.is_available()
    assert not wrong.is_available(with_api_key=True)


def test_sharing_from_the_dialog(world: World) -> None:
    """What the share dialog does: find a person, give and take a collaboration and a membership, by id and by name."""
    one, admin = world.dataset("private"), world.people["Ca"]
    api = client(world, admin)
    person = next(user for user in api.get("user_autocomplete", q="strang") if user["name"] == "stranger")
    made = api.post("package_collaborator_create", {"id": one.id, "user_id": person["id"], "capacity": "member"})
    assert {key: made[key] for key in ("package_id", "user_id", "capacity")} == {
        "package_id": one.id,
        "user_id": person["id"],
        "capacity": "member",
    }
    listed = api.get("package_collaborator_list", id=one.id)
    assert person["id"] in [entry["user_id"] for entry in listed]
    assert api.post("package_collaborator_delete", {"id": one.id, "user_id": person["id"]}) is None
    with pytest.raises(APINotFoundError):
        api.post("package_collaborator_delete", {"id": one.id, "user_id": person["id"]})
    group = api.post("group_create", {"name": "from-the-dialog", "title": "From the dialog"})
    api.post("group_member_create", {"id": group["id"], "username": person["id"], "role": "member"})
    api.post("member_create", {"id": group["id"], "object": one.id, "object_type": "package", "capacity": "member"})
    shown = api.get("group_show", id="from-the-dialog", include_users=True)
    assert {user["name"]: user["capacity"] for user in shown["users"]} == {"ca": "admin", "stranger": "member"}
    assert world.people["U"].get("package_show", id=one.id).status == 200
    api.post("group_member_delete", {"id": group["id"], "username": "stranger"})
    assert world.people["U"].get("package_show", id=one.id).status == 404
    api.post("member_delete", {"id": group["id"], "object": one.id, "object_type": "package"})
    api.post("member_delete", {"id": group["id"], "object": one.id, "object_type": "package"})  # again says nothing
