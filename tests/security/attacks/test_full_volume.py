"""What was accepted has its room: uploads under way count before their first byte, for the volume and for the circle."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from appliance.actions import resources, upload_limits
from appliance.model import times
from appliance.model.problem import Problem
from appliance.store import artefacts, communities, uploads
from tests.security.attacks.test_races import twin
from tests.support.furnished import House
from tests.support.server import DEADLINE

MB = 1_000_000


@pytest.fixture
def free(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A volume with 3 GB left, of which 0.1 GB are the reserve, whatever it really has; uploads of the test end with it."""
    monkeypatch.setattr(type(house.appliance.context.depot), "free", lambda _self: 3_000 * MB)
    _set(house, monkeypatch, **{"depot.reserve": 100 * MB})
    yield
    with house.appliance.context.db.write() as tx:
        for upload_id, _size in uploads.unattached(tx):
            uploads.abort(tx, upload_id)


def _set(house: House, monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    context = house.appliance.context
    monkeypatch.setattr(context, "settings", context.settings.replace(**values))


def _begin(house: House, size: int, number: int, dataset: str, who: str = "ada") -> int:
    asked = {"dataset": dataset, "name": f"file{number}.txt", "size": size}
    sender = twin(house.people[who])
    return int(sender.http.post(f"{house.appliance.url}/upload/browser", json=asked, timeout=DEADLINE).status_code)


def test_twelve_uploads_of_400_mb_have_half_of_3_gb(house: House, free: None) -> None:
    dataset = house.people["ada"].draft("lab")["id"]
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda number: _begin(house, 400 * MB, number, dataset), range(12)))
    assert (found.count(201), found.count(507)) == (3, 9)
    assert _begin(house, 400 * MB, found.index(201), dataset) == 200, "an upload that was accepted goes on"


def test_several_people_who_begin_all_they_can_leave_a_quarter_for_small_files(house: House, free: None) -> None:
    dataset = house.people["ada"].draft("lab")["id"]
    sizes = [1_000 * MB, 400 * MB, 150 * MB, 40 * MB, 9 * MB, MB, 50_000]
    for who in ("ada", "max", "root"):
        for size in sizes:
            for number in range(3):
                _begin(house, size, number, dataset, who)
    with house.appliance.context.db.read() as conn:
        assert sum(size for _id, size in uploads.unattached(conn)) > 2_000 * MB
    kim = house.people["kim"]
    kim.circle("small")
    draft = kim.draft("small")["id"]
    assert kim.upload("resource_create", {"package_id": draft}, "upload", "small.txt", b"x" * 300_000).status == 200
    assert _begin(house, 100 * MB, 1, draft, "kim") == 201


def test_an_upload_of_which_nothing_comes_gives_its_room_back(house: House, free: None) -> None:
    dataset = house.people["ada"].draft("lab")["id"]
    assert _begin(house, 2_000 * MB, 1, dataset) == 201
    assert _begin(house, 2_000 * MB, 2, dataset, "max") == 507
    with house.appliance.context.db.write() as tx:
        tx.execute("UPDATE upload SET created = ?", (times.ahead(-timedelta(hours=1)),))
    assert _begin(house, 2_000 * MB, 2, dataset, "max") == 201


def test_the_quota_counts_what_is_under_way(house: House, free: None, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = house.people["ada"].draft("lab")["id"]
    context = house.appliance.context
    with context.db.read() as conn:
        circle = conn.execute("SELECT circle_id FROM dataset WHERE id = ?", (dataset,)).fetchone()[0]
    _set(house, monkeypatch, **{"depot.quota_circle": 1_000 * MB})
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda number: _begin(house, 300 * MB, number, dataset), range(12)))
    assert (found.count(201), found.count(413)) == (3, 9)
    with context.db.read() as conn:
        row = uploads.unattached(conn)[0]
        upload = uploads.get(conn, row[0])
        assert upload is not None
        upload_limits.require_quota(context, conn, circle, upload.size, resource_id=upload.resource_id)
        with pytest.raises(Problem):
            upload_limits.require_quota(context, conn, circle, upload.size)


def test_quota_and_file_are_compared_again_at_the_end(
    house: House, free: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form that is received in one go is not noted anywhere while it comes."""
    ada = house.people["ada"]
    dataset = ada.draft("lab")["id"]
    asked = resources.check_new

    def check(site, *arguments):  # type: ignore[no-untyped-def]
        """Passes, and then the circle becomes full."""
        facts = asked(site, *arguments)
        _set(house, monkeypatch, **{"depot.quota_circle": 1})
        return facts

    monkeypatch.setattr(resources, "check_new", check)
    answer = ada.upload("resource_create", {"package_id": dataset}, "upload", "late.txt", b"bytes")
    assert answer.status == 413, answer.body
    assert ada.get("package_show", id=dataset).result["resources"] == []
    assert list(house.appliance.context.depot.parts()) == []


def test_the_reserve_is_asked_for_while_bytes_arrive(house: House, free: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else fills the volume in the meantime."""
    ada = house.people["ada"]
    dataset = ada.draft("lab")["id"]
    asked = resources.check_new

    def check(site, *arguments):  # type: ignore[no-untyped-def]
        """Passes, and then the volume becomes full."""
        facts = asked(site, *arguments)
        monkeypatch.setattr(type(house.appliance.context.depot), "free", lambda _self: 50 * MB)
        return facts

    monkeypatch.setattr(resources, "check_new", check)
    answer = ada.upload("resource_create", {"package_id": dataset}, "upload", "late.txt", b"bytes")
    assert answer.status == 507, answer.body
    assert list(house.appliance.context.depot.parts()) == []


def test_a_file_becomes_no_resource_without_the_reserve(
    house: House, free: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has arrived stays, so that it can become one later."""
    ada = house.people["ada"]
    dataset = ada.draft("lab")["id"]
    url = f"{house.appliance.url}/upload/browser"
    asked = {"dataset": dataset, "name": "late.txt", "size": 5}
    upload = ada.http.post(url, json=asked, timeout=DEADLINE).json()
    address = f"{house.appliance.url}{upload['url']}"
    sent = ada.http.patch(address, data=b"bytes", headers={"Upload-Offset": "0"}, timeout=DEADLINE)
    assert sent.status_code == 204
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(house.appliance.context.depot), "free", lambda _self: 50 * MB)
        assert ada.http.post(f"{address}/finish", json={}, timeout=DEADLINE).status_code == 507
    assert ada.get("package_show", id=dataset).result["resources"] == []
    assert ada.http.post(f"{address}/finish", json={}, timeout=DEADLINE).status_code == 201


def test_what_jobs_make_counts_for_the_circle(house: House, free: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = house.people["ada"]
    dataset = ada.draft("lab")["id"]
    answer = ada.upload("resource_create", {"package_id": dataset}, "upload", "one.txt", b"bytes")
    context = house.appliance.context
    with context.db.write() as tx:
        circle = tx.execute("SELECT circle_id FROM dataset WHERE id = ?", (dataset,)).fetchone()[0]
        before = communities.bytes_of_circle(tx, circle)
        artefacts.put(tx, answer.result["id"], "condensed", size=1_000, sha256="", etag="")
        assert communities.bytes_of_circle(tx, circle) == before + 1_000
        (row,) = [one for one in communities.storage(tx) if one["id"] == circle]
        assert row["bytes"] == before + 1_000
    _set(house, monkeypatch, **{"depot.quota_circle": before + 1_000 + 4})
    answer = ada.upload("resource_create", {"package_id": dataset}, "upload", "two.txt", b"bytes")
    assert answer.status == 413, answer.body


def test_a_circle_without_quota_left_takes_over_no_dataset(
    house: House, free: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, root = house.people["ada"], house.people["root"]
    dataset = ada.draft("lab")["id"]
    ada.upload("resource_create", {"package_id": dataset}, "upload", "one.txt", b"bytes")
    target = root.post("organization_create", name="full").result
    context = house.appliance.context
    _set(house, monkeypatch, **{"depot.quota_circle": 4})
    refused = root.post("package_owner_org_update", id=dataset, organization_id=target["id"])
    patched = root.post("package_patch", id=dataset, owner_org=target["id"])
    assert (refused.status, patched.status) == (413, 413), (refused.body, patched.body)
    _set(house, monkeypatch, **{"depot.quota_circle": 5})
    assert root.post("package_owner_org_update", id=dataset, organization_id=target["id"]).status == 200
    with context.db.read() as conn:
        assert communities.bytes_of_dataset(conn, dataset) == 5
