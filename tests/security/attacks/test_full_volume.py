"""What was accepted has its room: uploads under way count before their first byte, for the volume and for the circle."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.actions import resources, upload_limits
from appliance.model.problem import Problem
from appliance.store import uploads
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


def _begin(house: House, size: int, number: int, dataset: str) -> int:
    asked = {"dataset": dataset, "name": f"file{number}.txt", "size": size}
    ada = twin(house.people["ada"])
    return int(ada.http.post(f"{house.appliance.url}/upload/browser", json=asked, timeout=DEADLINE).status_code)


def test_twelve_uploads_of_900_mb_do_not_fit_into_3_gb(house: House, free: None) -> None:
    dataset = house.people["ada"].draft("lab")["id"]
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda number: _begin(house, 900 * MB, number, dataset), range(12)))
    assert (found.count(201), found.count(507)) == (3, 9)
    assert _begin(house, 900 * MB, found.index(201), dataset) == 200, "an upload that was accepted goes on"


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
        upload_limits.require_quota(context, conn, circle, upload["size"], resource_id=upload["resource_id"])
        with pytest.raises(Problem):
            upload_limits.require_quota(context, conn, circle, upload["size"])


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
