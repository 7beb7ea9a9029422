"""Deleted drafts come back as they were, until they are purged; what was active does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.actions import callers, collecting, communities, deletion, following, lookup
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR, Viewer
from appliance.store import audit
from tests.support.furnished import House
from tests.support.server import Appliance


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    appliance = Appliance(tmp_path_factory.mktemp("house") / "data")
    yield House(appliance)
    appliance.stop()


def viewer(house: House, name: str) -> Viewer:
    """A person as the verbs know them."""
    context = house.appliance.context
    with context.db.read() as conn:
        row = conn.execute("SELECT * FROM user WHERE name = ?", (name,)).fetchone()
        return callers.of_user(conn, context.settings, row, scope="write")


def test_a_restored_draft_has_its_collections_people_and_followers(house: House) -> None:
    context = house.appliance.context
    made, _file = house.dataset("Brought back", private=True)
    collecting.add(context, viewer(house, "ada"), "study", [made["id"]])
    house.share(made["id"], "eve", "editor")
    house.share(made["id"], "max", "member")
    with context.db.read() as conn:
        eve = house.people["eve"]
        assert conn.execute("SELECT count(*) FROM deleted_relation").fetchone()[0] == 0
    following.follow(context, viewer(house, "ada"), "dataset", made["id"])
    before = house.people["ada"].get("package_show", id=made["id"]).result
    assert house.people["ada"].post("package_delete", id=made["id"]).status == 200
    assert eve.get("package_show", id=made["id"]).status == 404
    assert house.people["ada"].post("dataset_restore", id=made["id"]).status == 200
    after = house.people["ada"].get("package_show", id=made["id"]).result
    changing = {"metadata_modified"}
    assert {key: after[key] for key in after if key not in changing} == {
        key: before[key] for key in before if key not in changing
    }
    assert eve.post("package_patch", id=made["id"], notes="still an editor").status == 200
    with context.db.read() as conn:
        assert conn.execute("SELECT count(*) FROM follower WHERE dataset_id = ?", (made["id"],)).fetchone()[0] == 1
        assert conn.execute("SELECT count(*) FROM deleted_relation").fetchone()[0] == 0
        assert audit.entries(conn, audit.Filter(object_id=made["id"]), limit=3)[1]["action"] == "dataset.restore"


def test_what_is_gone_meanwhile_is_left_out_and_a_taken_name_is_replaced(house: House) -> None:
    context = house.appliance.context
    communities.create(context, OPERATOR, "collection", {"name": "short-lived"})
    made, _file = house.dataset("Same name", private=True)
    collecting.add(context, OPERATOR, "short-lived", [made["id"]])
    deletion.delete(context, OPERATOR, made["id"])
    communities.delete(context, OPERATOR, "collection", "short-lived")
    again, _file = house.dataset("Same name", private=True)
    assert again["name"] == made["name"]
    deletion.restore(context, OPERATOR, made["id"])
    shown = house.people["ada"].get("package_show", id=made["id"]).result
    assert shown["state"] == "draft"
    assert shown["name"] != made["name"]
    assert shown["groups"] == []


def test_a_right_that_ended_meanwhile_does_not_come_back(house: House) -> None:
    context, kim = house.appliance.context, house.people["kim"]
    communities.create(context, OPERATOR, "collection", {"name": "by-max", "title": "By Max"})
    for name, role in (("max", "editor"), ("kim", "member")):
        communities.set_member(context, OPERATOR, "collection", "by-max", name, role)
    communities.set_member(context, OPERATOR, "circle", "lab", "max", "admin")
    made, _file = house.dataset("Collected by Max", private=True)
    collecting.add(context, viewer(house, "max"), "by-max", [made["id"]])
    assert kim.get("package_show", id=made["id"]).status == 200
    deletion.delete(context, viewer(house, "ada"), made["id"])
    communities.remove_member(context, OPERATOR, "circle", "lab", "max")
    deletion.restore(context, viewer(house, "ada"), made["id"])
    shown = house.people["ada"].get("package_show", id=made["id"]).result
    assert [group["name"] for group in shown["groups"]] == ["by-max"]
    assert kim.get("package_show", id=made["id"]).status == 404


def test_what_was_active_stays_deleted(house: House) -> None:
    context = house.appliance.context
    made, _file = house.dataset("Was active", private=True, activate=True)
    deletion.delete(context, OPERATOR, made["id"])
    for who in (OPERATOR, viewer(house, "ada")):
        with pytest.raises(Problem) as refused:
            deletion.restore(context, who, made["id"])
        assert refused.value.message == "Only deleted drafts can be restored."
    assert "/restore" not in house.visitor("ada").page(f"/dataset/{made['id']}")


def test_several_are_deleted_or_none(house: House) -> None:
    context, ada = house.appliance.context, viewer(house, "ada")
    drafts = [house.dataset(f"One of several {number}", private=True)[0]["id"] for number in range(2)]
    with pytest.raises(Problem):
        deletion.delete(context, ada, *drafts, house.public["id"])
    with context.db.read() as conn:
        assert {lookup.dataset(conn, ada, one)[0]["state"] for one in drafts} == {"draft"}
    deletion.delete(context, ada, *drafts)
    deletion.restore(context, ada, *drafts)
    with pytest.raises(Problem) as refused:
        deletion.delete(context, ada, *[f"{number}" for number in range(deletion.MOST + 1)])
    assert refused.value.status == 409
