"""`dcor pull` from one appliance into another: what comes is equal, what is repeated comes once."""

from __future__ import annotations

import hashlib
import io
import json
import stat
from pathlib import Path
from typing import Any

import h5py
import pytest

from appliance.actions import accounts, callers, communities, datasets, lookup
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from tests.peer.conftest import Pull, Root
from tests.support.furnished import House
from tests.support.peers import Between, Reply
from tests.support.server import Appliance, Person


def shown(person: Person, action: str, ref: str, **options: Any) -> str:
    """An answer as text, with the server's own address left out."""
    text = json.dumps(person.post(action, id=ref, **options).result, sort_keys=True)
    return text.replace(person.appliance.url, "https://host")


@pytest.fixture
def all_ids(house: House) -> list[str]:
    """Ids of all datasets of the source."""
    return [house.public["id"], house.private["id"], house.draft["id"]]


def settle(target: Appliance, house: House) -> None:
    """Wait for the jobs on all files."""
    for file in (house.file, house.private_file, house.draft_file):
        target.jobs_done(file["id"])


def test_everything_is_equal_to_the_byte(pull: Pull, house: House, target: Appliance, all_ids: list[str]) -> None:
    said = pull("--users")
    assert {"public-beads", "private-blood", "draft-of-neutrophils"} <= set(said.json["taken"]["datasets"])
    assert "admin: another account has this name here" in said.reasons  # each server has its own
    settle(target, house)
    there, here = house.appliance.admin, target.admin
    for dataset_id in all_ids:
        assert shown(here, "package_show", dataset_id) == shown(there, "package_show", dataset_id)
        assert shown(here, "package_collaborator_list", dataset_id) == shown(
            there, "package_collaborator_list", dataset_id
        )
    for kind, name in (("organization", "lab"), ("group", "study")):
        community = shown(here, f"{kind}_show", name, include_users=True)
        assert community == shown(there, f"{kind}_show", name, include_users=True).replace(
            '"sysadmin": true', '"sysadmin": false'
        )
    for name in ("ada", "max", "eve", "kim"):
        mine, theirs = (one.post("user_show", id=name).result for one in (here, there))
        assert mine | {"last_active": None} == theirs | {"last_active": None}
    path = f"/dataset/{house.private['id']}/resource/{house.private_file['id']}/download/x"
    content = here.fetch(path).content
    assert hashlib.sha256(content).hexdigest() == house.private_file["sha256"]


def test_fields_of_ones_own_come_along(pull: Pull, house: House, target: Appliance) -> None:
    root, extras = house.people["root"], [{"key": "room", "value": "1.23"}]
    dataset, file = house.dataset("With Fields")
    for action, ref in (("organization", "lab"), ("group", "study"), ("package", dataset["id"])):
        root.post(f"{action}_patch", id=ref, extras=extras)
    root.post("resource_patch", id=file["id"], barcode="B-17", shelf=4, places=[{"row": 1}])
    house.appliance.jobs_done(file["id"])
    pull()
    target.jobs_done(file["id"])
    for action, ref in (("organization", "lab"), ("group", "study"), ("package", dataset["id"])):
        assert target.admin.post(f"{action}_show", id=ref).result["extras"] == extras
    found = target.admin.post("resource_show", id=file["id"]).result
    assert (found["barcode"], found["shelf"], found["places"]) == ("B-17", 4, [{"row": 1}])
    root.post("resource_patch", id=file["id"], barcode="B-18")
    pull()
    assert target.admin.post("resource_show", id=file["id"]).result["barcode"] == "B-18"
    assert shown(target.admin, "package_show", dataset["id"]) == shown(
        house.appliance.admin, "package_show", dataset["id"]
    )


def test_condensed_files_are_taken_over_where_they_fit(
    pull: Pull, house: House, source: Between, target: Appliance
) -> None:
    _, one = house.dataset("Taken Over")
    _, other = house.dataset("Spoiled")
    for file in (one, other):
        house.appliance.jobs_done(file["id"])
    wrong = house.appliance.admin.fetch(f"/dataset/{one['package_id']}/resource/{one['id']}/condensed.rtdc").content

    def spoil(path: str, request: dict[str, Any], reply: Reply) -> None:
        if path.endswith(f"{other['id']}/condensed.rtdc"):
            reply.body = wrong[:-4000]
            reply.headers["Content-Length"] = str(len(reply.body))

    source.hook = spoil
    pull("--condensed", "--dataset", "taken-over", "--dataset", "spoiled")
    for file in (one, other):
        target.jobs_done(file["id"])
    with target.context.db.read() as conn:
        rows = dict(conn.execute("SELECT resource_id, result FROM job WHERE kind = 'condense'").fetchall())
    assert json.loads(rows[one["id"]])["taken"] is True
    assert "not_taken" in json.loads(rows[other["id"]])
    for file in (one, other):
        path = f"/dataset/{file['package_id']}/resource/{file['id']}/condensed.rtdc"
        here, there = (
            contents(io.BytesIO(side.admin.fetch(path).content), side.url) for side in (target, house.appliance)
        )
        assert here == there


def contents(file: io.BytesIO, url: str) -> dict[str, Any]:
    """Features and the basins of a condensed file, with the server's own address left out."""
    with h5py.File(file) as h5:
        basins = sorted(b"".join(data[:]).decode().replace(url, "") for data in h5["basins"].values())
        return {"events": {name: data[:].tolist() for name, data in h5["events"].items()}, "basins": basins}


def test_a_member_of_the_collection_reads_here_what_they_read_there(pull: Pull, house: House, still: Root) -> None:
    pull("--users")
    with still.site.db.read() as conn:
        for name in ("kim", "eve"):
            viewer = callers.of_user(conn, still.site.settings, lookup.user(conn, name), scope="read")
            assert json.loads(datasets.show(conn, viewer, house.private["id"]))["private"] is True
            with pytest.raises(Problem) as refused:
                datasets.show(conn, viewer, house.draft["id"])
            assert refused.value.status == 404


def test_repeating_it_fetches_nothing(pull: Pull, source: Between, house: House) -> None:
    first = pull("--circle", "lab")
    assert first.json["files"] == len(source.files) >= 3
    asked = len(source.files)
    said = pull("--circle", "lab")
    assert said.code == 0
    assert said.json["unchanged"] == {"datasets": len(first.json["taken"]["datasets"]), "circles": 1, "collections": 1}
    assert not any([*said.json["taken"].values(), *said.json["updated"].values()])
    assert len(source.files) == asked


def test_what_is_new_or_changed_comes_the_next_time(pull: Pull, house: House, target: Appliance) -> None:
    dataset, file = house.dataset("Growing", notes="first")
    house.appliance.jobs_done(file["id"])
    assert "growing" in pull("--dataset", "growing").json["taken"]["datasets"]
    ada = house.people["ada"]
    more = ada.add(dataset["id"], Path(__file__), "notes.py")
    ada.post("package_patch", id=dataset["id"], notes="second")
    house.appliance.jobs_done(more["id"])
    said = pull("--dataset", "growing")
    assert said.json["updated"]["datasets"] == ["growing"]
    assert said.json["files"] == 1
    target.jobs_done(file["id"])
    assert shown(target.admin, "package_show", dataset["id"]) == shown(
        house.appliance.admin, "package_show", dataset["id"]
    )
    root = house.people["root"]
    root.post("package_delete", id=dataset["id"])
    root.post("dataset_purge", id=dataset["id"])
    assert pull().json["deleted_there"] == ["growing"]
    assert target.admin.get("package_show", id=dataset["id"]).status == 200


def test_sharing_that_was_added_later_comes_though_the_dataset_is_unchanged(
    pull: Pull, house: House, still: Root
) -> None:
    pull("--users")
    house.share(house.draft["id"], "max", "editor")
    said = pull("--users")
    assert said.json["unchanged"]["datasets"] >= 3
    shared = "SELECT u.name, k.capacity FROM collaborator k JOIN user u ON u.id = k.user_id WHERE k.dataset_id = ?"
    assert still.rows(shared, house.draft["id"]) == [("max", "editor")]


def test_a_dry_run_changes_nothing(pull: Pull, house: House, source: Between, still: Root) -> None:
    before = still.dump()
    said = pull("--dry-run", "--users", "--collection", "study")
    assert said.json["would_take"]["datasets"] == ["public-beads", "private-blood"]
    assert said.json["files"] == 2
    assert said.json["bytes"] == house.file["size"] + house.private_file["size"]
    assert still.dump() == before
    assert source.files == []
    assert not still.parts


def test_only_what_was_chosen_comes(pull: Pull, house: House) -> None:
    house.people["ada"].circle("other-lab")
    house.people["ada"].draft("other-lab", title="Elsewhere")
    assert pull("--circle", "other-lab", "--dry-run").json["would_take"]["datasets"] == ["elsewhere"]
    assert pull("--collection", "study", "--dry-run").json["would_take"]["datasets"] == [
        "public-beads",
        "private-blood",
    ]
    assert pull("--dataset", "private-blood", "--dry-run").json["would_take"]["datasets"] == ["private-blood"]
    assert pull("--since", "2999-01-01", "--dry-run").json["would_take"]["datasets"] == []
    assert "elsewhere" in pull("--since", "2000-01-01", "--dry-run").json["would_take"]["datasets"]
    assert "unknown" in pull("--dataset", "unknown").err
    assert pull("--circle", "No Name").code == 1
    assert pull("--since", "yesterday").code == 2


def test_an_ordinary_token_brings_what_its_owner_sees(pull: Pull, house: House) -> None:
    said = pull("--users", token=house.people["kim"].token)
    assert sorted(said.json["taken"]["datasets"]) == ["private-blood", "public-beads"]
    assert said.json["taken"]["users"] == []
    assert any("administrator" in one for one in said.json["notes"])


def test_the_links_are_for_the_callers_eyes_only(pull: Pull, house: House, still: Root, tmp_path: Path) -> None:
    said = pull("--users", as_json=False)
    links = tmp_path / "links.txt"
    assert stat.S_IMODE(links.stat().st_mode) == 0o600
    lines = dict(line.split("\t") for line in links.read_text(encoding="utf-8").splitlines())
    assert set(lines) == {"ada", "max", "eve", "kim", "root", "admin"}
    assert "/user/password/" not in said.out + said.err
    assert str(links) in said.out
    assert still.rows("SELECT name FROM user WHERE password IS NOT NULL OR sysadmin = 1") == []
    secret = lines["ada"].rpartition("/")[2]
    assert accounts.use_link(still.site, secret, "correct horse 1 battery") == "ada"


def test_something_of_the_same_name_here_stays_and_the_other_is_called_otherwise(
    pull: Pull, house: House, still: Root
) -> None:
    own = communities.create(still.site, OPERATOR, "circle", {"name": "lab"})
    fields = {"title": "Mine", "name": "public-beads", "owner_org": "lab", "authors": "Me", "license_id": "CC0-1.0"}
    mine = datasets.create(still.site, OPERATOR, fields)
    said = pull()
    assert any("The circle lab is called lab-" in one for one in said.json["notes"])
    assert still.package("public-beads")["id"] == mine
    other = still.package(house.public["id"])
    assert other["name"].startswith("public-beads-")
    assert other["owner_org"] != own


def test_the_token_is_in_no_output_and_no_table(pull: Pull, house: House, still: Root) -> None:
    said = pull("--users")
    token = house.appliance.admin.token
    assert token not in said.out + said.err
    assert token not in "\n".join(still.dump())
