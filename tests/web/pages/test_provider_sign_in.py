"""Signing in at an OpenID provider that may lie: only what it honestly signed for this browser's attempt opens anything."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from appliance.actions import accounts, communities, provider_links, provider_sync
from appliance.model.viewer import OPERATOR
from appliance.security import oidc
from appliance.security.limits import Limiter, Rates
from appliance.store import alarms, audit, identities, provider_sessions, users
from tests.support.furnished import Visitor
from tests.support.openid_stub import CLIENT, SECRET, Key, Stub, encoded, hmac_with
from tests.support.server import Appliance, Person

LOCAL = "correct horse battery"
CALLBACK = "/user/login/oidc/callback"
_numbers = itertools.count(1)


class Clinic:
    """An appliance and the provider at which its people sign in. Nothing is compared but by `compare`."""

    def __init__(self, folder: Path) -> None:
        self.stub = Stub(folder / "provider")
        self.appliance = Appliance(
            folder / "data",
            **{
                "oidc.issuer": self.stub.url, "oidc.client_id": CLIENT, "oidc.authority": str(self.stub.authority),
                "oidc.name": "Hospital", "oidc.timeout": 1,
                "oidc.refresh": 86400,
                "oidc.circles": "editors -> lab:editor; readers -> lab:member", "oidc.administrators": "bosses",
                "oidc.users": "guests",
            },
        )  # fmt: skip
        self.context = self.appliance.context
        provider_links.set_secret(self.context, SECRET)
        self.appliance.person("keeper", password=LOCAL, sysadmin=True)
        communities.create(self.context, OPERATOR, "circle", {"name": "lab", "title": "Lab"})

    def hire(self, *groups: str, **claims: Any) -> str:
        """Somebody new, who is the next to sign in. → their name."""
        name = f"person{next(_numbers)}"
        self.stub.person = {
            "sub": f"subject of {name}", "preferred_username": name, "name": name.title(),
            "email": f"{name}@hospital.example", "email_verified": True, "groups": list(groups),
        } | claims  # fmt: skip
        return name

    def begin(self, visitor: Visitor, target: str = "/dataset") -> dict[str, str]:
        """Go to the provider, which learns nonce and challenge. → what the address there holds."""
        answer = visitor.get(f"/user/login/oidc?next={target}")
        assert answer.status_code == 303, answer.text
        there = urlsplit(answer.headers["Location"])
        assert f"{there.scheme}://{there.netloc}{there.path}" == f"{self.stub.url}/authorize"
        query = {key: value[0] for key, value in parse_qs(there.query).items()}
        self.stub.nonce, self.stub.challenge = query["nonce"], query["code_challenge"]
        return query

    def come_back(self, visitor: Visitor, state: str, code: str = "good", **more: str) -> Any:
        """The browser comes back from the provider, as the link of another site."""
        headers = {"Sec-Fetch-Site": "cross-site"}
        return visitor.get(CALLBACK, params={"state": state, "code": code} | more, headers=headers)

    def sign_in(self, target: str = "/dataset", **more: str) -> tuple[int, Visitor]:
        """All of it. → (status, whoever that is now)."""
        visitor = Visitor(self.appliance)
        query = self.begin(visitor, target)
        return self.come_back(visitor, query["state"], **more).status_code, visitor

    def account(self, name: str) -> dict[str, Any]:
        """The account, with the roles."""
        with self.context.db.read() as conn:
            row = users.find(conn, name)
            return (
                {} if row is None else dict(row) | {"roles": sorted(identities.memberships(conn, row["id"]).values())}
            )

    def told(self) -> list[str]:
        """Messages of the open alarms."""
        with self.context.db.read() as conn:
            return [one["message"] for one in alarms.open_(conn)]

    def reasons(self) -> list[str]:
        """Why sign-ins were refused, latest first."""
        with self.context.db.read() as conn:
            return [
                one["detail"].get("reason", "") for one in audit.entries(conn, audit.Filter(action="session.refused"))
            ]

    def compare(self) -> provider_sync.Outcome:
        """What the job does every few minutes."""
        return provider_sync.compare(self.context.db, self.context.settings)

    def logout_token(self, **claims: Any) -> str:
        """One for the person who signed in last."""
        about = {"events": {oidc.LOGOUT_EVENT: {}}, "jti": f"jti {next(_numbers)}"}
        return self.stub.token(**about | claims)

    def stop(self) -> None:
        self.appliance.stop()
        self.stub.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    made = Clinic(tmp_path_factory.mktemp("clinic"))
    yield made
    made.stop()


@pytest.fixture
def clinic(running: Clinic) -> Iterator[Clinic]:
    """With an honest provider, before and after."""
    running.stub.honest()
    forget(running)
    yield running
    running.stub.honest()


def inside(visitor: Visitor) -> bool:
    """Is somebody signed in?"""
    return visitor.get("/dataset").status_code == 200


# --- honest ----------------------------------------------------------------------------------------------------------------


def test_the_first_sign_in_makes_the_account_with_the_roles_that_the_groups_give(clinic: Clinic) -> None:
    name = clinic.hire("readers", "editors", name="Änne Müller")
    visitor = Visitor(clinic.appliance)
    assert "/user/login/oidc?next=" in visitor.page("/user/login")
    query = clinic.begin(visitor, "/dataset?q=blood")
    assert (query["response_type"], query["code_challenge_method"], query["client_id"]) == ("code", "S256", CLIENT)
    answer = clinic.come_back(visitor, query["state"])
    assert (answer.status_code, answer.headers["Location"], inside(visitor)) == (303, "/dataset?q=blood", True)
    account = clinic.account(name)
    assert (account["fullname"], account["email"], account["password"]) == (
        "Änne Müller",
        f"{name}@hospital.example",
        None,
    )
    assert account["roles"] == [("editor", clinic.stub.url)]
    assert clinic.sign_in()[0] == 303, "again, with the same account"


def test_a_group_of_administrators_makes_one_and_unmakes_one(clinic: Clinic) -> None:
    clinic.hire("bosses")
    visitor = clinic.sign_in()[1]
    assert visitor.get("/admin/users").status_code == 200
    clinic.stub.person["groups"] = ["guests"]
    assert clinic.compare().asked >= 1
    assert (visitor.get("/admin/users").status_code, inside(visitor)) == (403, True)


def test_who_is_in_no_named_group_stays_outside(clinic: Clinic) -> None:
    name = clinic.hire("choir")
    status, visitor = clinic.sign_in()
    assert (status, clinic.account(name), inside(visitor)) == (403, {}, False)
    assert "in none of the groups" in clinic.reasons()[0]


def test_the_local_administrator_works_without_the_provider(clinic: Clinic) -> None:
    clinic.stub.replies_with("/token", 500, {})
    clinic.hire("guests")
    assert clinic.sign_in()[0] == 503
    visitor = Visitor(clinic.appliance)
    assert visitor.post("/user/login", login="keeper", password=LOCAL).status_code == 303
    assert visitor.get("/admin/users").status_code == 200


def test_keys_change_at_the_provider(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.hire("guests")
    assert clinic.sign_in()[0] == 303
    clinic.stub.key = Key("second")
    clinic.stub.shown = [clinic.stub.key]
    monkeypatch.setattr(oidc, "KEYS_AGAIN_SECONDS", 0)
    assert clinic.sign_in()[0] == 303


def test_unknown_keys_make_this_server_ask_once_a_minute_only(clinic: Clinic) -> None:
    clinic.hire("guests")
    assert clinic.sign_in()[0] == 303
    clinic.stub.header = {"kid": "unknown"}
    before = clinic.stub.asked.count("/keys")
    assert {clinic.sign_in()[0] for _ in range(4)} == {403}
    assert clinic.stub.asked.count("/keys") - before <= 1


# --- who an account belongs to -------------------------------------------------------------------------------------------


def test_no_local_account_is_taken_over_by_its_name_or_address(clinic: Clinic) -> None:
    for claims in ({"preferred_username": "keeper"}, {"email": "KEEPER@example.org"}):
        clinic.hire("bosses", **claims)
        status, visitor = clinic.sign_in()
        assert (status, inside(visitor)) == (403, False)
    assert [one for one in clinic.told() if "dcor oidc link keeper --subject" in one]
    with clinic.context.db.read() as conn:
        keeper = users.find(conn, "keeper")
        assert keeper is not None
        assert identities.of_user(conn, keeper["id"]) is None


def test_an_account_is_given_to_a_person_by_the_administrator(clinic: Clinic) -> None:
    clinic.appliance.person("berta", password=LOCAL)
    clinic.hire("guests", preferred_username="berta", sub="berta's")
    assert clinic.sign_in()[0] == 403
    provider_links.link(clinic.context, OPERATOR, "berta", "berta's")
    status, visitor = clinic.sign_in()
    assert (status, inside(visitor)) == (303, True)
    assert Visitor(clinic.appliance).post("/user/login", login="berta", password=LOCAL).status_code == 401
    assert not [one for one in clinic.told() if "berta" in one]


def test_the_same_person_keeps_the_account_under_another_name(clinic: Clinic) -> None:
    name = clinic.hire("guests")
    assert clinic.sign_in()[0] == 303
    clinic.stub.person |= {"preferred_username": "married", "email": "married@hospital.example"}
    assert clinic.sign_in()[0] == 303
    assert (clinic.account(name)["email"], clinic.account("married")) == ("married@hospital.example", {})


def test_another_person_under_the_same_name_does_not_get_the_account(clinic: Clinic) -> None:
    clinic.hire("guests")
    assert clinic.sign_in()[0] == 303
    clinic.stub.person["sub"] = "somebody who came later"
    assert clinic.sign_in()[0] == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "no"},
        {"email": None},
        {"email": ["a@b.example"]},
    ],
)
def test_an_address_that_is_not_proven_makes_no_account(clinic: Clinic, claims: dict[str, Any]) -> None:
    name = clinic.hire("guests", **claims)
    assert (clinic.sign_in()[0], clinic.account(name)) == (403, {})


def test_a_provider_that_proves_addresses_silently_is_trusted_by_a_setting_only(clinic: Clinic) -> None:
    name, before = clinic.hire("guests"), clinic.context.settings
    del clinic.stub.person["email_verified"]
    clinic.context.use_settings(before.replace(**{"oidc.email_trusted": True}))
    try:
        assert clinic.sign_in()[0] == 303
        assert clinic.account(name)["email"] == f"{name}@hospital.example"
        refused = clinic.hire("guests", email_verified=False)
        assert (clinic.sign_in()[0], clinic.account(refused)) == (403, {}), "what it says itself counts"
    finally:
        clinic.context.use_settings(before)


@pytest.mark.parametrize(
    "broken",
    [{"kty": "RSA", "kid": "x", "n": "!", "e": "AQAB"}, {"kty": "EC", "crv": "P-0"}, {"kty": "RSA"}, 7, None],
    ids=str,
)
def test_a_key_that_cannot_be_read_spoils_no_others(clinic: Clinic, broken: Any) -> None:
    clinic.hire("guests")
    clinic.stub.replies_with("/keys", 200, {"keys": [broken, clinic.stub.key.public(), broken]})
    assert clinic.sign_in()[0] == 303


@pytest.mark.parametrize("path", ["/token", "/keys", "/me"])
def test_an_endpoint_that_does_not_answer_keeps_no_others_waiting(clinic: Clinic, path: str) -> None:
    def silent(*_: Any) -> tuple[int, dict[str, str], bytes]:
        time.sleep(1.5)
        return 200, {}, b"{}"

    clinic.hire("guests")
    clinic.stub.replies[path] = silent
    assert clinic.sign_in()[0] == 503
    before = clinic.stub.asked.count(path)
    assert [clinic.sign_in()[0] for _ in range(4)] == [503] * 4
    assert clinic.stub.asked.count(path) == before


def test_an_answer_that_is_wrong_for_one_person_is_not_for_others(clinic: Clinic) -> None:
    clinic.hire("guests")
    clinic.stub.replies_with("/token", 500, {})
    assert clinic.sign_in()[0] == 503
    clinic.stub.replies.clear()
    assert clinic.sign_in()[0] == 303


def test_groups_that_were_left_out_are_not_no_groups(clinic: Clinic) -> None:
    name = clinic.hire("guests")
    visitor = clinic.sign_in()[1]
    clinic.stub.person |= {"groups": None, "_claim_names": {"groups": "src1"}}
    assert clinic.sign_in()[0] == 403
    assert "too many" in clinic.reasons()[0]
    assert (clinic.account(name)["state"], inside(visitor)) == ("active", True)


@pytest.mark.parametrize("groups", ["*", ["*"], {"bosses": True}, [["bosses"]], ["BOSSES,cn=x"], 7, None])
def test_strange_groups_give_nothing(clinic: Clinic, groups: Any) -> None:
    clinic.hire(groups=groups)
    assert clinic.sign_in()[0] == 403


# --- lies ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"}, {"nonce": None}, {"nonce": ["x"]}, {"iss": "https://evil.example"}, {"iss": None}, {"aud": "another"}, {"aud": None},
        {"aud": []}, {"aud": [CLIENT, "another"]}, {"aud": [CLIENT, "another"], "azp": "another"}, {"azp": "another"},
        {"exp": 1}, {"exp": None}, {"exp": "tomorrow"}, {"iat": 4102444800}, {"iat": None}, {"sub": "somebody else"}, {"sub": None},
        {"sub": ""}, {"sub": 7}, {"sub": "x" * 256},
    ],
    ids=str,
)  # fmt: skip
def test_an_id_token_with_a_wrong_claim_opens_nothing(clinic: Clinic, wrong: dict[str, Any]) -> None:
    name = clinic.hire("bosses")
    clinic.stub.wrong = wrong
    status, visitor = clinic.sign_in()
    assert (status, inside(visitor), clinic.account(name)) == (403, False, {})


def test_several_audiences_are_right_when_the_token_was_made_for_this_client(clinic: Clinic) -> None:
    clinic.hire("guests")
    clinic.stub.wrong = {"aud": [CLIENT, "another"], "azp": CLIENT}
    assert clinic.sign_in()[0] == 303


@pytest.mark.parametrize(
    "kind",
    ["none", "None", "no signature", "hmac with the secret", "hmac with the key", "another key", "key in the header"],
)
def test_only_the_keys_that_the_provider_shows_sign(clinic: Clinic, kind: str) -> None:
    name = clinic.hire("bosses")
    stub, other = clinic.stub, Key("first")
    public = json.dumps(stub.key.public()).encode()
    stub.header, stub.signature = {
        "none": ({"alg": "none"}, lambda message: b""),
        "None": ({"alg": "None"}, lambda message: b""),
        "no signature": ({}, lambda message: b""),
        "hmac with the secret": ({"alg": "HS256"}, hmac_with(SECRET.encode())),
        "hmac with the key": ({"alg": "HS256"}, hmac_with(public)),
        "another key": ({}, other.sign),
        "key in the header": ({"jwk": other.public(), "jku": f"{stub.url}/evil"}, other.sign),
    }[kind]
    status, visitor = clinic.sign_in()
    assert (status, inside(visitor), clinic.account(name)) == (403, False, {})


def test_a_shared_key_among_those_shown_signs_nothing(clinic: Clinic) -> None:
    clinic.hire("bosses")
    shared = {"kty": "oct", "kid": "shared", "k": encoded(b"known to many"), "alg": "HS256"}
    clinic.stub.replies_with("/keys", 200, {"keys": [shared, clinic.stub.key.public()]})
    clinic.stub.header, clinic.stub.signature = {"alg": "HS256", "kid": "shared"}, hmac_with(b"known to many")
    assert clinic.sign_in()[0] == 403


@pytest.mark.parametrize("token", [None, "", "a.b.c", "....", 7, "x" * 70_000, "ä.ö.ü", {}])
def test_what_is_no_token_opens_nothing(clinic: Clinic, token: Any) -> None:
    clinic.hire("bosses")
    clinic.stub.replies_with("/token", 200, {"access_token": "x", "id_token": token})
    assert clinic.sign_in()[0] == 403


def test_the_userinfo_endpoint_cannot_speak_of_somebody_else_or_overrule_what_is_signed(clinic: Clinic) -> None:
    clinic.hire("bosses")
    clinic.stub.replies_with("/me", 200, {"sub": "somebody else", "groups": ["bosses"]})
    assert clinic.sign_in()[0] == 403
    name = clinic.hire("bosses")
    clinic.stub.wrong = {"groups": ["guests"]}
    clinic.stub.replies.clear()
    assert clinic.sign_in()[0] == 303
    assert clinic.account(name)["sysadmin"] == 0


@pytest.mark.parametrize("path", ["/token", "/me"])
@pytest.mark.parametrize("reply", ["redirect", "huge", "slow", "nonsense", "deep", "500"])
def test_answers_that_are_none_open_nothing_and_cost_little(clinic: Clinic, path: str, reply: str) -> None:
    clinic.hire("bosses")
    stub = clinic.stub

    def slow(*_: Any) -> tuple[int, dict[str, str], bytes]:
        time.sleep(1.5)
        return 200, {}, b"{}"

    if reply == "slow":
        stub.replies[path] = slow
    else:
        status, headers, body = {
            "redirect": (307, {"Location": f"{stub.url}/elsewhere"}, b"{}"), "huge": (200, {}, b" " * (3 << 20) + b"{}"),
            "nonsense": (200, {}, b"\xff\xfe<html>"), "deep": (200, {}, b"[" * 200_000), "500": (500, {}, b"{}"),
        }[reply]  # fmt: skip
        stub.replies_with(path, status, body, **headers)
    status, visitor = clinic.sign_in()
    assert (status, inside(visitor)) == (503, False)
    assert "/elsewhere" not in stub.asked


# --- the browser's attempt ---------------------------------------------------------------------------------------------


def test_only_the_browser_that_went_there_is_signed_in(clinic: Clinic) -> None:
    """Log-in CSRF: an attacker's own answer, given to somebody else's browser."""
    clinic.hire("guests")
    attacker, victim = Visitor(clinic.appliance), Visitor(clinic.appliance)
    query = clinic.begin(attacker)
    assert clinic.come_back(victim, query["state"]).status_code == 403
    clinic.begin(victim)
    assert clinic.come_back(victim, query["state"]).status_code == 403, "with an attempt of its own neither"
    assert not inside(victim)


def test_a_code_and_a_state_count_once(clinic: Clinic) -> None:
    clinic.hire("guests")
    visitor = Visitor(clinic.appliance)
    query = clinic.begin(visitor)
    kept = dict(visitor.http.cookies)
    assert clinic.come_back(visitor, query["state"]).status_code == 303
    assert clinic.come_back(visitor, query["state"]).status_code == 403, "the attempt is over"
    thief = Visitor(clinic.appliance)
    thief.http.cookies.update(kept)
    assert (clinic.come_back(thief, query["state"]).status_code, inside(thief)) == (403, False)
    assert "already been used" in clinic.reasons()[0] or "state" in clinic.reasons()[0]


def test_a_code_of_another_attempt_is_worthless(clinic: Clinic) -> None:
    """PKCE and nonce: a stolen code, put into an attempt of the thief's own."""
    clinic.hire("bosses")
    clinic.begin(Visitor(clinic.appliance))
    challenge = clinic.stub.challenge
    thief = Visitor(clinic.appliance)
    query = clinic.begin(thief)
    clinic.stub.challenge = challenge
    assert clinic.come_back(thief, query["state"]).status_code == 403


@pytest.mark.parametrize(
    "back",
    [
        {"state": ""}, {"state": "x"}, {"state": "ä"}, {"code": ""}, {"code": "bad"}, {"error": "access_denied"},
        {"iss": "https://evil.example"}, {"code": "x" * 100_000},
    ],
    ids=lambda back: str(back)[:40],
)  # fmt: skip
def test_what_comes_back_otherwise_opens_nothing(clinic: Clinic, back: dict[str, str]) -> None:
    clinic.hire("bosses")
    visitor = Visitor(clinic.appliance)
    query = clinic.begin(visitor)
    answer = clinic.come_back(visitor, **{"state": query["state"]} | back)
    assert answer.status_code in (403, 414, 431)
    assert not inside(visitor)


def test_a_provider_that_names_itself_has_to(clinic: Clinic) -> None:
    """Mix-up (RFC 9207): where the provider says that it sends `iss`, an answer without is another's."""
    clinic.hire("guests")
    assert clinic.sign_in(iss=clinic.stub.url)[0] == 303
    clinic.context.settings  # noqa: B018
    clinic.stub.replies_with(
        "/.well-known/openid-configuration",
        200,
        clinic.stub.metadata() | {"authorization_response_iss_parameter_supported": True},
    )
    forget(clinic)
    assert clinic.sign_in()[0] == 403
    assert clinic.sign_in(iss=clinic.stub.url)[0] == 303
    forget(clinic)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_to_another_site(clinic: Clinic, target: str) -> None:
    clinic.hire("guests")
    visitor = Visitor(clinic.appliance)
    query = clinic.begin(visitor, target)
    assert clinic.come_back(visitor, query["state"]).headers["Location"] == "/"
    cookie = f"{int(time.time())}.{'s' * 43}.{base64.urlsafe_b64encode(target.encode()).decode()}"
    flow = oidc.Flow("s" * 43)
    forged = Visitor(clinic.appliance)
    forged.http.cookies.set("__Host-dcor-oidc", cookie, domain="localhost.local", secure=True)
    clinic.stub.nonce, clinic.stub.challenge = flow.nonce, flow.challenge
    answer = clinic.come_back(forged, flow.state)
    assert "evil" not in answer.headers.get("Location", "")


def test_an_attempt_that_is_too_old_is_begun_again(clinic: Clinic) -> None:
    clinic.hire("guests")
    flow = oidc.Flow("t" * 43)
    for begun in (int(time.time()) - oidc.FLOW_SECONDS - 5, int(time.time()) + 3600, "x"):
        headers = {"Cookie": f"__Host-dcor-oidc={begun}.{flow.secret}.Lw==", "Sec-Fetch-Site": "cross-site"}
        clinic.stub.nonce, clinic.stub.challenge = flow.nonce, flow.challenge
        answer = Visitor(clinic.appliance).get(CALLBACK, params={"state": flow.state, "code": "good"}, headers=headers)
        assert answer.status_code == 403


def test_each_sign_in_makes_a_new_session(clinic: Clinic) -> None:
    """Nobody can plant a session in advance."""
    clinic.hire("guests")
    visitor = Visitor(clinic.appliance)
    planted = "planted-by-somebody-else-0123456789abcdefghi"
    query = clinic.begin(visitor)
    visitor.http.cookies.set("__Host-dcor", planted, domain="localhost.local", secure=True)
    answer = clinic.come_back(visitor, query["state"])
    assert answer.status_code == 303
    assert planted not in answer.headers["Set-Cookie"]
    probe = Visitor(clinic.appliance).get("/dataset", headers={"Cookie": f"__Host-dcor={planted}"})
    assert probe.status_code == 303


# --- afterwards ----------------------------------------------------------------------------------------------------------


def test_who_the_provider_no_longer_confirms_is_signed_out(clinic: Clinic) -> None:
    clinic.hire("guests")
    clinic.compare()  # the stub knows one person at a time: it confirms nobody else
    visitor = clinic.sign_in()[1]
    assert clinic.compare().ended == 0
    clinic.stub.replies_with("/token", 400, {"error": "invalid_grant", "error_description": "user disabled"})
    assert clinic.compare().ended >= 1
    assert not inside(visitor)


def test_who_is_taken_out_of_the_groups_is_locked_out_with_tokens_and_comes_back(clinic: Clinic) -> None:
    name = clinic.hire("editors")
    visitor = clinic.sign_in()[1]
    token, _ = accounts.create_token(clinic.context, OPERATOR, name, "lab PC", scope="write")
    person = Person(clinic.appliance, name, token)
    assert person.get("user_show", id=name).status == 200
    clinic.stub.person["groups"] = ["choir"]
    clinic.compare()
    assert (inside(visitor), clinic.account(name)["state"], clinic.account(name)["roles"]) == (False, "disabled", [])
    assert person.get("user_show", id=name).status == 403
    assert clinic.sign_in()[0] == 403
    clinic.stub.person["groups"] = ["readers"]
    assert clinic.sign_in()[0] == 303
    assert (clinic.account(name)["state"], clinic.account(name)["roles"]) == ("active", [("member", clinic.stub.url)])
    assert person.get("user_show", id=name).status == 200


def test_a_refused_sign_in_locks_out_what_was_given_before(clinic: Clinic) -> None:
    """Where the provider gives no refresh tokens, this is how one learns of it."""
    clinic.stub.refresh = False
    name = clinic.hire("editors")
    visitor = clinic.sign_in()[1]
    clinic.stub.person["groups"] = []
    assert clinic.sign_in()[0] == 403
    assert (clinic.account(name)["state"], inside(visitor)) == ("disabled", False)


def test_a_provider_that_is_away_ends_nothing_at_once_and_everything_later(clinic: Clinic) -> None:
    name = clinic.hire("guests")
    visitor = clinic.sign_in()[1]
    token, _ = accounts.create_token(clinic.context, OPERATOR, name, "lab PC", scope="write")
    person = Person(clinic.appliance, name, token)
    clinic.stub.replies_with("/token", 503, {})
    assert clinic.compare().away
    assert inside(visitor)
    assert [one for one in clinic.told() if "OpenID provider cannot be reached" in one]
    with clinic.context.db.write() as tx:
        tx.execute("UPDATE provider_session SET confirmed = '2020-01-01T00:00:00.000000'")
        tx.execute("UPDATE identity SET confirmed = '2020-01-01T00:00:00.000000'")
    outcome = clinic.compare()
    assert (outcome.ended >= 1, outcome.paused >= 1, inside(visitor)) == (True, True, False)
    assert person.get("user_show", id=name).status == 403, "tokens wait, too"
    clinic.stub.replies.clear()
    assert clinic.sign_in()[0] == 303
    assert person.get("user_show", id=name).status == 200


def test_a_refresh_token_that_was_replaced_is_kept_whatever_else_fails(clinic: Clinic) -> None:
    """The provider takes each once: whoever gives the last one again is signed out everywhere (RFC 9700, 4.14)."""
    clinic.hire("guests")
    clinic.compare()
    visitor = clinic.sign_in()[1]
    good, given = ["a refresh token"], []

    def rotating(_path: str, body: bytes, _headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        given.append(parse_qs(body.decode())["refresh_token"][0])
        if given[-1] != good[-1]:
            return 400, {}, b'{"error": "invalid_grant"}'
        good.append(f"refresh token {len(good)}")
        return 200, {}, json.dumps({"access_token": "x", "refresh_token": good[-1]}).encode()

    clinic.stub.replies["/token"] = rotating
    clinic.stub.replies_with("/me", 503, {})
    assert clinic.compare().away
    del clinic.stub.replies["/me"]
    assert clinic.compare().ended == 0
    assert (given, inside(visitor)) == (["a refresh token", "refresh token 1"], True)


@pytest.mark.parametrize("issuer", ["", "https://another.example"])
def test_people_of_a_provider_that_is_not_set_up_any_more_are_out(tmp_path: Path, issuer: str) -> None:
    clinic = Clinic(tmp_path)
    try:
        name = clinic.hire("guests")
        visitor = clinic.sign_in()[1]
        token, _ = accounts.create_token(clinic.context, OPERATOR, name, "lab PC", scope="write")
        clinic.appliance.stop()
        there, here = clinic.stub.url, clinic.appliance
        file = here.root / "dcor.toml"
        file.write_text(file.read_text().replace(f'issuer = "{there}"', f'issuer = "{issuer}"'))
        clinic.appliance = again = Appliance(here.root, **{"server.port": here.settings.server.port})
        assert again.settings.oidc.issuer == issuer
        visitor.appliance, clinic.context = again, again.context
        assert not inside(visitor)
        person = Person(again, name, token)
        assert person.get("user_show", id=name).status == 403
        assert [one for one in clinic.told() if "no longer set up" in one]
        link = accounts.one_time_link(clinic.context, OPERATOR, name)
        assert Visitor(again).post(f"/user/password/{link}", password=LOCAL, again=LOCAL).status_code == 303
        assert Visitor(again).post("/user/login", login=name, password=LOCAL).status_code == 303
        assert person.get("user_show", id=name).status == 200, "a local account now"
    finally:
        clinic.stop()


def test_refresh_tokens_stand_sealed_in_the_database(clinic: Clinic) -> None:
    clinic.hire("guests")
    assert clinic.sign_in()[0] == 303
    planted = [b"a refresh token", b"an access token", SECRET.encode()]
    for path in clinic.appliance.root.rglob("*"):
        if path.is_file() and path.name != oidc.SECRET:
            content = path.read_bytes()
            assert not [one for one in planted if one in content], path
    assert (clinic.appliance.settings.secrets / oidc.SECRET).stat().st_mode & 0o777 == 0o600


def test_the_secret_belongs_to_the_issuer_that_it_was_set_for(clinic: Clinic) -> None:
    from appliance.actions import provider_login

    settings = clinic.context.settings
    assert provider_login.client_secret(settings) == SECRET
    assert provider_login.client_secret(settings.replace(**{"oidc.issuer": "https://evil.example"})) == ""


# --- signing out -----------------------------------------------------------------------------------------------------------


def test_signing_out_here_leads_to_signing_out_there(clinic: Clinic) -> None:
    clinic.hire("guests")
    visitor = clinic.sign_in()[1]
    answer = visitor.post("/user/logout")
    assert answer.status_code == 200
    assert f'content="0; url={clinic.stub.url}/end?client_id={CLIENT}&amp;post_logout_redirect_uri=' in answer.text
    assert not inside(visitor)
    local = Visitor(clinic.appliance)
    local.post("/user/login", login="keeper", password=LOCAL)
    assert local.post("/user/logout").status_code == 303, "whoever signed in here stays here"


@pytest.mark.parametrize("named", ["sub", "sid", "both"])
def test_signing_out_there_ends_the_sessions_here(clinic: Clinic, named: str) -> None:
    clinic.hire("guests")
    clinic.stub.wrong = {"sid": f"session {named}"}
    first = clinic.sign_in()[1]
    clinic.stub.wrong = {"sid": "another session"}
    second = clinic.sign_in()[1]
    clinic.stub.wrong = {"sub": {"sid": None}.get(named, clinic.stub.person["sub"])}
    token = clinic.logout_token(sid=None if named == "sub" else f"session {named}")
    answer = Visitor(clinic.appliance).http.post(
        f"{clinic.appliance.url}/user/logout/backchannel",
        data={"logout_token": token},
        headers={"Sec-Fetch-Site": ""},
        timeout=30,
    )
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (inside(first), inside(second)) == (False, named != "sub")


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "x"}, {"events": None}, {"events": {}}, {"events": []}, {"iss": "https://evil.example"}, {"aud": "another"},
        {"sub": None}, {"jti": None}, {"iat": 1}, {"exp": 1}, {"sub": {"a": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_logout_token_ends_nothing(clinic: Clinic, wrong: dict[str, Any]) -> None:
    clinic.hire("guests")
    visitor = clinic.sign_in()[1]
    answer = Visitor(clinic.appliance).post("/user/logout/backchannel", logout_token=clinic.logout_token(**wrong))
    assert (answer.status_code, inside(visitor)) == (400, True)


def test_an_id_token_is_no_logout_token_and_none_counts_twice(clinic: Clinic) -> None:
    clinic.hire("guests")
    visitor, sender = clinic.sign_in()[1], Visitor(clinic.appliance)
    for token in (clinic.stub.token(nonce="x"), "", "nonsense"):
        assert sender.post("/user/logout/backchannel", logout_token=token).status_code == 400
    assert inside(visitor)
    token = clinic.logout_token()
    assert sender.post("/user/logout/backchannel", logout_token=token).status_code == 200
    visitor = clinic.sign_in()[1]
    assert sender.post("/user/logout/backchannel", logout_token=token).status_code == 400
    assert inside(visitor)


def test_strangers_do_not_make_this_server_check_tokens_without_end(clinic: Clinic) -> None:
    clinic.context.limiter = Limiter(Rates(provider_logout="3/minute"))
    try:
        sender = Visitor(clinic.appliance)
        clinic.hire("guests")
        for _ in range(5):
            visitor = clinic.sign_in()[1]
            answer = sender.post("/user/logout/backchannel", logout_token=clinic.logout_token())
            assert (answer.status_code, inside(visitor)) == (200, False), "the provider may say it as often as it is so"
        statuses = [sender.post("/user/logout/backchannel", logout_token="x").status_code for _ in range(5)]
        assert statuses == [400] * 3 + [429] * 2
    finally:
        clinic.context.limiter = Limiter()


def test_signing_out_there_ends_nobody_elses_sessions_nor_local_ones(clinic: Clinic) -> None:
    clinic.hire("guests")
    other = clinic.sign_in()[1]
    local = Visitor(clinic.appliance)
    local.post("/user/login", login="keeper", password=LOCAL)
    clinic.hire("guests")
    clinic.sign_in()
    assert local.post("/user/logout/backchannel", logout_token=clinic.logout_token()).status_code == 200
    assert (inside(other), inside(local)) == (True, True)
    with clinic.context.db.write() as tx:
        assert provider_sessions.end_of(tx, clinic.stub.url, "", "") == 0, "nobody named is nobody"


def test_without_a_provider_there_is_nothing(tmp_path: Path) -> None:
    appliance = Appliance(tmp_path / "data")
    try:
        visitor = Visitor(appliance)
        assert "oidc" not in visitor.page("/user/login")
        for answer in (
            visitor.get("/user/login/oidc"),
            visitor.get(CALLBACK),
            visitor.post("/user/logout/backchannel"),
        ):
            assert answer.status_code == 404
    finally:
        appliance.stop()


def test_the_check_says_what_is_to_be_registered_and_what_is_wrong(clinic: Clinic) -> None:
    lines = [one.text for one in provider_links.check(clinic.context)]
    assert any(line.endswith(CALLBACK) for line in lines)
    assert all(one.good for one in provider_links.check(clinic.context)), lines
    clinic.stub.replies_with(
        "/.well-known/openid-configuration", 200, clinic.stub.metadata() | {"issuer": "https://evil.example"}
    )
    forget(clinic)
    assert "must be exactly" in "".join(one.text for one in provider_links.check(clinic.context) if not one.good)
    before = len(clinic.stub.asked)
    assert [Visitor(clinic.appliance).get("/user/login/oidc").status_code for _ in range(5)] == [503] * 5
    assert len(clinic.stub.asked) == before, "a provider that is away is not asked by everybody who knocks"
    clinic.stub.replies.clear()
    forget(clinic)
    clinic.hire("guests")
    assert clinic.sign_in()[0] == 303


def forget(clinic: Clinic) -> None:
    """Let the appliance ask the provider anew, as after a change of settings."""
    from appliance.actions import provider_login

    provider_login.forget()
