"""What happens at the same time ends as if it had happened one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from appliance.actions import accounts, communities
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.store import audit, audit_chain
from tests.support.furnished import PASSWORD, House
from tests.support.samples import synthetic
from tests.support.server import Person


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call gave; a refusal counts as its status."""

    def one(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Problem as problem:
            return problem.status

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def twin(person: Person) -> Person:
    """The same person on a connection of its own."""
    return Person(person.appliance, person.name, person.token, person.id)


def test_a_one_time_link_is_used_by_one(house: House) -> None:
    site = house.appliance.context
    secret = accounts.one_time_link(site, OPERATOR, "eve")
    words = ["four words make sense", "five words make more sense", "six other words make sense too"]
    found = at_once(*[lambda word=word: accounts.use_link(site, secret, word) for word in words])
    assert Counter(found) == {"eve": 1, 404: 2}
    accounts.use_link(site, accounts.one_time_link(site, OPERATOR, "eve"), PASSWORD)


def test_a_circle_keeps_an_admin(house: House) -> None:
    ada, site = house.people["ada"], house.appliance.context
    ada.circle("two-admins")
    communities.set_member(site, OPERATOR, "circle", "two-admins", "max", "admin")
    leave = [
        lambda who=who: twin(who).post("organization_member_delete", id="two-admins", username=who.name).status
        for who in (ada, house.people["max"])
    ]
    assert sorted(at_once(*leave)) == [200, 403]


def test_an_appliance_keeps_an_administrator(house: House) -> None:
    names = [f"boss-{number}" for number in range(3)]
    site = house.appliance.context
    for name in names:
        house.appliance.person(name, sysadmin=True)
    at_once(
        *[lambda name=name: accounts.set_sysadmin(site, OPERATOR, name, False) for name in (*names, "admin", "root")]
    )
    with site.db.read() as conn:
        left = conn.execute("SELECT count(*) FROM user WHERE sysadmin = 1 AND state = 'active'").fetchone()[0]
    for name in ("admin", "root"):
        accounts.set_sysadmin(site, OPERATOR, name, True)
    assert left == 1


def test_one_file_of_a_name(house: House) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab", title="Twice")

    def upload() -> int:
        return twin(ada).upload("resource_create", {"package_id": made["id"]}, "upload", "same.txt", b"text").status

    assert Counter(at_once(*[upload] * 4)) == {200: 1, 409: 3}
    assert len(ada.get("package_show", id=made["id"]).result["resources"]) == 1


def test_activated_while_files_are_added(house: House) -> None:
    """Whatever wins: an active dataset has what its activation saw, and takes nothing more."""
    ada = house.people["ada"]
    made, _file = house.dataset("Racing", wait=True)
    activate = lambda: twin(ada).post("package_revise", match={"id": made["id"]}, update={"state": "active"}).status  # noqa: E731
    add = lambda: twin(ada).upload("resource_create", {"package_id": made["id"]}, "upload", "late.txt", b"x").status  # noqa: E731
    delete = lambda: twin(ada).post("package_delete", id=made["id"]).status  # noqa: E731
    found = at_once(activate, add, activate, delete)
    shown = ada.get("package_show", id=made["id"]).result
    assert shown["state"] == ("deleted" if found[3] == 200 else "active")
    assert (len(shown["resources"]) == 2) == (found[1] == 200)


def test_purged_while_files_arrive_and_jobs_run(house: House) -> None:
    """Nothing of it is left in the depot, and no job fails the service."""
    ada, depot = house.people["ada"], house.appliance.context.depot
    made = ada.draft("lab", title="Vanishing")
    file = ada.add(made["id"], synthetic(), "M1.rtdc")
    late = lambda: twin(ada).upload("resource_create", {"package_id": made["id"]}, "upload", "late.txt", b"x" * 300_000)  # noqa: E731
    purge = lambda: [twin(ada).post(action, id=made["id"]).status for action in ("package_delete", "dataset_purge")]  # noqa: E731
    answer, ended = at_once(late, purge)
    assert ended == [200, 200]
    house.appliance.jobs_done(file["id"])
    assert ada.get("package_show", id=made["id"]).status == 404
    assert depot.files(file["id"]) == {}
    if answer.status == 200:
        assert depot.files(answer.result["id"]) == {}


def test_the_audit_log_holds_when_many_write(house: House) -> None:
    ada = house.people["ada"]
    before = _entries(house)
    at_once(
        *[lambda number=number: twin(ada).post("user_patch", about=f"round {number}").status for number in range(12)]
    )
    with house.appliance.context.db.read() as conn:
        assert audit_chain.verify(conn).problems == []
    assert _entries(house) == before + 12


def _entries(house: House) -> int:
    with house.appliance.context.db.read() as conn:
        return audit.count(conn)


def test_a_right_that_ends_ends_for_what_is_under_way(house: House) -> None:
    """The right is asked again when a file that took a while becomes part of a dataset."""
    site, made = house.appliance.context, house.people["ada"].draft("lab", title="Slow")
    leaver = house.appliance.member("circle", "lab", "leaver", "editor")

    def slowly() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="package_id"\r\n\r\n' + made["id"].encode() + b"\r\n"
        yield b'--b\r\nContent-Disposition: form-data; name="upload"; filename="slow.txt"\r\n\r\n' + b"x" * 70_000
        communities.remove_member(site, OPERATOR, "circle", "lab", "leaver")
        yield b"x" * 70_000 + b"\r\n--b--\r\n"

    answer = leaver.http.post(
        house.appliance.url + "/api/3/action/resource_create", data=slowly(), timeout=30,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )  # fmt: skip
    assert answer.status_code == 404
    assert house.people["ada"].get("package_show", id=made["id"]).result["resources"] == []
    assert list(site.depot.parts()) == []
