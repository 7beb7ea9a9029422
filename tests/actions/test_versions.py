"""A new version of an active dataset: its own draft, the same bytes, each linked to the other; removing one leaves the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.actions import deletion, resources, versions
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.store import communities, site_statistics
from tests.actions.test_deletion import viewer
from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import Appliance


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    appliance = Appliance(tmp_path_factory.mktemp("house") / "data")
    yield House(appliance)
    appliance.stop()


@pytest.fixture
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One whose jobs make no further files meanwhile."""
    appliance = Appliance(tmp_path_factory.mktemp("still") / "data")
    found = House(appliance)
    appliance.service.jobs.stop(grace=5.0)
    yield found
    appliance.stop()


def files_of(house: House, dataset: str) -> list[dict[str, object]]:
    """The resources of a dataset as the API shows them to Ada."""
    found: list[dict[str, object]] = house.people["ada"].get("package_show", id=dataset).result["resources"]
    return found


def test_the_draft_has_texts_tags_files_and_a_reference_to_the_earlier_one(house: House) -> None:
    old, file = house.dataset(
        "Blood of 2026",
        activate=True,
        private=True,
        tags=["blood"],
        notes="Long story",
        references="doi:10.1/x",
        doi="10.1000/1",
    )
    ada = house.people["ada"]
    house.appliance.jobs_done(file["id"])
    old, (file,) = (found := ada.get("package_show", id=old["id"]).result), found["resources"]
    made = ada.post("dataset_version_create", id=old["id"]).result
    assert (made["state"], made["title"], made["notes"], made["authors"], made["license_id"], made["private"]) == (
        "draft", "Blood of 2026", "Long story", old["authors"], old["license_id"], True,
    )  # fmt: skip
    assert [tag["name"] for tag in made["tags"]] == ["blood"]
    assert made["references"] == f"doi:10.1/x, {house.appliance.context.settings.site_url}/dataset/{old['id']}"
    assert (made["doi"], made["groups"]) == ("", [])
    (copy,) = made["resources"]
    assert copy["id"] != file["id"]
    assert {key: copy[key] for key in ("name", "size", "sha256", "etag")} == {
        key: file[key] for key in ("name", "size", "sha256", "etag")
    }
    house.appliance.jobs_done(str(copy["id"]))
    assert files_of(house, made["id"])[0]["dc:setup:chip region"] == "channel"
    assert ada.get("package_show", id=old["id"]).result == old, "the earlier one is as it was"
    assert ada.activate(made["id"])["state"] == "active"


def test_bytes_lie_once_on_the_disk_and_outlive_either_version(still: House) -> None:
    house, context = still, still.appliance.context
    old, file = house.dataset("Shared bytes", activate=True, private=True)
    with context.db.read() as conn:
        before = communities.bytes_of_circle(conn, old["organization"]["id"]), site_statistics.compute(conn)["total"]
    made = house.people["ada"].post("dataset_version_create", id=old["id"]).result
    third = versions.create(context, viewer(house, "ada"), house.people["ada"].activate(made["id"])["id"])
    copies = [made["resources"][0]["id"], files_of(house, third)[0]["id"]]
    paths = [context.depot.path(str(one)) for one in (file["id"], *copies)]
    assert len({path.stat().st_ino for path in paths}) == 1
    with context.db.read() as conn:
        after = communities.bytes_of_circle(conn, old["organization"]["id"]), site_statistics.compute(conn)["total"]
    assert after[0] == before[0], "a quota counts them once"
    assert (after[1]["bytes"], after[1]["resources"]) == (before[1]["bytes"], before[1]["resources"] + 2)
    deletion.delete(context, OPERATOR, old["id"])
    deletion.purge(context, OPERATOR, old["id"])
    for aside in (context.depot.root / "quarantine").glob(f"*{file['id']}*"):
        aside.unlink()
    for path in paths[1:]:
        assert path.read_bytes() == synthetic().read_bytes()
    with context.db.read() as conn:
        assert communities.bytes_of_circle(conn, old["organization"]["id"]) == before[0], (
            "they are there, so they count"
        )
    deletion.delete(context, viewer(house, "ada"), third)
    deletion.purge(context, viewer(house, "ada"), third)
    assert paths[1].read_bytes() == synthetic().read_bytes()


def test_only_chosen_files_come_along_and_a_failure_leaves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, ada = house.appliance.context, house.people["ada"]
    draft = ada.draft("lab", title="Of three files", private=True)["id"]
    ids = [ada.add(draft, synthetic(), f"M{number}.rtdc")["id"] for number in (1, 2, 3)]
    ada.activate(draft)
    made = ada.post("dataset_version_create", id=draft, resources=ids[1:]).result
    assert [one["name"] for one in made["resources"]] == ["M2.rtdc", "M3.rtdc"]
    for wrong in ([house.file["id"]], ["nonsense"]):
        assert ada.post("dataset_version_create", id=draft, resources=wrong).status == 404

    shared: list[str] = []
    share = resources.DepotTransaction.share

    def second_fails(self: resources.DepotTransaction, source_id: str, resource_id: str) -> None:
        if shared:
            raise Problem(409, "Validation Error", message="no")
        shared.append(resource_id)
        share(self, source_id, resource_id)

    monkeypatch.setattr(resources.DepotTransaction, "share", second_fails)
    assert ada.post("dataset_version_create", id=draft).status == 409
    assert not context.depot.path(shared[0]).exists()
    assert all(context.depot.path(one).exists() for one in ids)


def test_versions_are_made_by_those_who_add_to_the_circle_of_what_is_active(house: House) -> None:
    ada = house.people["ada"]
    old, _file = house.dataset("Whose version", activate=True, private=True)
    house.share(old["id"], "eve", "editor")
    assert house.people["eve"].post("dataset_version_create", id=old["id"]).status == 403
    assert house.people["kim"].post("dataset_version_create", id=old["id"]).status == 404
    assert house.people["max"].post("dataset_version_create", id=old["id"]).result["state"] == "draft"
    assert ada.post("dataset_version_create", id=house.draft["id"]).status == 403


def test_pages_point_both_ways_to_what_the_reader_may_see(house: House) -> None:
    old, _file = house.dataset("With a successor", activate=True, private=True)
    ada, max_ = house.visitor("ada"), house.visitor("max")
    assert ada.get(f"/dataset/{old['id']}/version").status_code == 200
    sent = ada.post(
        f"/dataset/{old['id']}/version",
        id=house.people["ada"].get("package_show", id=old["id"]).result["resources"][0]["id"],
    )
    new = sent.headers["Location"].split("/dataset/")[1].split("?")[0]
    assert "This is a new version of" in ada.page(f"/dataset/{new}")
    assert "A newer version of this dataset exists" not in ada.page(f"/dataset/{old['id']}"), (
        "a draft is no newer version yet"
    )
    house.people["ada"].activate(new)
    third = house.people["ada"].post("dataset_version_create", id=new).result["id"]
    house.people["ada"].activate(third)
    page = max_.page(f"/dataset/{old['id']}")
    assert "A newer version of this dataset exists" in page
    assert f"/dataset/{third}" in page, "the latest, over all steps"
    house.share(old["id"], "eve", "member")
    seen = house.visitor("eve").page(f"/dataset/{old['id']}")
    assert "A newer version" not in seen
    assert third not in seen


def test_others_can_write_while_files_are_linked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    context, ada = house.appliance.context, house.people["ada"]
    old, _file = house.dataset("Linked in peace", activate=True, private=True)
    written: list[str] = []
    share = resources.DepotTransaction.share

    def others_write(self: resources.DepotTransaction, source_id: str, resource_id: str) -> None:
        with ThreadPoolExecutor(1) as other:
            other.submit(deletion.delete, context, OPERATOR, ada.draft("lab", title="Not needed")["id"]).result(60)
        written.append(resource_id)
        share(self, source_id, resource_id)

    monkeypatch.setattr(resources.DepotTransaction, "share", others_write)
    made = ada.post("dataset_version_create", id=old["id"]).result
    assert [one["id"] for one in made["resources"]] == written


def test_drafts_of_versions_are_limited_and_count_in_the_quota(house: House) -> None:
    context, ada = house.appliance.context, house.people["ada"]
    old, file = house.dataset("Many successors", activate=True, private=True, wait=True)
    circle = old["organization"]["id"]
    with context.db.write() as tx:
        communities.set_quota(tx, circle, communities.bytes_of_circle(tx, circle))
    refused = ada.post("dataset_version_create", id=old["id"])
    assert (refused.status, "The circle may use" in refused.message) == (413, True)
    with context.db.write() as tx:
        communities.set_quota(tx, circle, None)
    made = [
        ada.post("dataset_version_create", id=old["id"], resources=[]).result["id"] for _ in range(versions.MOST_DRAFTS)
    ]
    refused = ada.post("dataset_version_create", id=old["id"])
    assert (refused.status, "Activate or delete one of them first" in refused.message) == (409, True)
    deletion.delete(context, OPERATOR, made[0])
    assert ada.post("dataset_version_create", id=old["id"], resources=[file["id"]]).status == 200
