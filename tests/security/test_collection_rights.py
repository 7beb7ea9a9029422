"""Nobody shares what only others may share: putting a dataset into a collection, by whichever way, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from appliance.actions import accounts
from appliance.model.viewer import OPERATOR
from tests.support.furnished import PASSWORD, Visitor
from tests.web.api.permission_fixture import Dataset, World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.stop()


@dataclass(frozen=True)
class Case:
    """A fresh collection of `sharer`, with the stranger in it, and a dataset that is not in it."""

    world: World
    sharer: str
    collection: str
    dataset: Dataset

    def stranger_reads(self) -> bool:
        return self.world.people["U"].get("package_show", id=self.dataset.id).status == 200

    def shared(self) -> bool:
        with self.world.context.db.read() as conn:
            found = conn.execute(
                "SELECT dataset_id FROM collection_dataset WHERE collection_id = ?", (self.collection,)
            )
            return self.dataset.id in [row[0] for row in found]

    def add(self, who: str = "") -> Any:
        return self.world.people[who or self.sharer].post(
            "member_create", id=self.collection, object=self.dataset.id, object_type="package", capacity="public"
        )


def case(world: World, sharer: str, state: str = "private") -> Case:
    person, number = world.people[sharer], len(world.people["S"].get("group_list").result)
    made = person.post("group_create", name=f"of-{sharer.lower()}-{number}").result
    if person.name != "stranger":
        person.post("group_member_create", id=made["id"], username="stranger", role="member").result  # noqa: B018
    one = world.dataset(state)
    world.people["S"].post("member_delete", id=world.collection, object=one.id, object_type="package")
    return Case(world, sharer, made["id"], one)


def _visitor(one: Case, who: str = "") -> Visitor:
    """The sharer (or somebody else) at a browser, signed in."""
    person = one.world.people[who or one.sharer]
    accounts.change_password(one.world.context, OPERATOR, person.name, PASSWORD)
    return Visitor(one.world.appliance, person.name)


WAYS: dict[str, Callable[[Case], int]] = {
    "member_create": lambda one: one.add().status,
    "package_patch": lambda one: one.world.people[one.sharer].post("package_patch", id=one.dataset.id, groups=[{"id": one.collection}]).status,
    "package_update": lambda one: one.world.people[one.sharer].post("package_update", id=one.dataset.id, groups=[{"id": one.collection}]).status,
    "package_revise": lambda one: one.world.people[one.sharer].post(
        "package_revise", match={"id": one.dataset.id}, update={"groups": [{"id": one.collection}]}
    ).status,
    "package_revise flat": lambda one: one.world.people[one.sharer].post(
        "package_revise", match__id=one.dataset.id, update__groups__extend=[{"id": one.collection}]
    ).status,
    "group_create": lambda one: one.world.people[one.sharer].post(
        "group_create", name=f"second-{one.collection[:8]}", packages=[{"id": one.dataset.id}], users=[{"name": "stranger"}]
    ).status,
    "group_update": lambda one: one.world.people[one.sharer].post("group_update", id=one.collection, packages=[{"id": one.dataset.id}]).status,
    "group_patch": lambda one: one.world.people[one.sharer].post("group_patch", id=one.collection, packages=[one.dataset.name]).status,
    "page of the dataset": lambda one: _visitor(one).post(f"/dataset/{one.dataset.id}/collections", collection=one.collection).status_code,
    "selection": lambda one: _visitor(one).post("/dataset/selection/collect", collection=one.collection, id=one.dataset.id).status_code,
}  # fmt: skip


@pytest.mark.parametrize("state", ["private", "draft", "open"])
@pytest.mark.parametrize("who", ["Cm", "Km", "Gm"])
@pytest.mark.parametrize("way", WAYS)
def test_who_may_only_read_shares_nothing(world: World, way: str, who: str, state: str) -> None:
    one = case(world, who, state)
    assert WAYS[way](one) in {403, 404}
    assert not one.shared()
    assert not one.stranger_reads()


@pytest.mark.parametrize("who", ["Ce", "Ca", "Ke"])
@pytest.mark.parametrize("way", WAYS)
def test_who_may_change_it_shares_it(world: World, way: str, who: str) -> None:
    """The manual: all members of a collection have access to the private datasets in that collection."""
    one = case(world, who, "draft")  # collections of an active dataset change by member_create and group_* only
    assert WAYS[way](one) in {200, 302, 303}
    assert one.stranger_reads()


@pytest.mark.parametrize("who", ["U", "Cm", "Km", "Gm"])
def test_what_is_public_may_be_gathered_by_everybody(world: World, who: str) -> None:
    one = case(world, who, "public")
    assert one.add().status == 200
    assert world.people["S"].post("package_patch", id=one.dataset.id, private=True).status in {200, 403}
    with world.context.db.write() as tx:
        tx.execute("UPDATE dataset SET private = 1 WHERE id = ?", (one.dataset.id,))
    assert not one.stranger_reads()  # the entry was never a right to read what is private


def test_many_are_added_or_none(world: World) -> None:
    one = case(world, "Cm")
    free = world.dataset("public")
    visitor = _visitor(one)
    page = visitor.post("/dataset/selection", do="collect", id=[one.dataset.id, free.id])
    assert page.status_code == 200
    assert "These are not added" in page.text
    assert f'value="{one.dataset.id}"' not in page.text
    assert f'value="{free.id}"' in page.text
    refused = visitor.post("/dataset/selection/collect", collection=one.collection, id=[free.id, one.dataset.id])
    assert refused.status_code == 403
    assert world.people["Cm"].get("group_show", id=one.collection).result["package_count"] == 0
    assert visitor.post("/dataset/selection/collect", collection=one.collection, id=[free.id]).status_code == 303
    assert world.people["Cm"].get("group_show", id=one.collection).result["package_count"] == 1


# --- what ends an entry -------------------------------------------------------------------------------------------------


def _leaver(world: World, role: str) -> tuple[Case, str]:
    """Somebody with a role in the circle, who has shared a dataset."""
    name = world.user()
    person = world.appliance.person(name)
    world.people[name] = person
    if role == "sysadmin":
        person = world.people[name] = world.appliance.person(name)
        world.people["S"].post("user_patch", id=name, sysadmin=True)
    elif role == "collaborator":
        pass
    else:
        world.people["S"].post("organization_member_create", id=world.circle, username=name, role=role).result  # noqa: B018
    one = case(world, name)
    if role == "collaborator":
        world.people["S"].post("package_collaborator_create", id=one.dataset.id, user_id=name, capacity="editor").result  # noqa: B018
    assert one.add(name).status == 200
    assert one.stranger_reads()
    return one, name


ENDS: dict[str, tuple[str, Callable[[World, str, Case], object]]] = {
    "removed from the circle": ("editor", lambda world, name, one: world.people["Ca"].post("organization_member_delete", id=world.circle, username=name).result),
    "leaves the circle": ("editor", lambda world, name, one: world.people[name].post("organization_member_delete", id=world.circle, username=name).result),
    "becomes a member who reads": ("admin", lambda world, name, one: world.people["Ca"].post("organization_member_create", id=world.circle, username=name, role="member").result),
    "no longer collaborator": ("collaborator", lambda world, name, one: world.people["Ca"].post("package_collaborator_delete", id=one.dataset.id, user_id=name).result),
    "collaborator who reads": (
        "collaborator",
        lambda world, name, one: world.people["Ca"].post("package_collaborator_create", id=one.dataset.id, user_id=name, capacity="member").result,
    ),
    "account deleted": ("editor", lambda world, name, one: world.people["S"].post("user_delete", id=name).result),
    "dataset moved": (
        "editor",
        lambda world, name, one: world.people["S"].post("package_owner_org_update", id=one.dataset.id, organization_id=world.fresh("circle")).result,
    ),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_an_entry_ends_with_the_right_of_its_maker(world: World, end: str) -> None:
    role, happens = ENDS[end]
    one, name = _leaver(world, role)
    happens(world, name, one)
    assert not one.stranger_reads()
    if end != "account deleted":
        assert world.people[name].get("package_show", id=one.dataset.id).status in (
            {200} if end in {"becomes a member who reads", "collaborator who reads"} else {403, 404}
        )
    (entry,) = world.people["S"].get("dataset_collection_list", id=one.dataset.id).result
    assert (entry["granted"], entry["user_name"], entry["basis"]) == (False, name, "update")
    # the right comes back, the entry does not: somebody has to say so
    if end == "removed from the circle":
        world.people["Ca"].post("organization_member_create", id=world.circle, username=name, role="editor").result  # noqa: B018
        assert not one.stranger_reads()
        assert one.add(name).status == 200
        assert one.stranger_reads()


def test_the_circle_sees_where_it_is_shared_and_takes_it_out(world: World) -> None:
    one, name = _leaver(world, "editor")
    page = _visitor(one, "Ca")
    shown = page.page(f"/dataset/{one.dataset.id}")
    assert "Shared with collections" in shown
    assert f"added by {name}" in shown
    (entry,) = world.people["Ce"].get("dataset_collection_list", id=one.dataset.id).result
    assert (entry["group_id"], entry["user_name"], entry["granted"]) == (one.collection, name, True)
    for other in ("Cm", "Km", "U", "A"):
        assert world.people[other].get("dataset_collection_list", id=one.dataset.id).status in {403, 404}
    world.people["Ca"].post("organization_member_delete", id=world.circle, username=name).result  # noqa: B018
    assert "No longer granted" in page.page(f"/dataset/{one.dataset.id}")
    assert one.add("Ca").status == 200  # takes the entry over, without a role in the collection
    assert one.stranger_reads()
    for other in ("Cm", "Km", "U"):
        assert world.people[other].post(
            "member_delete", id=one.collection, object=one.dataset.id, object_type="package"
        ).status in {403, 404}
    assert one.stranger_reads()
    taken = page.post(f"/dataset/{one.dataset.id}/collections", collection=one.collection, remove="1")
    assert taken.status_code == 303
    assert not one.stranger_reads()
    assert not one.shared()


def test_those_who_look_after_a_collection_remove_what_they_cannot_read(world: World) -> None:
    one, name = _leaver(world, "editor")
    world.people["Ca"].post("organization_member_delete", id=world.circle, username=name).result  # noqa: B018
    hidden = world.dataset("private")
    gone = {"object_type": "package", "id": one.collection}
    refused = world.people[name].post("member_delete", object=hidden.id, **gone)
    assert refused.status == world.people[name].post("member_delete", object="nothing-there", **gone).status == 404
    assert world.people[name].post("member_delete", object=one.dataset.id, **gone).status == 200
    assert not one.shared()


def test_the_list_of_a_collection_is_set_as_a_whole(world: World) -> None:
    editor = world.people["Ce"]
    one, other = case(world, "Ce"), world.dataset("private")
    editor.post("group_patch", id=one.collection, packages=[{"id": one.dataset.id}, {"name": other.name}]).result  # noqa: B018
    shown = editor.get("group_show", id=one.collection, include_datasets=True).result
    assert {package["id"] for package in shown["packages"]} == {one.dataset.id, other.id}
    editor.post("group_update", **(shown | {"packages": [{"id": other.id}]})).result  # noqa: B018
    assert not one.shared()
    assert editor.post("group_patch", id=one.collection, packages="x").status == 409
    assert editor.post("group_patch", id=one.collection, packages=[{"id": "nothing"}]).status == 404
