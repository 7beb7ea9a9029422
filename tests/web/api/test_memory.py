"""Remembered answers: the same bytes without asking the database, and never for somebody else or after a change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appliance.actions import accounts
from appliance.model import times
from appliance.model.viewer import OPERATOR
from appliance.store.database import Database
from appliance.web.http import Response
from appliance.web.memory import Memory
from tests.support.server import Person
from tests.web.api.permission_fixture import World
from tests.web.api.test_statements import counted


@pytest.fixture(scope="module")
def quiet(world: World) -> World:
    world.appliance.service.jobs.stop(grace=5.0)  # nobody else commits
    return world


def remembered(world: World, who: Person, action: str, **parameters: Any) -> bool:
    """Is an answer that has just been given given again, byte for byte, without a statement?"""
    who.get(action, **parameters)  # the first use of a token is noted, which is a commit
    before = who.get(action, **parameters)
    with counted(world) as ran:
        again = who.get(action, **parameters)
    assert (before.status, again.status) == (200, 200)
    return not ran and before.text == again.text


def test_a_repeated_question_is_answered_from_memory(quiet: World) -> None:
    one = quiet.dataset("private")
    reader = quiet.people["Cm"]
    for action, parameters in {
        "package_show": {"id": one.id},
        "resource_show": {"id": one.resource},
        "organization_list": {},
        "package_search": {"q": "dataset", "include_private": True},
        "dcserv": {"id": one.resource, "query": "metadata", "version": 2},
    }.items():
        assert remembered(quiet, reader, action, **parameters), action


def test_what_depends_on_the_moment_or_on_files_is_not_remembered(quiet: World) -> None:
    one = quiet.dataset("private")
    reader = quiet.people["Cm"]
    for parameters in ({"query": "basins", "version": 2}, {"query": "valid", "version": 1}):
        assert not remembered(quiet, reader, "dcserv", id=one.resource, **parameters)
    assert not remembered(quiet, reader, "package_search", fq="metadata_created:[* TO NOW]")


def test_an_answer_is_for_one_credential_only(quiet: World) -> None:
    one = quiet.dataset("private")
    assert quiet.people["Cm"].get("package_show", id=one.id).status == 200
    assert quiet.people["U"].get("package_show", id=one.id).status == 404
    assert quiet.people["A"].get("package_show", id=one.id).status == 404
    assert quiet.people["Cm"].get("package_show", id=one.id).status == 200


def test_a_revoked_token_gets_nothing_that_it_had_before(quiet: World) -> None:
    one = quiet.dataset("private")
    token, id_ = accounts.create_token(quiet.context, OPERATOR, quiet.people["Cm"].name, "lost", scope="read")
    lost = Person(quiet.appliance, quiet.people["Cm"].name, token)
    assert [lost.get("package_show", id=one.id).status for _ in range(3)] == [200] * 3
    assert quiet.people["Cm"].post("api_token_revoke", jti=id_).status == 200
    assert lost.get("package_show", id=one.id).status == 404


def test_a_commit_of_another_process_is_seen(quiet: World) -> None:
    one = quiet.dataset("public")
    reader = quiet.people["Cm"]
    assert [reader.get("package_show", id=one.id).result["state"] for _ in range(3)] == ["active"] * 3
    other = Database(quiet.context.db.path)
    with other.write() as tx:
        tx.execute("UPDATE dataset SET private = 1 WHERE id = ?", (one.id,))
    other.close()
    assert reader.get("package_show", id=one.id).status == 200
    assert quiet.people["U"].get("package_show", id=one.id).status == 404


def test_cookies_and_bodies_are_left_out(quiet: World) -> None:
    one = quiet.dataset("public")
    nobody = quiet.people["A"]
    assert nobody.get("package_show", id=one.id).status == 200
    headers = {"Content-Type": "application/json"}
    other = nobody.http.get(f"{nobody._url('package_show')}", data=f'{{"id": "{one.name}"}}', headers=headers)
    assert other.json()["result"]["id"] == one.id
    missing = nobody.http.get(f"{nobody._url('package_show')}", data='{"id": "no-such"}', headers=headers)
    assert missing.status_code == 404


# --- the memory itself ------------------------------------------------------------------------------------------------


def test_an_answer_lives_no_longer_than_its_credential() -> None:
    memory = Memory(lambda: 1)
    memory.keep(
        memory.look_up(("a", "", b"1"))[0], ("a", "", b"1"), Response(body=b"x"), times.ahead(timedelta(hours=1))
    )
    memory.keep(1, ("a", "", b"2"), Response(body=b"x"), times.ahead(timedelta(seconds=-1)))
    assert memory.look_up(("a", "", b"1"))[1] is not None
    assert memory.look_up(("a", "", b"2"))[1] is None


def test_what_was_read_before_a_commit_is_not_kept() -> None:
    generations = iter([1, 2, 2])
    memory = Memory(lambda: next(generations))
    old, _ = memory.look_up(("a", "", b""))
    memory.look_up(("b", "", b""))  # somebody has committed meanwhile
    memory.keep(old, ("a", "", b""), Response(body=b"x"), None)
    assert memory.look_up(("a", "", b""))[1] is None


def test_memory_has_an_end() -> None:
    memory = Memory(lambda: 1, budget=10_000)
    memory.look_up(("a", "", b""))
    for number in range(100):
        memory.keep(1, ("a", str(number), b""), Response(body=b"x" * 1000), None)
    known = [number for number in range(100) if memory.look_up(("a", str(number), b""))[1]]
    assert known
    assert known == list(range(100 - len(known), 100))
    assert len(known) <= 10
    memory.keep(1, ("a", "large", b""), Response(body=b"x" * (1 << 20)), None)
    assert memory.look_up(("a", "large", b""))[1] is None
