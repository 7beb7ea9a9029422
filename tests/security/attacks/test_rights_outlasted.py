"""Nothing that somebody made with a right of theirs outlasts that right, and no right is had by a detour."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.actions import accounts, communities
from appliance.model.viewer import OPERATOR
from appliance.store import users
from tests.support.furnished import PASSWORD, House, Visitor
from tests.support.server import Person


@pytest.fixture
def boss(house: House, request: pytest.FixtureRequest) -> Person:
    """A fresh administrator."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")[-60:]
    return house.appliance.person(name, sysadmin=True, password=PASSWORD)


def demoted(house: House, boss: Person) -> None:
    accounts.set_sysadmin(house.appliance.context, OPERATOR, boss.name, False)


def disabled(house: House, boss: Person) -> None:
    accounts.set_state(house.appliance.context, OPERATOR, boss.name, "disabled")


def deleted(house: House, boss: Person) -> None:
    accounts.set_state(house.appliance.context, OPERATOR, boss.name, "deleted")


def erased(house: House, boss: Person) -> None:
    accounts.erase(house.appliance.context, OPERATOR, boss.name)


ENDS = [demoted, disabled, deleted, erased]


def with_token(house: House, boss: Person) -> str:
    """A token for the administrator root, made with the boss' token."""
    return str(boss.post("api_token_create", user="root", name="x", scope="admin").result["token"])


def with_session(house: House, boss: Person) -> str:
    """The same made in the boss' session."""
    answer = Visitor(house.appliance, boss.name).http.post(
        f"{house.appliance.url}/api/3/action/api_token_create",
        json={"user": "root", "name": "x", "scope": "admin"},
        headers={"Origin": house.appliance.url},
        timeout=60,
    )
    return str(answer.json()["result"]["token"])


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("made", [with_token, with_session])
def test_what_an_administrator_made_for_others(
    house: House, boss: Person, end: Callable[[House, Person], None], made: Callable[[House, Person], str]
) -> None:
    ghost = Person(house.appliance, "root", made(house, boss))
    child = Person(house.appliance, "root", ghost.post("api_token_create", name="child").result["token"])
    assert ghost.get("user_list").status == child.get("user_list").status == 200
    end(house, boss)
    assert ghost.get("user_list").status == child.get("user_list").status == 403
    assert house.people["root"].get("user_list").status == 200
    with house.appliance.context.db.read() as conn:
        assert (
            conn.execute("SELECT count(*) FROM token WHERE maker = ?1 AND user_id != ?1", (boss.id,)).fetchone()[0] == 0
        )


def test_ones_own_tokens_stay_when_one_is_no_administrator_any_more(house: House, boss: Person) -> None:
    demoted(house, boss)
    assert boss.get("user_show", id=boss.name).status == 200
    assert boss.get("user_list").status == 403


def test_only_administrators_have_tokens_of_administrators(house: House) -> None:
    """Else whoever becomes one later has an old token in some script become one, too."""
    refused = house.visitor("eve").http.post(
        f"{house.appliance.url}/api/3/action/api_token_create",
        json={"name": "x", "scope": "admin"},
        headers={"Origin": house.appliance.url},
        timeout=60,
    )
    assert refused.status_code == 409
    assert "not an administrator" in refused.json()["error"]["scope"][0]
    assert house.people["root"].post("api_token_create", user="eve", name="x", scope="admin").status == 409


@pytest.mark.parametrize("role", ["member", "editor"])
def test_a_draft_leaves_its_circle_only_with_that_circles_admin(house: House, role: str) -> None:
    """Whoever moves it to a circle of their own administers it there, and its owners see it no more."""
    name = f"mover-{role}"
    mover = house.appliance.member("circle", "lab", name, role)
    draft = house.people["ada"].draft("lab", private=True)["id"]
    house.share(draft, name, "editor")
    mover.circle(f"den-of-{role}")
    refused = mover.post("package_patch", id=draft, owner_org=f"den-of-{role}")
    assert (refused.status, refused.message) == (
        403,
        "Access denied: You cannot move this dataset to another organization",
    )
    assert mover.post("package_patch", id=draft, owner_org="lab", title="A new title").status == 200
    communities.set_member(house.appliance.context, OPERATOR, "circle", "lab", name, "admin")
    assert mover.post("package_patch", id=draft, owner_org=f"den-of-{role}").status == 200


def test_the_tokens_of_a_deleted_user_take_with_them_what_was_made_with_them(house: House, boss: Person) -> None:
    site = house.appliance.context
    token, _ = accounts.create_token(site, OPERATOR, boss.name, "x", scope="admin")
    other = Person(house.appliance, boss.name, token).post("api_token_create", user="kim", name="y").result["token"]
    with site.db.write() as tx:
        users.set_state(tx, boss.id, "deleted")
    assert Person(house.appliance, "kim", other).get("user_show", id="kim").status == 403


def test_a_guest_who_edits_one_dataset_does_not_make_it_public(house: House) -> None:
    made, _file = house.dataset("Not the guest's to publish", activate=True, private=True)
    house.share(made["id"], "eve", "editor")
    eve, visitor = house.people["eve"], house.visitor("eve")
    assert eve.post("package_patch", id=made["id"], private=False).status == 403
    assert eve.post("package_revise", match__id=made["id"], update__private=False).status == 403
    assert visitor.post(f"/dataset/{made['id']}/edit", visibility="public").status_code in (403, 409)
    assert house.people["ada"].get("package_show", id=made["id"]).result["private"] is True
    assert house.people["max"].post("package_patch", id=made["id"], private=False).status == 200, (
        "an editor of the circle"
    )
