"""What opens an account: each credential does what it is for, as long as it is meant to, and becomes nothing more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from appliance.actions import accounts
from appliance.model.viewer import OPERATOR
from tests.support.furnished import PASSWORD, House, Visitor
from tests.support.server import Appliance, Person

NEW = "four words make sense"


@pytest.fixture
def someone(house: House, request: pytest.FixtureRequest) -> Person:
    """A fresh user with a password and a token, named after the test."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-60:]
    return house.appliance.person(name, password=PASSWORD)


def test_a_token_does_not_become_the_account(house: House, someone: Person) -> None:
    for action in ("user_patch", "user_update"):
        refused = someone.post(action, id=someone.name, email=f"{someone.name}@example.org", password=NEW)
        assert refused.status == 409
        assert "old_password" in refused.error
    assert Visitor(house.appliance).post("/user/login", login=someone.name, password=NEW).status_code == 401
    assert someone.post("user_patch", password=NEW, old_password=PASSWORD).status == 200


def test_a_token_does_not_outlive_itself(house: House, someone: Person) -> None:
    short, _ = accounts.create_token(
        house.appliance.context, OPERATOR, someone.name, "a day", expires=timedelta(days=1)
    )
    made = Person(house.appliance, someone.name, short)
    assert made.post("api_token_create", name="for ever").status == 200
    assert made.post("api_token_create", name="an hour", expires_in=3600).status == 200
    refused = made.post("api_token_create", name="a year", expires_in=365 * 86400)
    found = {one["name"]: one["expires_at"] for one in someone.get("api_token_list").result}
    assert found["for ever"] == found["a day"] > found["an hour"]
    assert refused.status == 409, "a life that was asked for is not cut silently"
    assert found["a day"][:10] in refused.error["expires_in"][0]
    assert "a year" not in found


def test_a_token_makes_none_of_a_wider_scope(house: House, someone: Person) -> None:
    read, _ = accounts.create_token(house.appliance.context, OPERATOR, someone.name, "r", scope="read")
    assert Person(house.appliance, "", read).post("api_token_create", name="more").status == 403
    assert someone.post("api_token_create", name="more", scope="admin").status == 409


def test_an_administrators_ordinary_token_does_not_administer(house: House) -> None:
    token, _ = accounts.create_token(house.appliance.context, OPERATOR, "root", "daily work", scope="write")
    daily = Person(house.appliance, "root", token)
    assert daily.get("user_list").status == 403
    assert daily.get("package_show", id=house.private["id"]).status == 404


@pytest.mark.parametrize("end", ["disabled", "deleted"])
def test_whoever_has_left_opens_nothing(house: House, someone: Person, end: str) -> None:
    appliance = house.appliance
    someone.circle(f"circle-{end}")
    made = someone.draft(f"circle-{end}", private=True)
    visitor = Visitor(appliance)
    assert visitor.post("/user/login", login=someone.name, password=PASSWORD).status_code == 303
    accounts.set_state(appliance.context, OPERATOR, someone.name, end)
    assert someone.get("package_show", id=made["id"]).status == 404
    assert someone.get("user_show").status == 403
    assert visitor.get("/dashboard").status_code == 303
    assert visitor.post("/user/login", login=someone.name, password=PASSWORD).status_code == 401


def test_a_new_password_ends_every_session_but_the_one_that_set_it(house: House, someone: Person) -> None:
    here, there = Visitor(house.appliance), Visitor(house.appliance)
    for one in (here, there):
        assert one.post("/user/login", login=someone.name, password=PASSWORD).status_code == 303
    before = here.http.cookies["__Host-dcor"]
    path = f"/user/{someone.name}/password"
    assert here.post(path, old="a guess", password=NEW, again=NEW).status_code == 409
    assert here.post(path, old=PASSWORD, password=NEW, again=NEW).status_code == 303
    assert here.http.cookies["__Host-dcor"] != before
    assert here.get("/dashboard").status_code == 200
    assert there.get("/dashboard").status_code == 303


def test_a_log_in_makes_its_own_session(house: House, someone: Person) -> None:
    visitor = Visitor(house.appliance)
    visitor.http.cookies.set("__Host-dcor", "planted-by-somebody-else", secure=True)
    answer = visitor.post("/user/login", login=someone.name, password=PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert "planted" not in cookie
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_signing_out_ends_the_session_on_the_server(house: House, someone: Person) -> None:
    visitor = Visitor(house.appliance)
    visitor.post("/user/login", login=someone.name, password=PASSWORD)
    kept = visitor.http.cookies["__Host-dcor"]
    visitor.post("/user/logout")
    visitor.http.cookies.set("__Host-dcor", kept, secure=True)
    assert visitor.get("/dashboard").status_code == 303


def test_a_one_time_link_works_once(house: House, someone: Person) -> None:
    secret = accounts.one_time_link(house.appliance.context, OPERATOR, someone.name)
    visitor, path = Visitor(house.appliance), f"/user/password/{secret}"
    assert visitor.get(path).status_code == 200, "looking at it (as mail scanners do) does not use it up"
    assert visitor.post(path, password=NEW, again=NEW).status_code == 303
    assert visitor.post(path, password=PASSWORD, again=PASSWORD).status_code == 404
    assert Visitor(house.appliance).post("/user/login", login=someone.name, password=NEW).status_code == 303


def test_one_desk_locks_itself_out_and_nobody_else(house: House, someone: Person) -> None:
    limiter = house.appliance.context.limiter
    visitor = Visitor(house.appliance)
    refused = [visitor.post("/user/login", login=someone.name, password="a guess").status_code for _ in range(60)]
    assert refused[:5] == [401] * 5
    assert set(refused[5:]) == {429}
    assert limiter.login_attempt(someone.name, "10.20.30.40") == 0


def test_somebody_elses_worn_out_token_locks_nobody_out(house: House, someone: Person) -> None:
    worn_out = Person(house.appliance, "", "x" * 44)
    assert {worn_out.get("user_show").status for _ in range(200)} == {403}
    assert someone.get("user_show").status == 200


def test_a_wrong_name_and_a_wrong_password_are_told_apart_by_nobody(house: House, someone: Person) -> None:
    visitor = Visitor(house.appliance)
    texts = {
        visitor.post("/user/login", login=name, password="a guess").text.replace(name, "")
        for name in (someone.name, "nobody-of-that-name")
    }
    assert len(texts) == 1


def test_no_name_looks_like_somebody_elses_id(house: House, someone: Person) -> None:
    """Everything is found by id or name, so a circle with another's id for a name would be sent what is meant for that."""
    theirs = house.people["ada"].get("organization_show", id="lab").result["id"]
    for action in ("organization_create", "group_create"):
        assert "name" in someone.post(action, name=theirs).error
    values = {"name": someone.id, "email": "twin@example.org", "password": NEW}
    assert "name" in house.people["root"].post("user_create", **values).error
    made = house.people["ada"].draft("lab", title=house.private["id"])
    assert made["name"] != house.private["id"]


def _links(person: Person, resource_id: str) -> list[str]:
    basins: list[Any] = person.get("dcserv", id=resource_id, query="basins", version="2").result
    return [urlsplit(url).path + "?" + urlsplit(url).query for basin in basins for url in basin["urls"]]


def test_signed_links_end_with_the_right_to_the_data(house: House, someone: Person) -> None:
    from appliance.actions import communities

    appliance: Appliance = house.appliance
    communities.set_member(appliance.context, OPERATOR, "circle", "lab", someone.name, "member")
    appliance.jobs_done(house.private_file["id"])
    links = _links(someone, house.private_file["id"])
    nobody = appliance.nobody
    assert links
    assert {nobody.fetch(link).status_code for link in links} == {200}
    communities.remove_member(appliance.context, OPERATOR, "circle", "lab", someone.name)
    assert {nobody.fetch(link).status_code for link in links} == {404}


def test_signed_links_end_with_their_token(house: House, someone: Person) -> None:
    from appliance.actions import communities

    appliance = house.appliance
    communities.set_member(appliance.context, OPERATOR, "circle", "lab", someone.name, "member")
    appliance.jobs_done(house.private_file["id"])
    links = _links(someone, house.private_file["id"])
    assert someone.post("api_token_revoke", token=someone.token).status == 200
    assert {appliance.nobody.fetch(link).status_code for link in links} == {404}


def test_signed_links_open_nothing_but_what_they_name(house: House) -> None:
    appliance = house.appliance
    appliance.jobs_done(house.private_file["id"])
    link = _links(house.people["ada"], house.private_file["id"])[-1]
    path, _, query = link.partition("?")
    other = house.draft_file["id"]
    elsewhere = f"/objects/resource/{other[:3]}/{other[3:6]}/{other[6:]}"
    expiry = re.sub(r"expires=\d+", "expires=99999999999", query)
    for forged in (
        f"{elsewhere}?{query}", f"{path}?{expiry}", f"{path}?{query}&user=root", f"{path}?{query[:-1]}",
        f"{path}?{query.replace('user=', 'user=x')}", f"{path}?{query}&as=admin", f"{path}?signature=", path,
    ):  # fmt: skip
        assert appliance.nobody.fetch(forged).status_code in {403, 404}, forged
