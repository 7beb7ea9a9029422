"""Whoever loses a right between the question whether they may and the transaction that writes has changed nothing.

The moment is the one in which a request asks for the database's writer: it has been decided by then, and may wait for half a minute.
Every action and every page that changes something is tried; which of them come so far is counted, so that none is left out unseen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.actions import accounts, communities, login
from appliance.actions.site import Site
from appliance.model.viewer import OPERATOR
from appliance.security.limits import Limiter
from appliance.store import sessions, users
from appliance.store.fair_lock import FairLock
from appliance.web.api.registry import ACTIONS
from tests.security.attacks.test_every_way_in import CHANGES, Targets, pages
from tests.support.furnished import PASSWORD
from tests.support.server import Appliance, Person

Loss = Callable[[Site, Person], object]
LOSSES: dict[str, Loss] = {
    "administrator no more": lambda site, boss: accounts.set_sysadmin(site, OPERATOR, boss.name, False),
    "out of the circle": lambda site, boss: communities.remove_member(site, OPERATOR, "circle", "lab", boss.name),
    "token revoked": lambda site, boss: accounts.revoke_token(site, OPERATOR, token=boss.token),
    "account disabled": lambda site, boss: accounts.set_state(site, OPERATOR, boss.name, "disabled"),
}


class Ambush:
    """Takes a right away in the moment in which a request asks for the writer; `generation`: of the database after that, None if none asked."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site = site
        self.generation: int | None = None
        self._take: Callable[[], object] | None = None
        acquire = FairLock.acquire

        def waiting(lock: FairLock, caller: str | None = None, *arguments: Any) -> bool:
            """What `acquire` does, after the right is gone."""
            take, armed = self._take, caller is not None and self._take is not None
            if armed and take is not None:
                self._take = None
                thread = threading.Thread(target=take)  # somebody else's, at work for nobody's request
                thread.start()
                thread.join()
                self.generation = site.db.generation()
            return acquire(lock, caller, *arguments)

        monkeypatch.setattr(FairLock, "acquire", waiting)

    def lay(self, take: Callable[[], object]) -> None:
        """Take it at the next occasion."""
        self.generation, self._take = None, take

    def lift(self) -> None:
        """Let the next ones pass."""
        self._take = None


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    """Nothing in it may change."""
    running = Appliance(tmp_path_factory.mktemp("targets") / "data", **{"depot.direct_upload": True})
    yield Targets(running)
    running.stop()


@pytest.fixture
def ambush(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> Ambush:
    return Ambush(targets.appliance.context, monkeypatch)


def ready(targets: Targets, name: str) -> Person:
    """An administrator and admin of the circle with a fresh token, whose first use is noted."""
    site = targets.appliance.context
    communities.set_member(site, OPERATOR, "circle", "lab", name, "admin")
    value, id_ = accounts.create_token(site, OPERATOR, name, "ambush", scope="admin")
    person = Person(targets.appliance, name, value, id_)
    assert person.get("api_token_list").status == 200
    return person


def restore(site: Site, name: str) -> None:
    """Give back what was lost."""
    with site.db.read() as conn:
        row = users.find(conn, name)
    assert row is not None
    if row["state"] != "active":
        accounts.set_state(site, OPERATOR, name, "active")
    if not row["sysadmin"]:
        accounts.set_sysadmin(site, OPERATOR, name, True)


@pytest.fixture(scope="module")
def boss(targets: Targets) -> str:
    targets.appliance.person("boss", sysadmin=True, password=PASSWORD)
    return "boss"


def test_an_action_writes_nothing(targets: Targets, ambush: Ambush, boss: str) -> None:
    site = targets.appliance.context
    wrong, silent = [], set()
    for number, name in enumerate(CHANGES):
        loss = list(LOSSES)[number % len(LOSSES)]
        person = ready(targets, boss)
        ambush.lay(lambda person=person, loss=loss: LOSSES[loss](site, person))  # type: ignore[misc]
        answer = person.post(name, **targets.parameters(name))
        ambush.lift()
        if ambush.generation is None:
            silent.add(name)
        elif answer.status not in {403, 404} or site.db.generation() != ambush.generation:
            wrong.append((name, loss, answer.status, answer.text[:200]))
        restore(site, boss)
    assert wrong == []
    assert len(silent) <= 15, " ".join(sorted(silent))  # their parameters are refused before
    assert len(ACTIONS) > len(CHANGES) > 50


def test_a_page_writes_nothing(targets: Targets, ambush: Ambush, boss: str) -> None:
    site = targets.appliance.context
    fields = {"title": "Taken over", "name": "taken-over", "user": "eve", "role": "admin", "confirmed": "yes"}
    wrong, reached = [], set()
    for number, path in enumerate(sorted(set(pages(targets, "POST")) - {"/user/login", "/user/logout"})):
        loss = ("administrator no more", "account disabled")[number % 2]
        person = ready(targets, boss)
        client = targets.app.test_client()
        site.limiter = Limiter()  # for signing in so often
        client.set_cookie("__Host-dcor", login.sign_in(site, boss, PASSWORD), secure=True)
        ambush.lay(lambda person=person, loss=loss: LOSSES[loss](site, person))  # type: ignore[misc]
        answer = client.post(path, base_url="https://localhost", data=fields)
        ambush.lift()
        if ambush.generation is not None:
            reached.add(path)
            if answer.status_code not in {403, 404} or site.db.generation() != ambush.generation:
                wrong.append((path, loss, answer.status_code))
        restore(site, boss)
    assert wrong == []
    assert len(reached) > 20, sorted(reached)


@pytest.mark.parametrize("what", ["share", "unshare", "delete"])
def test_a_saved_comparison_stays_as_it_was(targets: Targets, ambush: Ambush, boss: str, what: str) -> None:
    site, client = targets.appliance.context, targets.app.test_client()
    site.limiter = Limiter()
    client.set_cookie("__Host-dcor", login.sign_in(site, boss, PASSWORD), secure=True)

    def send(path: str, **fields: str) -> Any:
        return client.post(path, base_url="https://localhost", data=fields)

    if what == "share":
        targets.appliance.person("first")
        targets.appliance.person("second")
    saved = send("/comparisons", title="Ours", query=f"r={targets.file['id']}").headers["Location"]
    if what != "share":
        assert send(f"{saved}/share", username="first").status_code == 303
    ambush.lay(lambda: accounts.set_state(site, OPERATOR, boss, "disabled"))
    answer = send(f"{saved}/{what}", username="second" if what == "share" else "first", confirmed="yes")
    ambush.lift()
    after = site.db.generation()
    restore(site, boss)
    assert (answer.status_code, after) == (403, ambush.generation)


MEANWHILE: dict[str, Callable[[Site], object]] = {
    "disabled": lambda site: accounts.set_state(site, OPERATOR, "boss", "disabled"),
    "removed": lambda site: accounts.set_state(site, OPERATOR, "boss", "deleted"),
    "other password": lambda site: accounts.change_password(site, OPERATOR, "boss", f"{PASSWORD} of another"),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_the_right_password_begins_no_session(targets: Targets, ambush: Ambush, boss: str, what: str) -> None:
    """It is checked before the writer is asked for."""
    site, client = targets.appliance.context, targets.app.test_client()
    site.limiter = Limiter()
    with site.db.read() as conn:
        row = users.find(conn, boss)
    assert row is not None
    ambush.lay(lambda: MEANWHILE[what](site))
    answer = client.post("/user/login", base_url="https://localhost", data={"login": boss, "password": PASSWORD})
    ambush.lift()
    assert ambush.generation is not None
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (401, False)
    with site.db.read() as conn:
        assert sessions.of_user(conn, row["id"]) == []
    accounts.set_state(site, OPERATOR, row["id"], "active")
    accounts.change_password(site, OPERATOR, row["id"], PASSWORD)
    accounts.set_sysadmin(site, OPERATOR, row["id"], True)
