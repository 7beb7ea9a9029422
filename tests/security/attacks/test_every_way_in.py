"""Every action, every route and every page, out of their registries: with a token for reading, with a revoked one, as somebody who lost
the circle, with the session of a disabled account, and from another site's page. A new one is tried without anybody thinking of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from appliance.actions import accounts, communities
from appliance.model.viewer import OPERATOR
from appliance.security import policy
from appliance.web import route_table
from appliance.web.api.registry import ACTIONS
from appliance.web.app import create_app
from appliance.web.routes import Route
from tests.support.furnished import PASSWORD, House, Visitor
from tests.support.server import DEADLINE, Appliance, Person

CHANGES = sorted(name for name, declared in ACTIONS.items() if declared.changes)
ROUTES = [route for route in route_table.routes() if route.rule != "open"]
STRANGER = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
OTHERS = (
    STRANGER,
    {"Sec-Fetch-Site": "same-site", "Origin": "https://wiki.clinic.example"},
    {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "", "Origin": "null"},
)


class Targets:
    """A house that stands still, and its valuables in every parameter that an action or an address knows."""

    def __init__(self, appliance: Appliance) -> None:
        self.house = House(appliance)
        self.appliance = appliance
        appliance.service.jobs.stop(grace=10.0)
        accounts.create_token(appliance.context, OPERATOR, "ada", "somebody else's", scope="write")
        for person in self.house.people.values():  # the first use of a token is noted
            assert person.get("api_token_list").status == 200
        self.dataset, self.file = self.house.private, self.house.private_file
        self.app = create_app(appliance.context)

    def generation(self) -> int:
        """Changes with every commit."""
        return self.appliance.context.db.generation()

    def parameters(self, name: str) -> dict[str, Any]:
        """What might make the action `name` do something to somebody."""
        about_file = name.startswith(("resource", "dcserv")) and name != "resource_create"
        about_circle = name.startswith(("organization", "member", "group"))
        values = {
            "id": self.file["id"] if about_file else "lab" if about_circle else self.dataset["id"],
            "package_id": self.dataset["id"], "name": "taken-over", "title": "Taken over", "notes": "taken over", "owner_org": "lab",
            "ids": [self.file["id"]], "features": ["deform"], "user_id": "eve", "username": "eve", "role": "admin", "capacity": "editor", "object": "eve", "object_type": "user",
            "email": "eve@example.org", "password": "correct horse 9 battery", "query": "basins", "version": "2", "org_id": "lab",
            "datasets": [self.dataset["id"]], "organization_id": "lab", "file_size": 5, "match": {"id": self.dataset["id"]},
            "update": {"notes": "taken over"}, "order": [self.file["id"]], "q": "blood",
        }  # fmt: skip
        if name.startswith(("user_", "dataset_followee", "package_collaborator_list_for", "api_token")):
            values |= {"id": "ada", "user_id": "ada", "user": "ada"}
        return values

    def address(self, route: Route) -> str:
        """An address of the route, about the private dataset."""
        id_, resource = self.dataset["id"], self.file["id"]
        for path in (
            f"/dataset/{id_}/resource/{resource}/{end}"
            for end in (
                "download/x",
                "condensed.rtdc",
                "preview.jpg",
                "columns.bin",
                "event/0.json",
                "export.csv",
                "pictures.json",
                "emodulus.bin",
            )
        ):
            if route.pattern.fullmatch(path):
                return path
        for path in (
            f"/dataset/{id_}/download.zip", f"/dataset/{id_}/SHA256SUMS", "/organization/lab/SHA256SUMS", "/metrics",
            f"/objects/resource/{resource[:3]}/{resource[3:6]}/{resource[6:]}", "/upload/browser", f"/upload/browser/{resource}", f"/gate-export/{resource}",
            f"/upload/browser/{resource}/finish", f"/upload/{resource}/1", f"/upload/{resource}/complete", "/datasets.zip", "/compare/export.csv",
        ):  # fmt: skip
            if route.pattern.fullmatch(path):
                query = {"/datasets.zip": f"?dataset={id_}", "/compare/export.csv": f"?r={resource}"}
                return path + query.get(path, "")
        raise AssertionError(f"no address is known here for {route.pattern.pattern}")

    def page(self, rule: Rule) -> str:
        """An address of the page, about the private dataset, the circle, or Ada."""
        known = {
            "/dataset/<": self.dataset["id"], "resource": self.file["id"], "/organization/<": "lab", "/group/<": "study",
            "/user/<": "ada", "/user/edit/<": "ada", "/admin/users/<": "ada",
        }  # fmt: skip
        first = next((value for start, value in known.items() if str(rule.rule).startswith(start)), "ada")
        values: dict[str, Any] = {}
        for argument in sorted(rule.arguments):
            choice = re.search(rf"<any\(([^)]*)\):{argument}>", str(rule.rule))
            number = f"<int:{argument}>" in str(rule.rule)
            is_file = argument in {"resource_id", "rid", "resource"}
            values[argument] = (
                choice[1].split(", ")[0] if choice else 1 if number else self.file["id"] if is_file else first
            )
        return str(rule.build(values, append_unknown=False)[1]) if rule.arguments else str(rule.rule)

    def browser(self, name: str) -> FlaskClient:
        """A browser in which `name` is signed in, right at the application."""
        client = self.app.test_client()
        if name:
            client.set_cookie("__Host-dcor", str(self.house.visitor(name).http.cookies["__Host-dcor"]), secure=True)
        return client


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    """One for all tests here; nothing in it may change."""
    running = Appliance(tmp_path_factory.mktemp("targets") / "data", **{"depot.direct_upload": True})
    yield Targets(running)
    running.stop()


def token(targets: Targets, name: str, **options: Any) -> Person:
    """A person with a fresh token, which has been used once: the first use is noted."""
    value, id_ = accounts.create_token(targets.appliance.context, OPERATOR, name, "attack", **options)
    person = Person(targets.appliance, name, value, id_)
    assert person.get("status_show").status == 200
    assert person.get("api_token_list").status == 200
    return person


@pytest.fixture(scope="module")
def reader(targets: Targets) -> Person:
    """An administrator's token for reading, which has leaked."""
    return token(targets, "root", scope="read")


@pytest.fixture(scope="module")
def revoked(targets: Targets) -> Person:
    """A token of Ada's that was revoked."""
    person = token(targets, "ada", scope="write")
    accounts.revoke_token(targets.appliance.context, OPERATOR, token=person.token)
    return person


@pytest.fixture(scope="module")
def parted(targets: Targets) -> Person:
    """Somebody who was an editor of the circle and is no more."""
    context = targets.appliance.context
    targets.appliance.person("pia", password=PASSWORD)
    communities.set_member(context, OPERATOR, "circle", "lab", "pia", "editor")
    person = token(targets, "pia", scope="write")
    assert person.get("package_show", id=targets.dataset["id"]).status == 200
    communities.remove_member(context, OPERATOR, "circle", "lab", "pia")
    return person


@pytest.fixture(scope="module")
def disabled(targets: Targets) -> str:
    """The cookie of an administrator whose account was disabled."""
    targets.appliance.person("dora", sysadmin=True, password=PASSWORD)
    cookie = str(Visitor(targets.appliance, "dora").http.cookies["__Host-dcor"])
    accounts.set_state(targets.appliance.context, OPERATOR, "dora", "disabled")
    return cookie


def asked(targets: Targets, method: str, path: str, **options: Any) -> requests.Response:
    """A request without a session of its own."""
    http = targets.appliance.nobody.http
    return http.request(method, targets.appliance.url + path, allow_redirects=False, timeout=DEADLINE, **options)


# --- actions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANGES)
def test_a_token_for_reading_changes_nothing_by_an_action(targets: Targets, reader: Person, name: str) -> None:
    before = targets.generation()
    answers = [reader.post(name, **targets.parameters(name))]
    if ACTIONS[name].get:
        answers.append(reader.get(name, **targets.parameters(name)))
    assert {answer.status for answer in answers} == {403}
    assert targets.generation() == before


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_a_revoked_token_is_nobody_to_an_action(targets: Targets, revoked: Person, name: str) -> None:
    """It is told what a token that never was is told: what nobody is told, that nothing is there, or an empty list."""
    before = targets.generation()
    never = Person(targets.appliance, "nobody", revoked.token[::-1], "")
    people = (revoked, never, targets.appliance.nobody)
    one, invented, nobody = (who.post(name, **targets.parameters(name)) for who in people)
    assert (one.status, one.text) == (invented.status, invented.text)
    assert one.status in {nobody.status, 404} or one.result == []
    assert targets.generation() == before


@pytest.mark.parametrize("name", sorted(name for name, declared in ACTIONS.items() if declared.asks))
def test_whoever_lost_the_circle_is_a_stranger_to_an_action(targets: Targets, parted: Person, name: str) -> None:
    if name in {"group_member_delete", "organization_member_delete", "member_delete", "user_follower_count"}:
        return  # one's own leaving is asked for, too; a number of people is told to whoever has an account
    before = targets.generation()
    own = name.startswith(("user_", "api_token", "dataset_followee", "package_collaborator_list_for"))
    # Following what one may not see is a wrong value (409) as for what is not there; gates are read before the dataset.
    own = own or "follow" in name or name.startswith("dcor_gate_")
    answer = parted.post(name, **targets.parameters(name))
    assert answer.status in ({403, 404} if not own else {403, 404, 409}), answer.text
    assert targets.generation() == before


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_a_disabled_accounts_session_is_nobody_to_an_action(targets: Targets, disabled: str, name: str) -> None:
    before = targets.generation()
    path, values = f"/api/3/action/{name}", targets.parameters(name)
    one, other = (
        asked(targets, "POST", path, json=values, headers=headers)
        for headers in ({"Cookie": f"__Host-dcor={disabled}", "Sec-Fetch-Site": "same-origin"}, {})
    )
    assert (one.status_code, one.text) == (other.status_code, other.text)
    assert targets.generation() == before


@pytest.mark.parametrize("name", CHANGES)
def test_another_site_changes_nothing_by_an_action(targets: Targets, name: str) -> None:
    cookie, before = targets.house.visitor("root").http.cookies["__Host-dcor"], targets.generation()
    values = targets.parameters(name)
    found = set()
    for marks in OTHERS:
        headers = {**marks, "Cookie": f"__Host-dcor={cookie}"}
        found.add(asked(targets, "POST", f"/api/3/action/{name}", json=values, headers=headers).status_code)
        if ACTIONS[name].get:
            found.add(asked(targets, "GET", f"/api/3/action/{name}", params=values, headers=headers).status_code)
    assert found == {403}
    assert targets.generation() == before


@pytest.mark.parametrize("name", sorted(name for name in CHANGES if ACTIONS[name].get))
@pytest.mark.parametrize("marks", [{}, {"Sec-Fetch-Site": "none"}, *OTHERS])
def test_a_get_that_changes_something_needs_our_own_page(targets: Targets, name: str, marks: dict[str, str]) -> None:
    """A picture in an old browser says nothing about its site, a link in a mail says "none"."""
    circle = targets.house.people["ada"].get("organization_show", id="lab").result["id"]
    cookie = targets.house.visitor("ada").http.cookies["__Host-dcor"]

    def status(headers: dict[str, str]) -> int:
        values = {"organization_id": circle, "file_size": 5}
        headers = {**headers, "Cookie": f"__Host-dcor={cookie}"}
        return asked(targets, "GET", f"/api/3/action/{name}", params=values, headers=headers).status_code

    before = targets.generation()
    assert status(marks) == 403
    assert targets.generation() == before
    assert status({"Sec-Fetch-Site": "same-origin"}) == 200


@pytest.mark.parametrize("name", sorted(name for name, declared in ACTIONS.items() if not declared.changes))
def test_actions_that_are_asked_by_get_change_nothing(targets: Targets, name: str) -> None:
    before = targets.generation()
    targets.house.people["root"].get(name, **targets.parameters(name))
    assert targets.generation() == before


def test_an_action_that_forgets_to_ask_gives_no_answer(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    forgetful = replace(ACTIONS["package_show"], handler=lambda call: "shown to everybody")
    monkeypatch.setitem(ACTIONS, "package_show", forgetful)
    answer = targets.house.people["ada"].get("package_show", id=targets.dataset["id"])
    assert answer.status == 500
    assert "shown" not in answer.text


# --- routes -----------------------------------------------------------------------------------------------------------

_METHODS = [(method, route) for route in ROUTES for method in sorted(route.methods)]
_IDS = [f"{method} {route.pattern.pattern}" for method, route in _METHODS]


def body(method: str) -> dict[str, Any]:
    """Something to send, where something is sent."""
    return {} if method == "GET" else {"data": b"{}", "headers": {"Upload-Offset": "0"}}


def status(targets: Targets, method: str, route: Route, **headers: str) -> int:
    """How the route answers a request with these headers."""
    options = body(method)
    options["headers"] = {**options.get("headers", {}), **headers}
    return asked(targets, method, targets.address(route), **options).status_code


@pytest.mark.parametrize(("method", "route"), _METHODS, ids=_IDS)
def test_nobody_special_gets_nothing_from_a_route(
    targets: Targets, reader: Person, revoked: Person, parted: Person, disabled: str, method: str, route: Route
) -> None:
    if route.pattern.pattern == "/metrics":
        return  # for this machine itself, where the test runs
    cookie = f"__Host-dcor={targets.house.visitor('ada').http.cookies['__Host-dcor']}"
    before = targets.generation()
    nobodies = (
        {"Authorization": revoked.token},
        {"Cookie": f"__Host-dcor={disabled}", "Sec-Fetch-Site": "same-origin"},
        {},
    )
    assert {status(targets, method, route, **headers) for headers in nobodies} <= {403, 404}
    lost = status(targets, method, route, Authorization=parted.token)
    assert lost in {403, 404, 409} or route.rule in policy.SITE_RULES
    if policy.changes(route.rule):
        assert status(targets, method, route, Authorization=reader.token) == 403
        assert {status(targets, method, route, Cookie=cookie, **marks) for marks in OTHERS} == {403}
    assert targets.generation() == before


def test_a_route_that_forgets_to_ask_gives_no_answer(targets: Targets) -> None:
    from appliance.web.http import Request, text
    from appliance.web.routes import find, route

    table = [
        route("GET", "/forgetful", "dataset:read", lambda context, request, match: text(200, "shown to everybody"))
    ]
    found = find(table, request := Request("GET", "/forgetful", "/forgetful"))
    assert found is not None
    request.headers = type(request.headers)([("Authorization", targets.house.people["ada"].token)])
    with pytest.raises(RuntimeError, match="never asked"):
        found[0].answer(targets.appliance.context, request, found[1])


# --- pages ------------------------------------------------------------------------------------------------------------


def pages(targets: Targets, method: str) -> list[str]:
    """An address of every page that knows the method."""
    return [targets.page(rule) for rule in targets.app.url_map.iter_rules() if method in (rule.methods or ())]


def test_a_token_is_nobody_to_the_pages(targets: Targets, reader: Person) -> None:
    """They are for browsers; a leaked token opens none of them."""
    client, before = targets.browser(""), targets.generation()
    for path in pages(targets, "GET"):
        one, other = (
            client.get(path, base_url="https://localhost", headers=headers)
            for headers in ({"Authorization": reader.token}, {})
        )
        assert one.status_code == other.status_code, path
    assert targets.generation() == before


def test_a_disabled_accounts_session_is_nobody_to_the_pages(targets: Targets, disabled: str) -> None:
    client, stranger = targets.app.test_client(), targets.browser("")
    client.set_cookie("__Host-dcor", disabled, secure=True)
    before = targets.generation()
    for method in ("GET", "POST"):
        for path in set(pages(targets, method)) - {"/user/login"}:  # strangers sign in there, and refusals are noted
            one, other = (who.open(path, method=method, base_url="https://localhost") for who in (client, stranger))
            assert one.status_code == other.status_code, path
    assert targets.generation() == before


def test_whoever_lost_the_circle_is_a_stranger_to_its_pages(targets: Targets, parted: Person) -> None:
    visitor = targets.browser("pia")
    outsider, before = targets.browser("eve"), targets.generation()
    for path in pages(targets, "GET"):
        if path.startswith(("/dataset/", "/organization/lab/")):
            one, other = (who.get(path, base_url="https://localhost") for who in (visitor, outsider))
            assert one.status_code == other.status_code, path
            assert targets.dataset["title"].encode() not in one.data, path
    assert targets.generation() == before


def test_another_site_changes_nothing_by_a_page(targets: Targets) -> None:
    client, before = targets.browser("root"), targets.generation()
    for path in pages(targets, "POST"):
        for marks in OTHERS:
            answer = client.post(path, base_url="https://localhost", headers=marks, data={"title": "Taken over"})
            assert answer.status_code == 403, path
    assert targets.generation() == before


def test_looking_at_a_page_changes_nothing(targets: Targets) -> None:
    client = targets.browser("root")
    client.get("/dashboard", base_url="https://localhost")
    before = targets.generation()
    for path in pages(targets, "GET"):
        client.get(path, base_url="https://localhost")
        assert targets.generation() == before, path
