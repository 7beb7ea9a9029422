"""Two appliances of one account on one kernel: neither takes the other's ports, locks, scratch folders or processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from appliance import root_marker
from appliance import settings as settings_module
from tests.ops import place as places
from tests.ops.place import Place
from tests.support.ports import free_port
from tests.support.samples import synthetic
from tests.support.waiting import wait_until
from tests.web.transfer.test_transfer_faults import Process


class Site:
    """One of the two: a process of its own, and its administrator's token."""

    def __init__(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = place
        monkeypatch.setenv(root_marker.MACHINE_VARIABLE, str(place.machine))
        place.set("server.port", str(free_port()))
        self.port = place.settings.server.port
        self.token = place.done("token", "create", "ada", "--json").json["token"]
        self.process = Process(place.root, self.port)

    def post(self, action: str, **options: object) -> requests.Response:
        """Call an action."""
        return requests.post(
            f"https://127.0.0.1:{self.port}/api/3/action/{action}",
            headers={"Authorization": self.token, "Host": self.place.settings.server.hostname},
            verify=False,
            timeout=120,
            **options,  # type: ignore[arg-type]
        )

    def upload(self, title: str) -> str:
        """A measurement in a new draft; → its id."""
        asked = {"title": title, "authors": "Ada L.", "license_id": "CC0-1.0", "owner_org": "lab", "private": True}
        made = self.post("package_create", json={**asked, "state": "draft"})
        assert made.status_code == 200, made.text
        with synthetic().open("rb") as file:
            answer = self.post(
                "resource_create", data={"package_id": made.json()["result"]["id"]}, files={"upload": ("M1.rtdc", file)}
            )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["result"]["id"])

    def jobs_are_done(self) -> bool:
        """Is nothing waiting or running? Fails for a job that failed."""
        rows = self.place.done("jobs", "list", "--json").json
        assert [row for row in rows if row["state"] == "failed"] == []
        return all(row["state"] == "done" for row in rows)

    def end(self) -> None:
        """Stop it as systemd does."""
        self.process.process.terminate()
        self.process.process.wait(60)


@pytest.fixture
def both(whole: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, Site]]:
    """Two services that run at the same time, with data roots of their own."""
    first = Site(places.copy(whole, tmp_path / "first"), monkeypatch)
    second = Site(places.copy(whole, tmp_path / "second"), monkeypatch)
    yield first, second
    for site in (first, second):
        site.process.process.kill()
        site.process.process.wait()


def as_its_own(site: Site, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv(root_marker.MACHINE_VARIABLE, str(site.place.machine))
    return site.place


@pytest.mark.timeout(600)
def test_two_appliances_work_side_by_side(both: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = both
    for number in range(2):
        for site in both:
            site.upload(f"beside the other {number}")
    # One is killed in the middle of its jobs and started again; it clears up what is its own, and nothing of the other's.
    first.process.kill()
    first.process = Process(first.place.root, first.port)
    for site in both:
        as_its_own(site, monkeypatch)
        assert wait_until(site.jobs_are_done, 240)
    # A clean end of one, with everything that a stop sweeps away.
    first.end()
    second.upload("after the other's end")
    as_its_own(second, monkeypatch)
    assert wait_until(second.jobs_are_done, 240)
    assert second.place.done("status", "--json").json["running"]
    as_its_own(first, monkeypatch)
    first.process = Process(first.place.root, first.port)
    first.upload("back again")
    assert wait_until(first.jobs_are_done, 240)


def test_each_is_inspected_for_itself(both: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = both
    for site in both:
        said = as_its_own(site, monkeypatch).dcor("inspect", "--check", "service", "--check", "folders", "--json")
        assert said.json["healthy"], said
    first.end()
    said = as_its_own(first, monkeypatch).dcor("inspect", "--check", "service")
    assert said.code == 1
    assert as_its_own(second, monkeypatch).dcor("inspect", "--check", "service").code == 0


def test_the_port_of_the_other_is_named_as_taken(both: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = both
    first.end()
    place = as_its_own(first, monkeypatch)
    place.set("server.port", str(second.port))
    assert settings_module.load(place.root, env={}).server.port == second.port
    said = place.dcor("serve")
    assert said.code != 0
    assert str(second.port) in said.err
    assert "Traceback" not in said.err
    assert place.dcor("inspect", "--check", "service").code == 1
    assert second.post("package_list").status_code == 200
