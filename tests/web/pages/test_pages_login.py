"""Signing in and out, one-time links, sessions."""

from __future__ import annotations

import re

from appliance.actions import accounts
from appliance.model.viewer import OPERATOR
from tests.support.furnished import PASSWORD, House, Visitor


def test_the_session_cookie_is_bound_to_host_and_https(house: House) -> None:
    answer = Visitor(house.appliance).post("/user/login", login="ada", password=PASSWORD, next="/dataset?q=x")
    cookie = answer.headers["Set-Cookie"]
    assert answer.headers["Location"] == "/dataset?q=x"
    assert cookie.startswith("__Host-")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"))


def test_the_mail_address_is_as_good_as_the_name(house: House) -> None:
    assert Visitor(house.appliance).post("/user/login", login="ada@example.org", password=PASSWORD).status_code == 303


def test_login_never_leads_to_another_site(house: House) -> None:
    for target in ("https://example.org/", "//example.org/", "/\\example.org", "javascript:alert(1)"):
        answer = Visitor(house.appliance).post("/user/login", login="ada", password=PASSWORD, next=target)
        assert answer.headers["Location"] == "/"


def test_wrong_name_and_wrong_password_read_the_same(house: House) -> None:
    stranger = Visitor(house.appliance)
    one = stranger.post("/user/login", login="ada", password="wrong one entirely")
    two = stranger.post("/user/login", login="nobody-of-this-name", password="wrong one entirely")
    assert (one.status_code, two.status_code) == (401, 401)
    assert one.text.replace("ada", "") == two.text.replace("nobody-of-this-name", "")


def test_after_five_failures_one_has_to_wait(house: House) -> None:
    house.appliance.person("locked", password=PASSWORD)
    stranger = Visitor(house.appliance)
    statuses = [stranger.post("/user/login", login="locked", password="wrong").status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert stranger.post("/user/login", login="locked", password=PASSWORD).status_code == 429


def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    house.appliance.person("leaver", password=PASSWORD)
    visitor = Visitor(house.appliance, "leaver")
    cookie = visitor.http.cookies["__Host-dcor"]
    visitor.post("/user/logout")
    again = Visitor(house.appliance)
    assert (
        again.http.get(
            house.appliance.url + "/dashboard", headers={"Cookie": f"__Host-dcor={cookie}"}, allow_redirects=False
        ).status_code
        == 303
    )


def test_a_one_time_link_sets_a_password_once(house: House) -> None:
    house.appliance.person("newcomer")
    secret = accounts.one_time_link(house.appliance.context, OPERATOR, "newcomer")
    stranger = Visitor(house.appliance)
    assert stranger.get(f"/user/password/{secret}").status_code == 200
    weak = stranger.post(f"/user/password/{secret}", password="password", again="password")
    differing = stranger.post(f"/user/password/{secret}", password="another horse 7 stapler", again="x")
    good = stranger.post(
        f"/user/password/{secret}", password="another horse 7 stapler", again="another horse 7 stapler"
    )
    used = stranger.post(f"/user/password/{secret}", password="a third one entirely", again="a third one entirely")
    assert [answer.status_code for answer in (weak, differing, good, used)] == [409, 409, 303, 404]
    assert stranger.post("/user/login", login="newcomer", password="another horse 7 stapler").status_code == 303


def test_sessions_are_listed_and_can_be_ended_elsewhere(house: House) -> None:
    house.appliance.person("nomad", password=PASSWORD)
    here, there = Visitor(house.appliance, "nomad"), Visitor(house.appliance, "nomad")
    page = here.page("/user/nomad/sessions")
    ends = re.findall(r'action="(/user/nomad/sessions/[^"]+/end)"', page)
    assert len(ends) == 2
    for end in ends:
        here.post(end, confirmed="yes")
    assert there.get("/dashboard").status_code == 303


def test_changing_the_password_keeps_this_browser_and_ends_the_others(house: House) -> None:
    house.appliance.person("changer", password=PASSWORD)
    here, there = Visitor(house.appliance, "changer"), Visitor(house.appliance, "changer")
    wrong = here.post(
        "/user/changer/password", old="not this", password="a new horse 9 battery", again="a new horse 9 battery"
    )
    right = here.post(
        "/user/changer/password", old=PASSWORD, password="a new horse 9 battery", again="a new horse 9 battery"
    )
    assert (wrong.status_code, right.status_code) == (409, 303)
    assert here.get("/dashboard").status_code == 200
    assert there.get("/dashboard").status_code == 303
