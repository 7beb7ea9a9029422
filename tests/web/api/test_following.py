"""Following datasets, circles, collections and users: whoever follows sees what they may see, others only numbers."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.actions import accounts, communities
from appliance.model.viewer import OPERATOR
from tests.support.server import Person
from tests.web.api.permission_fixture import World


def person(world: World) -> Person:
    """Somebody fresh."""
    return world.appliance.person(world.user())


#: what is followed → (word of the verb, word of the lists, how to make one: → its id and name).
def _dataset(world: World) -> tuple[str, str]:
    one = world.dataset("public")
    return one.id, one.name


def _community(kind: str) -> Any:
    def made(world: World) -> tuple[str, str]:
        id_ = world.fresh(kind)
        word = "organization" if kind == "circle" else "group"
        return id_, world.people["S"].get(f"{word}_show", id=id_).result["name"]

    return made


def _user(world: World) -> tuple[str, str]:
    one = person(world)
    return one.id, one.name


KINDS = [
    ("dataset", "dataset", _dataset),
    ("group", "group", _community("collection")),
    ("group", "organization", _community("circle")),
    ("user", "user", _user),
]


@pytest.mark.parametrize(("verb", "word", "make"), KINDS, ids=[word for _, word, _ in KINDS])
def test_following(world: World, verb: str, word: str, make: Any) -> None:
    (id_, name), someone, admin = make(world), person(world), world.people["S"]
    assert someone.get(f"am_following_{verb}", id=id_).result is False
    entry = someone.post(f"follow_{verb}", id=name).result
    assert (entry["follower_id"], entry["object_id"]) == (someone.id, id_)
    assert someone.post(f"follow_{verb}", id=id_).result == entry, "again is fine"
    assert someone.get(f"am_following_{verb}", id=name).result is True
    assert [one["id"] for one in someone.get(f"{word}_followee_list").result] == [id_]
    assert [one["id"] for one in admin.get(f"{word}_followee_list", id=someone.name).result] == [id_]
    assert [one["name"] for one in admin.get(f"{word}_follower_list", id=id_).result] == [someone.name]
    if word == "organization":
        assert person(world).get("group_follower_count", id=id_).result == 1, "a group is any community"
    (both,) = someone.get("followee_list", id=someone.id).result
    assert (both["type"], both["dict"]["id"]) == (word, id_)
    counts = {
        count: someone.get(f"{count}_count", id=someone.id).result
        for count in ("followee", *(f"{other}_followee" for _, other, _ in KINDS))
    }
    assert counts == {"followee": 1} | {f"{other}_followee": int(other == word) for _, other, _ in KINDS}
    assert person(world).get(f"{word}_follower_count", id=id_).result == 1
    assert someone.post(f"unfollow_{verb}", id=name).result is None
    assert someone.post(f"unfollow_{verb}", id=name).result is None, "again is fine"
    assert someone.get("followee_list").result == []
    assert someone.get(f"{word}_follower_count", id=id_).result == 0


@pytest.mark.parametrize("word", ["group", "organization"])
def test_descriptions_have_the_number_of_followers(world: World, word: str) -> None:
    id_, someone = world.fresh("collection" if word == "group" else "circle"), person(world)
    someone.post("follow_group", id=id_)
    assert someone.get(f"{word}_show", id=id_).result["num_followers"] == 1
    (listed,) = someone.get(f"{word}_list", all_fields=True, **{f"{word}s": id_}).result
    assert listed["num_followers"] == 1
    accounts.set_state(world.context, OPERATOR, someone.id, "disabled")
    assert world.people["S"].get(f"{word}_show", id=id_).result["num_followers"] == 0, "who can not look counts not"


def test_a_user_has_followers(world: World) -> None:
    star, someone = person(world), person(world)
    someone.post("follow_user", id=star.id)
    assert star.get("user_show", include_num_followers=True).result["num_followers"] == 1
    refused = star.post("follow_user", id=star.name)
    assert (refused.status, refused.error) == (409, {"message": "You cannot follow yourself"})


def test_of_other_people_one_learns_the_name_only(world: World) -> None:
    star, someone = person(world), person(world)
    someone.post("follow_user", id=star.id)
    (shown,) = someone.get("user_followee_list").result
    assert shown.keys() == {"id", "name", "fullname", "display_name", "state"}
    (whole,) = world.people["S"].get("user_followee_list", id=someone.id).result
    assert whole["email"] == f"{star.name}@example.org"


@pytest.mark.parametrize("state", ["disabled", "pending", "deleted"])
def test_people_who_are_not_active_look_like_missing_ones(world: World, state: str) -> None:
    star, follower, someone = person(world), person(world), person(world)
    follower.post("follow_user", id=star.id)
    accounts.set_state(world.context, OPERATOR, star.id, state)
    for id_ in (star.id, star.name):
        for action in ("follow_user", "unfollow_user", "am_following_user", "user_follower_count"):
            hidden, missing = someone.post(action, id=id_), someone.post(action, id="no-such-user")
            assert (hidden.status, hidden.error) == (missing.status, missing.error) == (409, missing.error)
    assert follower.get("user_followee_list").result == []
    assert follower.get("followee_count").result == 0
    assert follower.post("unfollow_user", id=star.id).status == 200, "one's own entry can be given up"
    accounts.set_state(world.context, OPERATOR, star.id, "active")
    assert follower.get("am_following_user", id=star.id).result is False


def test_what_one_follows_but_may_no_longer_see_is_not_listed(world: World) -> None:
    one, someone = world.dataset("private"), person(world)
    world.people["Ca"].post("package_collaborator_create", id=one.id, user_id=someone.id, capacity="member")
    someone.post("follow_dataset", id=one.id)
    world.people["Ca"].post("package_collaborator_delete", id=one.id, user_id=someone.id)
    for list_ in ("dataset_followee_list", "followee_list"):
        assert someone.get(list_).result == []
    for count in ("dataset_followee_count", "followee_count"):
        assert someone.get(count).result == 0
    assert someone.post("unfollow_dataset", id=one.id).status == 200
    hidden = someone.post("unfollow_dataset", id=one.id)
    missing = someone.post("unfollow_dataset", id="no-such-dataset")
    assert (hidden.status, hidden.error) == (missing.status, missing.error) == (409, missing.error)


@pytest.mark.parametrize("kind", ["circle", "collection"])
def test_deleted_communities_are_not_listed_and_removed_ones_leave_nothing(world: World, kind: str) -> None:
    id_, someone = world.fresh(kind), person(world)
    word = "organization" if kind == "circle" else "group"
    someone.post("follow_group", id=id_)
    communities.delete(world.context, OPERATOR, kind, id_)
    assert someone.get(f"{word}_followee_list").result == []
    assert someone.get("followee_count").result == 0
    communities.purge(world.context, OPERATOR, kind, id_)
    with world.context.db.read() as conn:
        assert conn.execute("SELECT count(*) FROM community_follower WHERE community_id = ?", (id_,)).fetchone()[0] == 0


def test_the_whole_list_is_sorted_and_can_be_searched(world: World) -> None:
    someone = person(world)
    someone.post("follow_group", id=world.circle)
    someone.post("follow_group", id=world.collection)
    someone.post("follow_user", id="founder")
    shown = [one["display_name"] for one in someone.get("followee_list").result]
    assert shown == ["Circle", "Collection", "Founder"]
    assert [one["type"] for one in someone.get("followee_list", q=" cO").result] == ["group"]


def test_an_erased_person_follows_nothing_and_is_followed_by_nobody(world: World) -> None:
    star, someone = person(world), person(world)
    someone.post("follow_user", id=star.id)
    star.post("follow_user", id=someone.id)
    star.post("follow_group", id=world.circle)
    accounts.erase(world.context, OPERATOR, star.id)
    with world.context.db.read() as conn:
        for table, column in (
            ("user_follower", "user_id"),
            ("user_follower", "followed_id"),
            ("community_follower", "user_id"),
        ):
            assert conn.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", (star.id,)).fetchone()[0] == 0
