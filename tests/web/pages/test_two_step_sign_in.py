"""Two-step sign-in of accounts of this server: an app of one's own makes the codes, by RFC 6238 as it stands."""

from __future__ import annotations

import base64
import html
import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.actions import accounts, callers, second_factor_setup
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.store import audit, users
from tests.support.authenticator import Phone
from tests.support.furnished import PASSWORD, Visitor
from tests.support.server import Appliance, Person

NEW = "another horse 2 battery"
_numbers = itertools.count(1)


class Somebody:
    """An account of its own, with a browser that is signed in."""

    def __init__(self, appliance: Appliance, *, sysadmin: bool = False) -> None:
        self.appliance = appliance
        self.name = f"somebody{next(_numbers)}"
        self.person = appliance.person(self.name, password=PASSWORD, sysadmin=sysadmin)
        self.browser = Visitor(appliance, self.name)
        self.page = f"/user/{self.name}/two-step"

    def set_up(self, permit: str = "") -> tuple[Phone, list[str]]:
        """Set up the app. → (the phone, recovery codes)."""
        phone = self.scan(permit)
        answer = self.browser.post(f"{self.page}/confirm", code=phone.code(), setup_code=permit)
        assert answer.status_code == 200, answer.text
        return phone, recovery_codes(answer.text)

    def scan(self, permit: str = "") -> Phone:
        """Begin to set up; the app knows the key then."""
        answer = self.browser.post(self.page, password=PASSWORD, setup_code=permit)
        assert answer.status_code == 200, answer.text
        found = re.search(r"<code>([A-Z2-7 ]+)</code>", answer.text)
        assert found is not None
        assert "no-store" in answer.headers["Cache-Control"]
        return Phone(found[1])

    def first_step(self, password: str = PASSWORD, login: str = "") -> tuple[Visitor, str]:
        """Name and password at another browser. → (it, the secret for the second step)."""
        visitor = Visitor(self.appliance)
        answer = visitor.post("/user/login", login=login or self.name, password=password, next="/dataset?q=a")
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False), answer.text
        found = re.search(r'name="secret" value="([^"]+)"', answer.text)
        assert found is not None
        return visitor, found[1]

    def sign_in(self, code: str, **options: str) -> tuple[int, Visitor]:
        """Both steps at another browser."""
        visitor, secret = self.first_step(**options)
        return visitor.post("/user/login/code", secret=secret, code=code).status_code, visitor

    def noted(self, action: str) -> list[dict[str, Any]]:
        """Entries of the audit log about this account."""
        with self.appliance.context.db.read() as conn:
            return [
                one for one in audit.entries(conn, audit.Filter(action=action)) if one["object_id"] == self.person.id
            ]


def recovery_codes(text: str) -> list[str]:
    """Those that a page shows."""
    found = re.search(r'<pre class="recovery-codes">(.*?)</pre>', text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1]).split()


def setup_code(text: str) -> str:
    """The one that a page shows."""
    found = re.search(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", text)
    assert found is not None
    return found[0]


def inside(visitor: Visitor) -> bool:
    """Is somebody signed in?"""
    return visitor.get("/dataset").status_code == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    made = Appliance(tmp_path_factory.mktemp("two-step") / "data")
    yield made
    made.stop()


@pytest.fixture
def ada(server: Appliance) -> Somebody:
    return Somebody(server)


# --- setting up --------------------------------------------------------------------------------------------------------


def test_it_is_set_up_with_the_password_and_a_code_and_then_signing_in_needs_one(ada: Somebody) -> None:
    elsewhere = Visitor(ada.appliance, ada.name)
    phone = ada.scan()
    assert Visitor(ada.appliance, ada.name), "not confirmed yet: the password alone is enough"
    assert ada.browser.post(f"{ada.page}/confirm", code="000000").status_code == 409
    answer = ada.browser.post(f"{ada.page}/confirm", code=phone.code())
    assert (answer.status_code, len(recovery_codes(answer.text))) == (200, 10)
    assert "no-store" in answer.headers["Cache-Control"]
    assert (inside(ada.browser), inside(elsewhere)) == (True, False), "sessions by the password alone end"
    assert ada.person.get("user_show").status == 200, "tokens stay as they are"
    visitor, secret = ada.first_step()
    assert not inside(visitor)
    assert visitor.post("/user/login/code", secret=secret, code="000000").status_code == 401
    answer = visitor.post("/user/login/code", secret=secret, code=phone.code(), next="/dataset?q=a")
    assert (answer.status_code, answer.headers["Location"], inside(visitor)) == (303, "/dataset?q=a", True)
    assert [len(ada.noted(f"user.totp_{what}")) for what in ("begin", "on")] == [1, 1]
    assert len(ada.noted("session.code_refused")) == 2


def test_the_picture_holds_the_same_key_as_the_text(ada: Somebody) -> None:
    text = ada.browser.post(ada.page, password=PASSWORD).text
    assert re.search(r'<svg [^>]*class="qr-code"', text)
    assert "otpauth" not in text, "the address stands in the picture only"
    assert "<svg" not in ada.browser.page(ada.page).partition('class="qr-code"')[1], "and it is shown once"


def test_setting_up_needs_the_password_and_ones_own_account(ada: Somebody, server: Appliance) -> None:
    assert ada.browser.post(ada.page, password="wrong").status_code == 409
    assert ada.browser.post(f"{ada.page}/confirm", code="123456").status_code == 409, "nothing was begun"
    root = Somebody(server, sysadmin=True)
    for end in ("", "/confirm", "/codes", "/off"):
        assert root.browser.post(ada.page + end, password=PASSWORD, code="123456").status_code == 404
    assert root.browser.get(ada.page).status_code == 200
    assert Somebody(server).browser.post(ada.page, password=PASSWORD).status_code == 403


def test_a_second_app_is_set_up_only_after_the_first_was_turned_off(ada: Somebody) -> None:
    ada.set_up()
    assert ada.browser.post(ada.page, password=PASSWORD).status_code == 409
    assert ada.browser.post(f"{ada.page}/confirm", code="123456").status_code == 409


# --- codes ----------------------------------------------------------------------------------------------------------------


def test_no_code_counts_twice(ada: Somebody) -> None:
    phone, _ = ada.set_up()
    assert ada.sign_in(phone.shown())[0] == 401, "it has confirmed the app already"
    assert ada.sign_in(phone.code())[0] == 303
    assert ada.sign_in(phone.shown())[0] == 401


def test_a_recovery_code_counts_once_however_it_is_typed(ada: Somebody) -> None:
    _, codes = ada.set_up()
    assert ada.sign_in(codes[0].upper().replace("-", " "))[0] == 303
    assert ada.sign_in(codes[0])[0] == 401
    assert ada.sign_in(codes[1])[0] == 303
    assert [one["detail"]["left"] for one in ada.noted("session.recovery_code")] == [8, 9]
    assert "Recovery codes left: 8" in ada.browser.page(ada.page)


def test_new_recovery_codes_end_the_old_ones(ada: Somebody) -> None:
    _, codes = ada.set_up()
    assert ada.browser.post(f"{ada.page}/codes", password="wrong", code=codes[0]).status_code == 409
    assert ada.browser.post(f"{ada.page}/codes", password=PASSWORD, code="000000").status_code == 409
    new = recovery_codes(ada.browser.post(f"{ada.page}/codes", password=PASSWORD, code=codes[0]).text)
    assert ada.sign_in(codes[1])[0] == 401
    assert ada.sign_in(new[0])[0] == 303


def test_codes_of_somebody_else_open_nothing(ada: Somebody, server: Appliance) -> None:
    ada.set_up()
    phone, codes = Somebody(server).set_up()
    assert ada.sign_in(phone.code())[0] == 401
    assert ada.sign_in(codes[0])[0] == 401


def test_codes_are_counted_by_the_limit_of_the_account(ada: Somebody) -> None:
    phone, codes = ada.set_up()
    visitor, secret = ada.first_step()
    statuses = [visitor.post("/user/login/code", secret=secret, code=f"00000{n}").status_code for n in range(6)]
    assert statuses == [401] * 4 + [429] * 2, "the password was the first attempt of five"
    assert visitor.post("/user/login/code", secret=secret, code=phone.code()).status_code == 429
    assert visitor.post("/user/login/code", secret=secret, code=codes[0]).status_code == 429
    assert Visitor(ada.appliance).post("/user/login", login=ada.name, password=PASSWORD).status_code == 429


def test_a_right_password_alone_does_not_reset_the_count(ada: Somebody) -> None:
    """Otherwise whoever knows it could give it again after each four codes."""
    ada.set_up()
    visitor = Visitor(ada.appliance)
    statuses = [visitor.post("/user/login", login=ada.name, password=PASSWORD).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


# --- every way in that takes a password -------------------------------------------------------------------------------


def test_the_secret_of_the_second_step_opens_nothing_by_itself(ada: Somebody) -> None:
    phone, codes = ada.set_up()
    visitor, secret = ada.first_step()
    assert visitor.post(f"/user/password/{secret}", password=NEW, again=NEW).status_code == 404
    answer = Person(ada.appliance, ada.name, secret).get("user_show", id=ada.name)
    assert answer.status == 403
    assert visitor.post("/user/login/code", secret="nonsense", code=phone.code()).status_code == 401
    assert visitor.post("/user/login/code", secret=secret, code=codes[0]).status_code == 303
    assert Visitor(ada.appliance).post("/user/login/code", secret=secret, code=codes[1]).status_code == 401, "once"


def test_roles_that_others_give_do_not_end_a_sign_in(ada: Somebody, server: Appliance) -> None:
    _phone, codes = ada.set_up()
    visitor, secret = ada.first_step()
    other = Somebody(server)
    circle = other.person.circle(f"circle-of-{other.name}")
    other.person.post("member_create", id=circle, object=ada.name, object_type="user", capacity="member")
    other.person.post("member_delete", id=circle, object=ada.name, object_type="user")
    assert visitor.post("/user/login/code", secret=secret, code=codes[0]).status_code == 303


def test_the_address_of_the_account_leads_to_the_second_step_too(ada: Somebody) -> None:
    phone, _ = ada.set_up()
    assert ada.sign_in(phone.code(), login=f"{ada.name.upper()}@example.org")[0] == 303


def test_a_new_password_by_link_page_or_token_opens_no_session_without_a_code(ada: Somebody) -> None:
    _, codes = ada.set_up()
    _, begun = ada.first_step()
    link = accounts.one_time_link(ada.appliance.context, OPERATOR, ada.name)
    visitor = Visitor(ada.appliance)
    answer = visitor.post(f"/user/password/{link}", password=NEW, again=NEW)
    assert (answer.status_code, "Set-Cookie" in answer.headers, inside(visitor)) == (303, False, False)
    assert visitor.post("/user/login/code", secret=begun, code=codes[0]).status_code == 401, "begun with the old one"
    assert ada.sign_in(codes[1], password=NEW)[0] == 303
    answer = ada.person.http.post(
        f"{ada.appliance.url}/api/3/action/user_patch", json={"password": PASSWORD, "old_password": NEW}, timeout=60
    )
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    token = {"Authorization": ada.person.token}
    answer = Visitor(ada.appliance).http.post(
        f"{ada.appliance.url}/user/{ada.name}/password", data={"old": PASSWORD, "password": NEW, "again": NEW},
        headers=token, allow_redirects=False, timeout=60,
    )  # fmt: skip
    assert "Set-Cookie" not in answer.headers, "pages take no tokens"
    status, browser = ada.sign_in(codes[2], password=PASSWORD)
    assert status == 303
    assert browser.post(f"/user/{ada.name}/password", old=PASSWORD, password=NEW, again=NEW).status_code == 303
    assert inside(browser), "a session that gave a code goes on"
    assert ada.person.get("api_token_create", user=ada.name, name="x", password=NEW).status != 500


def test_an_account_that_was_disabled_between_the_steps_stays_outside(ada: Somebody) -> None:
    phone, _ = ada.set_up()
    visitor, secret = ada.first_step()
    accounts.set_state(ada.appliance.context, OPERATOR, ada.name, "disabled")
    assert visitor.post("/user/login/code", secret=secret, code=phone.code()).status_code == 401
    assert not inside(visitor)


def test_the_form_leads_to_no_other_site(ada: Somebody) -> None:
    _, codes = ada.set_up()
    for code, target in zip(codes, ("https://evil.example/", "//evil.example", "/\\evil.example"), strict=False):
        visitor, secret = ada.first_step()
        answer = visitor.post("/user/login/code", secret=secret, code=code, next=target)
        assert (answer.status_code, "evil" in answer.headers["Location"]) == (303, False)


def test_another_site_cannot_send_the_form(ada: Somebody) -> None:
    phone, _ = ada.set_up()
    visitor, secret = ada.first_step()
    visitor.http.headers["Sec-Fetch-Site"] = "cross-site"
    assert visitor.post("/user/login/code", secret=secret, code=phone.code()).status_code == 403


# --- off ---------------------------------------------------------------------------------------------------------------


def test_turning_it_off_takes_password_and_code(ada: Somebody) -> None:
    phone, codes = ada.set_up()
    for password, code in (("", ""), (PASSWORD, ""), (PASSWORD, "000000"), ("wrong", codes[0])):
        assert ada.browser.post(f"{ada.page}/off", password=password, code=code).status_code == 409
    ada.appliance.context.limiter.login_succeeded(ada.person.id, "127.0.0.1")
    assert ada.browser.post(f"{ada.page}/off", password=PASSWORD, code=phone.code()).status_code == 303
    assert inside(Visitor(ada.appliance, ada.name))
    assert ada.browser.post(f"{ada.page}/off", password=PASSWORD, code=codes[1]).status_code == 409
    assert len(ada.noted("user.totp_off")) == 1


def test_the_command_line_turns_it_off_for_a_lost_phone(ada: Somebody) -> None:
    ada.set_up()
    second_factor_setup.turn_off_for(ada.appliance.context, OPERATOR, ada.name)
    assert not inside(ada.browser)
    assert inside(Visitor(ada.appliance, ada.name))
    assert ada.noted("user.totp_off")[0]["actor"] == "operator"
    with pytest.raises(Problem, match="needs no code"):
        second_factor_setup.turn_off_for(ada.appliance.context, OPERATOR, ada.name)


def test_without_the_key_recovery_codes_work_and_the_page_says_so(ada: Somebody) -> None:
    phone, codes = ada.set_up()
    key = ada.appliance.settings.secrets / "totp.key"
    kept = key.read_bytes()
    key.unlink()
    try:
        visitor, secret = ada.first_step()
        answer = visitor.post("/user/login/code", secret=secret, code=phone.code())
        assert (answer.status_code, "recovery codes still work" in answer.text) == (503, True)
        assert visitor.post("/user/login/code", secret=secret, code=codes[0]).status_code == 303
    finally:
        key.write_bytes(kept)


def test_a_removed_account_leaves_nothing_of_it(ada: Somebody) -> None:
    ada.set_up()
    accounts.erase(ada.appliance.context, OPERATOR, ada.name)
    with ada.appliance.context.db.read() as conn:
        for table in ("second_factor", "recovery_code"):
            assert not conn.execute(f"SELECT 1 FROM {table} WHERE user_id = ?", (ada.person.id,)).fetchall()


def test_neither_key_nor_codes_stand_in_database_or_log(ada: Somebody) -> None:
    answer = ada.browser.post(ada.page, password=PASSWORD)
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", answer.text)
    assert key is not None
    phone = Phone(key[1])
    codes = recovery_codes(ada.browser.post(f"{ada.page}/confirm", code=phone.code()).text)
    raw = base64.b32decode(key[1].replace(" ", ""))
    planted = [
        raw,
        key[1].encode(),
        key[1].replace(" ", "").encode(),
        raw.hex().encode(),
        codes[0].encode(),
        codes[0].replace("-", "").encode(),
    ]
    for path in ada.appliance.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [one for one in planted if one in content], path


# --- demanded of administrators --------------------------------------------------------------------------------------------


def test_administrators_without_one_are_ordinary_users_where_it_is_demanded(server: Appliance) -> None:
    first, second = Somebody(server, sysadmin=True), Somebody(server, sysadmin=True)
    change = {"key": "policy.administrators_totp", "value": "true"}
    assert first.browser.post("/admin/settings", **change).status_code == 409, "whoever turns it on has one"
    first.set_up()
    assert first.browser.post("/admin/settings", **change).status_code == 303
    try:
        assert first.browser.get("/admin/users").status_code == 200
        assert second.browser.get("/admin/users").status_code == 403
        assert second.person.post("user_create", name="newcomer", email="n@example.org", password=NEW).status == 403, (
            "tokens, too"
        )
        made = second.browser.post(f"/user/{second.name}/api-tokens", name="for later", scope="admin")
        assert made.status_code >= 400, "nothing that has more rights later"
        with server.context.db.read() as conn:
            viewer = callers.of_user(conn, server.context.settings, users.find(conn, second.name), scope="admin")
        with pytest.raises(Problem, match="two-step"):
            accounts.create_token(server.context, viewer, second.name, "for later", scope="admin")
        assert "Until you set it up" in second.browser.page(second.page)
        assert second.browser.post(second.page, password=PASSWORD).status_code == 409, (
            "the password alone is not enough"
        )
        made = first.browser.post(f"/admin/users/{second.name}/setup-code")
        assert (made.status_code, made.headers["Cache-Control"]) == (200, "no-store")
        second.set_up(setup_code(made.text))
        assert second.browser.get("/admin/users").status_code == 200
        newcomer = {"name": "newcomer2", "email": "n2@example.org", "password": NEW}
        assert second.person.post("user_create", **newcomer).status == 403, "tokens of the time before have ended"
        made = second.browser.post(f"/user/{second.name}/api-tokens", name="new", scope="admin", expires="90")
        token = re.search(r'data-copy="([\w-]{40,})"', made.text)
        assert token is not None
        assert Person(server, second.name, token[1]).post("user_create", **newcomer).status == 200
    finally:
        first.browser.post("/admin/settings", key="policy.administrators_totp", do="file")


@pytest.fixture
def waiting(server: Appliance) -> Iterator[list[Somebody]]:
    """Two administrators without the second factor that is demanded."""
    without = [Somebody(server, sysadmin=True) for _ in range(2)]
    first = Somebody(server, sysadmin=True)
    first.set_up()
    assert first.browser.post("/admin/settings", key="policy.administrators_totp", value="true").status_code == 303
    yield without
    first.browser.post("/admin/settings", key="policy.administrators_totp", do="file")


def test_a_stolen_password_does_not_set_up_the_app_of_the_thief(server: Appliance) -> None:
    victim = Somebody(server, sysadmin=True)
    before = victim.scan()  # begun by whoever has the password, before it was demanded
    first = Somebody(server, sysadmin=True)
    first.set_up()
    assert first.browser.post("/admin/settings", key="policy.administrators_totp", value="true").status_code == 303
    try:
        assert victim.browser.post(f"{victim.page}/confirm", code=before.code()).status_code == 409
        for wrong in (
            "",
            "aaaa-aaaa-aaaa-aaaa",
            second_factor_setup.permit(server.context, OPERATOR, Somebody(server).name),
        ):
            for page in (victim.page, f"{victim.page}/confirm"):
                answer = victim.browser.post(page, password=PASSWORD, code=before.shown(), setup_code=wrong)
                assert answer.status_code == 409, page
            server.context.limiter.login_succeeded(victim.person.id, "127.0.0.1")
        assert victim.browser.get("/admin/users").status_code == 403
        assert "Setup code" in victim.browser.page(victim.page)
    finally:
        first.browser.post("/admin/settings", key="policy.administrators_totp", do="file")


def test_a_setup_code_is_good_once_and_ends_with_the_password(waiting: list[Somebody], server: Appliance) -> None:
    second, third = waiting
    code = second_factor_setup.permit(server.context, OPERATOR, second.name)
    second.set_up(code.upper())
    assert second.noted("user.totp_permit")[0]["actor"] == "operator"
    with pytest.raises(Problem, match="already on"):
        second_factor_setup.permit(server.context, OPERATOR, second.name)
    second_factor_setup.turn_off_for(server.context, OPERATOR, second.name)
    second.browser = Visitor(server, second.name)
    assert second.browser.post(second.page, password=PASSWORD, setup_code=code).status_code == 409
    code = second_factor_setup.permit(server.context, OPERATOR, third.name)
    accounts.change_password(server.context, OPERATOR, third.name, NEW)
    accounts.change_password(server.context, OPERATOR, third.name, PASSWORD)
    third.browser = Visitor(server, third.name)
    assert third.browser.post(third.page, password=PASSWORD, setup_code=code).status_code == 409


def test_whoever_has_given_a_code_may_take_another_app(waiting: list[Somebody], server: Appliance) -> None:
    """A new phone needs nobody else, as long as the old one or a recovery code is there."""
    second, _ = waiting
    _, codes = second.set_up(second_factor_setup.permit(server.context, OPERATOR, second.name))
    assert second.browser.post(f"{second.page}/off", password=PASSWORD, code=codes[0]).status_code == 303
    assert second.browser.get("/admin/users").status_code == 403
    elsewhere = Visitor(server, second.name)
    assert elsewhere.post(second.page, password=PASSWORD).status_code == 409, "this one began with the password alone"
    second.set_up()
    assert second.browser.get("/admin/users").status_code == 200


def test_tokens_for_administration_are_made_with_the_factor_only(waiting: list[Somebody], server: Appliance) -> None:
    second, _ = waiting
    with pytest.raises(Problem, match="two-step"):
        accounts.create_token(server.context, OPERATOR, second.name, "for later", scope="admin")
    read = accounts.create_token(server.context, OPERATOR, second.name, "script", scope="read")[0]
    second.set_up(second_factor_setup.permit(server.context, OPERATOR, second.name))
    assert second.person.post("user_create", name="nn", email="nn@example.org", password=NEW).status == 403
    assert Person(server, second.name, read).get("user_show").result["name"] == second.name, "others stay"


def test_the_sign_in_names_no_account_that_has_one(ada: Somebody) -> None:
    """A wrong password looks the same with and without a second factor."""
    ada.set_up()
    with ada.appliance.context.db.read() as conn:
        assert users.find(conn, ada.name) is not None
    plain = Somebody(ada.appliance)
    answers = [
        Visitor(ada.appliance).post("/user/login", login=name, password="wrong").text.replace(name, "")
        for name in (ada.name, plain.name, "nobody-at-all")
    ]
    assert len(set(answers)) == 1
