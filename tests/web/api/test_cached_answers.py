"""Cached answers: the same bytes without asking the database, and never for somebody else or after a change."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.actions import accounts
from appliance.model.viewer import OPERATOR
from appliance.store.database import Database
from tests.support.server import Person
from tests.web.api.permission_fixture import World
from tests.web.api.test_statements import counted


@pytest.fixture(scope="module")
def quiet(world: World) -> World:
    world.appliance.service.jobs.stop(grace=5.0)  # nobody else commits
    return world


def cached(world: World, who: Person, action: str, **parameters: Any) -> bool:
    """Is an answer that has just been given given again, byte for byte, without a statement?"""
    who.get(action, **parameters)  # the first use of a token is noted, which is a commit
    before = who.get(action, **parameters)
    with counted(world) as ran:
        again = who.get(action, **parameters)
    assert (before.status, again.status) == (200, 200)
    return not ran and before.text == again.text


def test_a_repeated_question_is_answered_from_the_cache(quiet: World) -> None:
    one = quiet.dataset("private")
    reader = quiet.people["Cm"]
    for action, parameters in {
        "package_show": {"id": one.id},
        "resource_show": {"id": one.resource},
        "organization_list": {},
        "package_search": {"q": "dataset", "include_private": True},
        "dcserv": {"id": one.resource, "query": "metadata", "version": 2},
    }.items():
        assert cached(quiet, reader, action, **parameters), action


def test_what_depends_on_the_moment_or_on_files_is_not_cached(quiet: World) -> None:
    one = quiet.dataset("private")
    reader = quiet.people["Cm"]
    for parameters in ({"query": "basins", "version": 2}, {"query": "valid", "version": 1}):
        assert not cached(quiet, reader, "dcserv", id=one.resource, **parameters)
    assert not cached(quiet, reader, "package_search", fq="metadata_created:[* TO NOW]")


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


def test_bodies_are_left_out(quiet: World) -> None:
    one = quiet.dataset("public")
    nobody = quiet.people["A"]
    assert nobody.get("package_show", id=one.id).status == 200
    headers = {"Content-Type": "application/json"}
    other = nobody.http.get(f"{nobody._url('package_show')}", data=f'{{"id": "{one.name}"}}', headers=headers)
    assert other.json()["result"]["id"] == one.id
    missing = nobody.http.get(f"{nobody._url('package_show')}", data='{"id": "no-such"}', headers=headers)
    assert missing.status_code == 404
