"""Guessing passwords by every name of an account, and what ends when a password or a session does."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

import appliance
from appliance.actions import accounts, communities
from appliance.actions.site import Site
from appliance.model import times
from appliance.model.viewer import OPERATOR
from appliance.store import sessions, users
from tests.support.furnished import PASSWORD, House, Visitor
from tests.support.server import Person

NEW = "four words make sense"


@pytest.fixture
def someone(house: House, request: pytest.FixtureRequest) -> Person:
    """A fresh user with a password and a token, named after the test."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-60:]
    return house.appliance.person(name, password=PASSWORD)


@pytest.fixture
def boss(house: House, request: pytest.FixtureRequest) -> str:
    """Name of a fresh administrator."""
    name = "boss-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-50:]
    house.appliance.person(name, sysadmin=True, password=PASSWORD)
    return name


def test_name_address_and_id_of_an_account_are_one_counter(house: House, someone: Person) -> None:
    visitor = Visitor(house.appliance)
    typed = (someone.name, f"{someone.name}@example.org", someone.id, f" {someone.name.upper()}@EXAMPLE.org ")
    statuses = [visitor.post("/user/login", login=typed[n % 4], password="a guess").status_code for n in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    for one in typed:
        assert visitor.post("/user/login", login=one, password=PASSWORD).status_code == 429


def test_a_borrowed_session_guesses_no_more_often_than_a_stranger(house: House, someone: Person) -> None:
    borrowed, path = Visitor(house.appliance, someone.name), f"/user/{someone.name}/password"
    statuses = [borrowed.post(path, old=f"guess {n}", password=NEW, again=NEW).status_code for n in range(7)]
    assert statuses == [409] * 5 + [429] * 2
    assert borrowed.post(path, old=PASSWORD, password=NEW, again=NEW).status_code == 429
    assert "Too many attempts" in borrowed.post(path, old=PASSWORD, password=NEW, again=NEW).text
    assert someone.post("user_patch", password=NEW, old_password=PASSWORD).status == 429, "the same counter"


@pytest.mark.parametrize("action", ["user_patch", "user_update"])
def test_a_borrowed_token_guesses_no_more_often_than_a_stranger(house: House, someone: Person, action: str) -> None:
    email = f"{someone.name}@example.org"
    statuses = [
        someone.post(action, email=email, password=NEW, old_password=f"guess {number}").status for number in range(7)
    ]
    assert statuses == [409] * 5 + [429] * 2
    assert Visitor(house.appliance).post("/user/login", login=someone.name, password=PASSWORD).status_code == 429


def test_every_look_at_a_password_is_counted() -> None:
    """`passwords.verify` is called from functions that count the attempt, and from nowhere else."""
    callers = {}
    for path in Path(appliance.__file__).parent.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                calls = [ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
                if "passwords.verify" in calls:
                    callers[f"{path.stem}.{function.name}"] = "count_attempt" in calls
    assert callers == {"login.sign_in": True, "login.require_password": True}


def test_a_new_password_withdraws_the_tokens_if_that_is_ticked(house: House, someone: Person) -> None:
    lent = Person(house.appliance, "", someone.post("api_token_create", name="lent").result["token"])
    visitor, path = Visitor(house.appliance, someone.name), f"/user/{someone.name}/password"
    assert re.search(r'name="revoke_tokens"[^>]* checked', visitor.page(f"/user/{someone.name}"))
    assert visitor.post(path, old=PASSWORD, password=NEW, again=NEW).status_code == 303
    assert {one.get("user_show").status for one in (someone, lent)} == {200}, "it was not ticked"
    assert visitor.post(path, old=NEW, password=PASSWORD, again=PASSWORD, revoke_tokens="1").status_code == 303
    assert {one.get("user_show").status for one in (someone, lent)} == {403}
    assert visitor.get("/dashboard").status_code == 200


def test_a_new_password_by_the_api_or_a_link_withdraws_the_tokens_if_wished(house: House, someone: Person) -> None:
    context = house.appliance.context
    assert someone.post("user_patch", password=NEW, old_password=PASSWORD, revoke_tokens=True).status == 200
    assert someone.get("user_show").status == 403
    again = house.appliance.person(someone.name)
    path = f"/user/password/{accounts.one_time_link(context, OPERATOR, someone.name)}"
    visitor = Visitor(house.appliance)
    assert re.search(r'name="revoke_tokens"[^>]* checked', visitor.page(path))
    assert visitor.post(path, password=PASSWORD, again=PASSWORD, revoke_tokens="1").status_code == 303
    assert again.get("user_show").status == 403


def _link(visitor: Visitor, name: str) -> str:
    answer = visitor.post(f"/admin/users/{name}/link")
    found = re.search(r"/user/password/[A-Za-z0-9_-]+", answer.text)
    assert found is not None, answer.text
    return found[0]


def _opens(house: House, link: str) -> bool:
    """Does the link still set a password? Asked with a bad one, which does not use it up."""
    status = Visitor(house.appliance).post(link, password="short", again="short").status_code
    assert status in {404, 409}
    return status == 409


@pytest.mark.parametrize("end", ["sign out", "ended elsewhere", "new password", "disabled", "demoted", "erased"])
def test_a_one_time_link_ends_with_the_session_it_was_made_in(
    house: House, someone: Person, boss: str, end: str
) -> None:
    context, visitor = house.appliance.context, Visitor(house.appliance, boss)
    link = _link(visitor, someone.name)
    assert _opens(house, link)
    if end == "sign out":
        visitor.post("/user/logout")
    elif end == "ended elsewhere":
        ends = re.findall(r'action="([^"]+/end)"', Visitor(house.appliance, boss).page(f"/user/{boss}/sessions"))
        for one in ends:
            visitor.post(one, confirmed="yes")
    elif end == "new password":
        visitor.post(f"/user/{boss}/password", old=PASSWORD, password=NEW, again=NEW)
    elif end == "disabled":
        accounts.set_state(context, OPERATOR, boss, "disabled")
    elif end == "demoted":
        accounts.set_sysadmin(context, OPERATOR, boss, False)
    else:
        accounts.erase(context, OPERATOR, boss)
    assert not _opens(house, link)


def test_a_one_time_link_outlives_a_session_that_nobody_ended(house: House, someone: Person, boss: str) -> None:
    context = house.appliance.context
    link = _link(Visitor(house.appliance, boss), someone.name)
    with context.db.write() as tx:
        row = users.find(tx, boss)
        assert row is not None
        tx.execute("UPDATE session SET expires = ? WHERE user_id = ?", (times.now(), row["id"]))
        sessions.sweep(tx)
    assert _opens(house, link), "its maker has gone home, no more"
    accounts.change_password(context, OPERATOR, boss, NEW)
    assert not _opens(house, link)


def test_a_new_password_ends_links_to_set_one(house: House, someone: Person) -> None:
    context = house.appliance.context
    link = f"/user/password/{accounts.one_time_link(context, OPERATOR, someone.name)}"
    assert _opens(house, link)
    assert someone.post("user_patch", password=NEW, old_password=PASSWORD).status == 200
    assert not _opens(house, link)


CHANGES: dict[str, Callable[[House, Site, str], object]] = {
    "promoted": lambda house, site, name: accounts.set_sysadmin(site, OPERATOR, name, True),
    "other address": lambda house, site, name: accounts.update(
        site, OPERATOR, name, {"email": f"new.{name}@example.org"}
    ),
    "disabled and enabled": lambda house, site, name: [
        accounts.set_state(site, OPERATOR, name, state) for state in ("disabled", "active")
    ],
    "made admin of a circle": lambda house, site, name: communities.set_member(
        site, OPERATOR, "circle", "lab", name, "admin"
    ),
    "put into a collection": lambda house, site, name: communities.set_member(
        site, OPERATOR, "collection", "study", name, "member"
    ),
    "given a dataset": lambda house, site, name: house.share(house.private["id"], name, "editor"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_link_to_set_a_password_ends_with_any_change_of_its_account(
    house: House, someone: Person, change: str
) -> None:
    """Whoever got hold of the link of somebody with few rights would get those that the account has by now."""
    site, who = house.appliance.context, someone.name
    link = f"/user/password/{accounts.one_time_link(site, OPERATOR, who)}"
    accounts.update(site, OPERATOR, who, {"about": "what gives no rights", "email": f"{who}@example.org"})
    assert _opens(house, link)
    CHANGES[change](house, site, who)
    assert not _opens(house, link)
    assert _opens(house, f"/user/password/{accounts.one_time_link(site, OPERATOR, who)}"), "a new one is good"


@pytest.mark.parametrize("end", ["sign out", "new password"])
def test_signed_links_end_with_the_session_they_were_made_in(house: House, someone: Person, end: str) -> None:
    context = house.appliance.context
    communities.set_member(context, OPERATOR, "circle", "lab", someone.name, "editor")
    house.appliance.jobs_done(house.private_file["id"])
    visitor = Visitor(house.appliance, someone.name)
    basins = visitor.get(f"/api/3/action/dcserv?id={house.private_file['id']}&query=basins&version=2").json()["result"]
    urls = [url for basin in basins for url in basin["urls"]]
    nobody = house.appliance.nobody

    def statuses() -> set[int]:
        return {nobody.fetch(f"{urlsplit(url).path}?{urlsplit(url).query}").status_code for url in urls}

    assert statuses() == {200}
    if end == "sign out":
        visitor.post("/user/logout")
    else:
        accounts.change_password(context, OPERATOR, someone.name, NEW)
    assert statuses() == {404}


def test_a_wrong_password_says_the_same_whatever_was_typed(house: House, someone: Person) -> None:
    visitor = Visitor(house.appliance)
    typed = (someone.name, f"{someone.name}@example.org", someone.id)

    def answer(name: str) -> requests.Response:
        return visitor.post("/user/login", login=name, password="a guess")

    assert len({answer(name).text.replace(name, "") for name in typed}) == 1


@pytest.mark.parametrize("action", ["user_patch", "user_update"])
def test_a_borrowed_token_does_not_take_over_the_address(someone: Person, action: str) -> None:
    """Whoever holds the address gets the links for a new password."""
    mine = f"{someone.name}@example.org"
    refused = someone.post(action, email="thief@example.org")
    assert (refused.status, "old_password" in refused.error) == (409, True)
    assert someone.post(action, email=mine, about="still me").status == 200
    assert someone.post(action, email=f"new.{mine}", old_password=PASSWORD).status == 200
