"""`dcor push --everything`: a whole appliance moves to another one, with its ids, once, however often it is said."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.cli.root import run
from tests.peer.conftest import Said
from tests.support.furnished import House
from tests.support.peers import Between, between
from tests.support.server import Appliance

Move = Callable[..., Said]
#: What the other server gives a dataset, a file or a member itself: moments, who sent it, what its jobs make, its own address.
OWN = {"metadata_created", "metadata_modified", "creator_user_id", "created", "last_modified", "url", "s3_url"}


@pytest.fixture(autouse=True, scope="module")
def texts(house: House) -> None:
    """Everything has fields of one's own, every file a description; the draft's file a supplement, too."""
    root, extras = house.people["root"], [{"key": "grant", "value": "ERC 4711"}]
    for action, name in (("package_patch", house.draft["id"]), ("organization_patch", "lab"), ("group_patch", "study")):
        root.post(action, id=name, extras=extras)
    for dataset, file in (
        (house.public, house.file),
        (house.private, house.private_file),
        (house.draft, house.draft_file),
    ):
        told = {"description": "blood of a trout", "lab_number": 5}
        root.post("package_revise", **{"match__id": dataset["id"], f"update__resources__{file['id']}": told})


@pytest.fixture
def target_between(target: Appliance) -> Iterator[Between]:
    """The new server, behind one that counts."""
    with between(target.url, str(target.certificate)) as found:
        yield found


@pytest.fixture
def move(
    house: House,
    target: Appliance,
    target_between: Between,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Move:
    """Run `dcor push --everything` beside the service of the house, with an administrator's token of the new server."""
    monkeypatch.setattr("appliance.peer.client.WAITS", (0.0, 0.0))
    monkeypatch.setenv("DCOR_PUBLISH_TARGETS", target_between.url)

    def call(*options: str, token: str | None = None) -> Said:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{target.admin.token if token is None else token}\n"))
        capsys.readouterr()
        chosen = ["--everything", "--to", target_between.url, "--token-stdin", "--json", *options]
        code = run(["--data", str(house.appliance.root), "push", *chosen])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


def stripped(value: Any) -> Any:
    """What has to be equal on both sides."""
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if key not in OWN}
        return {key: [tag["name"] for tag in one] if key == "tags" else stripped(one) for key, one in kept.items()}
    return [stripped(one) for one in value] if isinstance(value, list) else value


def members(appliance: Appliance, word: str, name: str) -> set[tuple[str, str]]:
    """(id, role) of the members of a circle or collection."""
    listed = appliance.admin.post("member_list", id=name, object_type="user").result
    return {(one[0], one[2]) for one in listed}


def test_everything_arrives_equal_and_nothing_is_sent_twice(
    move: Move, house: House, target: Appliance, target_between: Between
) -> None:
    said = move("--yes")
    report = said.json
    assert {one["kind"] for one in report["left_out"]} <= {"user", "member"}, report["left_out"]
    assert all("admin" in one["name"] for one in report["left_out"]), "only the first account has the same name"
    assert len(report["made"]["datasets"]) == 3
    for one in (house.public, house.private, house.draft):
        here = house.appliance.admin.get("package_show", id=one["id"]).result
        there = target.admin.get("package_show", id=one["id"]).result
        for file in there["resources"]:
            target.jobs_done(file["id"])
        there = target.admin.get("package_show", id=one["id"]).result
        assert stripped(there) == stripped(here)
        for file in there["resources"]:
            content = target.admin.fetch(f"/dataset/{one['id']}/resource/{file['id']}/download/x").content
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert [(one["description"], one["lab_number"]) for one in there["resources"]] == [("blood of a trout", 5)]
    assert target.admin.get("package_show", id=house.draft["id"]).result["extras"][0]["value"] == "ERC 4711"
    for word, name in (("organization", "lab"), ("group", "study")):
        there = target.admin.get(f"{word}_show", id=name).result
        assert [(one["key"], one["value"]) for one in there["extras"]] == [("grant", "ERC 4711")]
        assert members(target, word, name) == members(house.appliance, word, name)
    shared = target.admin.get("package_collaborator_list", id=house.private["id"]).result
    assert [(one["user_id"], one["capacity"]) for one in shared] == [(house.people["eve"].id, "member")]
    assert report["new_ids"] == {}

    sent = len(target_between.puts)
    again = move("--yes").json
    assert (again["files"], again["sent"], len(target_between.puts)) == (0, 0, sent)
    assert again["made"] == {kind: [] for kind in again["made"]}
    assert again["present"]["datasets"] == 3


def test_what_breaks_off_goes_on_with_the_next_call(
    move: Move, house: House, target: Appliance, target_between: Between
) -> None:
    def broken(path: str, number: int) -> int | None:
        return 500 if path.endswith("package_revise") and number > 2 else None

    target_between.before = broken
    assert move("--yes").code == 1
    arrived = [put.size for put in target_between.puts if put.answered]
    target_between.before = lambda _path, _number: None
    move("--yes")
    assert len([put for put in target_between.puts if put.answered]) == 3
    assert len(arrived) < 3
    for one in (house.public, house.private):
        assert target.admin.get("package_show", id=one["id"]).result["state"] == "active"


def test_a_file_that_arrived_before_a_failure_gets_its_description_with_the_next_call(
    move: Move, house: House, target: Appliance, target_between: Between
) -> None:
    seen = [0]

    def only_forms(path: str, _number: int) -> int | None:
        if not path.endswith("package_revise"):
            return None
        before, seen[0] = seen[0], len(target_between.puts)
        return None if seen[0] > before else 500

    target_between.before = only_forms
    assert move("--yes").code == 1
    assert [put.answered for put in target_between.puts] == [True]
    target_between.before = lambda _path, _number: None
    assert move("--yes").json["files"] == 2
    for one in (house.public, house.private, house.draft):
        files = target.admin.get("package_show", id=one["id"]).result["resources"]
        assert [(file["description"], file["lab_number"]) for file in files] == [("blood of a trout", 5)]


def test_a_server_that_takes_no_fields_of_ones_own_gets_the_rest(
    move: Move, house: House, target: Appliance, target_between: Between
) -> None:
    target_between.refuses = lambda request: "extras" in request
    left_out = {(one["kind"], one["name"]) for one in move("--yes").json["left_out"]}
    assert {
        ("extras", "lab"),
        ("extras", "study"),
        ("extras", f"{house.draft['name']}: {house.draft['name']}"),
    } <= left_out
    assert target.admin.get("package_show", id=house.draft["id"]).result["extras"] == []


def test_only_an_administrator_of_the_other_server_moves_there(
    move: Move, target: Appliance, target_between: Between
) -> None:
    said = move("--yes", token=target.person("kim").token)
    assert said.code == 1
    assert "administrator" in said.err
    assert target_between.actions == ["user_show"]


def test_a_person_is_asked_and_only_named_servers_get_anything(
    move: Move, target_between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.cli.push.TERMINAL", "/nonexistent/tty")
    assert move().code == 2
    assert move("--yes", "--circle", "lab").code == 2
    monkeypatch.setenv("DCOR_PUBLISH_TARGETS", "")
    said = move("--yes")
    assert said.code == 1
    assert "publish.targets" in said.err
    assert target_between.actions == []
