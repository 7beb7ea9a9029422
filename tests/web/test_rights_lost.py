"""Who loses a right sees nothing of it from the next request on, also when it is lost in the middle of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from appliance.actions import accounts, login
from appliance.model.viewer import OPERATOR
from appliance.security import session_cookies
from appliance.store import communities, sharing, users
from appliance.store import tokens as stored
from appliance.web import authentication
from tests.web.api.permission_fixture import Dataset, World

PASSWORD = "correct horse 1 battery"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    made.appliance.service.jobs.stop(grace=5.0)  # nobody else commits
    yield made
    made.stop()


class Reader:
    """A fresh user with a session and a token."""

    def __init__(self, world: World, scope: str = "admin") -> None:
        self.world = world
        self.name = f"reader-{world.user()}"
        values = {"name": self.name, "email": f"{self.name}@example.org", "password": PASSWORD}
        self.id = accounts.create(world.context, OPERATOR, values)
        cookie = login.sign_in(world.context, self.name, PASSWORD)
        token, self.token_id = accounts.create_token(world.context, OPERATOR, self.name, "test")
        with world.context.db.write() as tx:  # of somebody who may have been an administrator before
            tx.execute("UPDATE token SET scope = ? WHERE id = ?", (scope, self.token_id))
        self.credentials = {
            "cookie": {"Cookie": f"{session_cookies.COOKIE}={cookie}"},
            "token": {"Authorization": token},
        }
        for credential in self.credentials:  # the first use is noted, which is a commit
            self.ask("/api/3/action/status_show", credential)

    def ask(self, path: str, credential: str) -> requests.Response:
        headers = self.credentials[credential]
        return requests.get(
            self.world.appliance.url + path,
            headers=headers,
            verify=str(self.world.appliance.certificate),
            allow_redirects=False,
            timeout=60,
        )


Change = Callable[[World, Any, Reader, Dataset], object]


def administrator(value: bool) -> Change:
    return lambda world, tx, who, one: users.set_sysadmin(tx, who.id, value)


def scope_of_token(world: World, tx: Any, who: Reader, one: Dataset) -> None:
    tx.execute("UPDATE token SET scope = 'read' WHERE id = ?", (who.token_id,))


#: right → (given, taken)
RIGHTS: dict[str, tuple[Change, Change]] = {
    "administrator": (administrator(True), administrator(False)),
    "member of the circle": (
        lambda world, tx, who, one: communities.set_member(tx, world.circle, who.id, "member"),
        lambda world, tx, who, one: communities.remove_member(tx, world.circle, who.id),
    ),
    "member of the collection": (
        lambda world, tx, who, one: communities.set_member(tx, world.collection, who.id, "member"),
        lambda world, tx, who, one: communities.remove_member(tx, world.collection, who.id),
    ),
    "collaborator": (
        lambda world, tx, who, one: sharing.set_collaborator(tx, one.id, who.id, "member"),
        lambda world, tx, who, one: sharing.remove_collaborator(tx, one.id, who.id),
    ),
    "account": (
        lambda world, tx, who, one: communities.set_member(tx, world.circle, who.id, "member"),
        lambda world, tx, who, one: users.set_state(tx, who.id, "deleted"),
    ),
}
#: address → credential; {id}, {name} and {file} are a private dataset's
ADDRESSES = {
    "/dataset/{name}": "cookie",
    "/dataset/{id}/resource/{file}": "cookie",
    "/": "cookie",
    "/dataset?q={name}": "cookie",
    "/dataset/{id}/resource/{file}/download": "cookie",
    "/dataset/{name}/resource/{file}/preview.jpg": "token",
    "/api/3/action/package_show?id={name}": "token",
    "/api/3/action/package_show?id={id}": "cookie",
    "/api/3/action/resource_show?id={file}": "token",
    "/api/3/action/package_search?q={name}&include_private=true": "token",
    "/api/3/action/dcserv?id={file}&query=metadata&version=2": "token",
}


def shows(answer: requests.Response, one: Dataset, path: str) -> bool:
    """Does the answer show anything of the dataset?"""
    if answer.status_code != 200:
        return False
    if path == "/":
        return one.name in answer.text
    return (
        not path.startswith(("/dataset?", "/api/3/action/package_search"))
        or f"tag-{one.name}" in answer.text
        or (f">{one.name}<" in answer.text.replace("\n", "").replace(" ", ""))
    )


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("right", RIGHTS)
def test_a_right_that_is_lost_in_mid_request_is_gone_with_the_next(
    world: World, right: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    give, take = RIGHTS[right]
    one, who = world.dataset("private"), Reader(world)
    address, credential = path.format(id=one.id, name=one.name, file=one.resource), ADDRESSES[path]
    with world.context.db.write() as tx:
        give(world, tx, who, one)
    losing = [True]
    for way in ("by_session", "by_token"):
        find = getattr(authentication, way)

        def find_and_lose(*args: Any, find: Any = find) -> Any:
            """The caller, who loses the right when the request has just found out who asks."""
            found = find(*args)
            if losing and found.user_id == who.id:
                losing.clear()
                with world.context.db.write() as tx:
                    take(world, tx, who, one)
            return found

        monkeypatch.setattr(authentication, way, find_and_lose)
    who.ask(address, credential)
    assert not losing, "the right was not lost"
    assert [shows(who.ask(address, credential), one, path) for _ in range(2)] == [False, False]


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("right", RIGHTS)
def test_rights_come_and_go_between_requests(world: World, right: str, path: str) -> None:
    give, take = RIGHTS[right]
    one, who = world.dataset("private"), Reader(world)
    address, credential = path.format(id=one.id, name=one.name, file=one.resource), ADDRESSES[path]
    changes = [give, take, give, take] if right != "account" else [give, take]
    for number, change in enumerate(changes):
        with world.context.db.write() as tx:
            change(world, tx, who, one)
        seen = [shows(who.ask(address, credential), one, path) for _ in range(2)]
        assert seen == [number % 2 == 0] * 2


def test_two_tokens_of_one_user_see_what_their_scopes_permit(world: World) -> None:
    """An administrator's token of scope "read" is no administrator's, whatever the other one was just answered."""
    one, who = world.dataset("private"), Reader(world, scope="admin")
    with world.context.db.write() as tx:
        users.set_sysadmin(tx, who.id, True)
    weak, _ = accounts.create_token(world.context, OPERATOR, who.name, "weak", scope="read")
    who.credentials["weak"] = {"Authorization": weak}
    path = f"/api/3/action/package_show?id={one.id}"
    who.ask(path, "weak")
    assert [who.ask(path, credential).status_code for credential in ("token", "weak") * 2] == [200, 404] * 2
    with world.context.db.write() as tx:
        scope_of_token(world, tx, who, one)
    assert who.ask(path, "token").status_code == 404


def test_a_token_that_ends_takes_its_answers_with_it(world: World) -> None:
    one, who = world.dataset("private"), Reader(world)
    with world.context.db.write() as tx:
        communities.set_member(tx, world.circle, who.id, "member")
    path = f"/api/3/action/package_show?id={one.id}"
    assert [who.ask(path, "token").status_code for _ in range(2)] == [200, 200]
    with world.context.db.write() as tx:
        assert stored.revoke(tx, who.token_id)
    assert who.ask(path, "token").status_code == 404
