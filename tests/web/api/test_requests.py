"""How actions may be asked: addresses, methods, query strings, JSON, forms, files, and the dozen spellings of true."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from appliance.web.api.registry import ACTIONS
from tests.web.api.permission_fixture import World

FORM = "application/x-www-form-urlencoded"


def send(world: World, method: str, path: str, who: str = "Ce", **options: Any) -> requests.Response:
    """A request to the server as it is written."""
    return world.people[who].http.request(method, world.appliance.url + path, timeout=30, **options)


# --- addresses and methods ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/api/3/action/status_show",
        "/api/action/status_show",
        "/api/3/action/status_show/",
        "//api/3//action/status_show",
    ],
)
def test_addresses_of_an_action(world: World, path: str) -> None:
    answer = send(world, "GET", path)
    assert answer.status_code == 200
    assert answer.json()["help"] == f"{world.appliance.url}/api/3/action/help_show?name=status_show"


@pytest.mark.parametrize(
    ("path", "version"), [("/api", 1), ("/api/", 1), ("/api/1", 1), ("/api/2", 2), ("/api/3", 3), ("/api/3/", 3)]
)
def test_the_version(world: World, path: str, version: int) -> None:
    answer = send(world, "GET", path)
    assert (answer.status_code, answer.json()) == (200, {"version": version})


@pytest.mark.parametrize(
    "path",
    ["/api/3/action/", "/api/action", "/api/4", "/api/2/action/status_show", "/api/3/status_show", "/api/util/x"],
)
def test_other_addresses_are_not_found(world: World, path: str) -> None:
    answer = send(world, "GET", path)
    assert (answer.status_code, answer.reason) == (404, "NOT FOUND")
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(world: World, method: str) -> None:
    answer = send(world, method, "/api/3/action/package_show", json={})
    assert (answer.status_code, answer.reason) == (405, "METHOD NOT ALLOWED")
    assert answer.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("name", sorted(name for name, action in ACTIONS.items() if not action.get))
def test_what_changes_something_is_posted(world: World, name: str) -> None:
    answer = send(world, "GET", f"/api/3/action/{name}?id=x")
    assert (answer.status_code, answer.reason) == (400, "BAD REQUEST")
    assert answer.json() == "Bad request - JSON Error: Invalid request. Please use POST method for your request"


@pytest.mark.parametrize(
    "name",
    [
        "no_such_action", "get_site_user", "config_option_show", "job_list", "vocabulary_create", "user_invite",
        "task_status_show", "term_translation_update", "package_relationship_create", "resource_view_create", "__init__",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_actions(world: World, name: str, method: str) -> None:
    answer = send(world, method, f"/api/3/action/{name}")
    assert (answer.status_code, answer.reason) == (400, "BAD REQUEST")
    assert answer.json() == f"Bad request - Action name not known: {name}"


def test_answers_are_not_cached_and_need_no_cookie(world: World) -> None:
    answer = send(world, "GET", "/api/3/action/status_show")
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


# --- where parameters stand ---------------------------------------------------------------------------------------------


def test_every_form_of_a_request_says_the_same(world: World) -> None:
    one = world.dataset("private")
    url, body = "/api/3/action/package_show", json.dumps({"id": one.id})
    for answer in (
        send(world, "GET", url, params={"id": one.id}),
        send(world, "GET", url, params={"id": one.name}),
        send(world, "GET", url, params={"name_or_id": one.name}),
        send(world, "GET", url, data=body),  # odd, but allowed
        send(world, "POST", url, json={"id": one.id}),
        send(world, "POST", url, data={"id": one.id}),
        send(world, "POST", url, files={"id": (None, one.id)}),
        send(world, "POST", url, data=body, headers={"Content-Type": FORM}),  # curl -d '{"id": …}'
        send(world, "POST", url, data=f"{body}=1", headers={"Content-Type": FORM}),
        send(world, "POST", url, data=body, headers={"Content-Type": "text/plain"}),
        send(world, "POST", f"{url}?id={one.id}", json={"id": "something-else"}),  # the query string wins
        send(world, "POST", f"{url}?id={one.id}"),
    ):
        assert answer.status_code == 200, answer.text
        assert answer.json()["result"]["id"] == one.id


def test_a_query_string_does_not_reach_what_changes_something(world: World) -> None:
    one = world.dataset("draft")
    answer = send(world, "POST", f"/api/3/action/package_patch?id={one.id}&notes=x", json={})
    assert answer.json()["error"] == {"__type": "Validation Error", "id": ["Missing value"]}


def test_a_key_that_comes_twice_is_a_list(world: World) -> None:
    first, second = world.fresh("circle"), world.fresh("circle")
    names = [world.people["A"].get("organization_show", id=one).result["name"] for one in (first, second)]
    query = "&".join(f"organizations={name}" for name in names)
    assert sorted(send(world, "GET", f"/api/3/action/organization_list?{query}").json()["result"]) == sorted(names)
    for sent in (json.dumps(names), ",".join(names)):
        found = world.people["A"].get("organization_list", organizations=sent).result
        assert sorted(found) == sorted(names)


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b'{"id": ', "application/json", "Error decoding JSON data."),
        (b'{"id": ', FORM, "Error decoding JSON data."),
        (b"[1, 2]", "application/json", "Request data JSON decoded to [1, 2] but it needs to be a dictionary."),
        (b'["x"]', "application/json", "Request data JSON decoded to ['x'] but it needs to be a dictionary."),
        (b"null", "application/json", "Request data JSON decoded to None but it needs to be a dictionary."),
        (b"\xff\xfe", "application/json", "Error decoding JSON data."),
        (b"[" * 100_000, "application/json", "Error decoding JSON data."),
        (b'{"a":' * 80 + b"1" + b"}" * 80, "application/json", "Error decoding JSON data."),
        (b'{"id": "\\ud800"}', "application/json", "Error decoding JSON data."),
        (b'{"id": "\xed\xa0\x80"}', "application/json", "Error decoding JSON data."),
        (b'{"id": "\xed\xa0\x80"}', FORM, "Error decoding JSON data."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bodies_that_are_no_json(world: World, body: bytes, content_type: str, words: str) -> None:
    answer = send(world, "POST", "/api/3/action/package_show", data=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.reason) == (400, "BAD REQUEST")
    assert answer.json().startswith(f"Bad request - JSON Error: {words}")


@pytest.mark.parametrize("action", ["package_search", "package_create", "resource_patch", "user_show", "group_list"])
def test_encoded_half_characters_are_no_json(world: World, action: str) -> None:
    for body in (b'{"q": "\xed\xa0\x80"}', b'{"id": ["\xed\xbf\xbf"]}', b'{"\xed\xa0\x80": 1}'):
        answer = send(world, "POST", f"/api/3/action/{action}", data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text


def test_an_empty_body_is_an_empty_object(world: World) -> None:
    for options in ({}, {"data": b"", "headers": {"Content-Type": "application/json"}}, {"data": b"  "}):
        assert send(world, "POST", "/api/3/action/status_show", **options).status_code == 200


def test_a_file_where_none_is_taken(world: World) -> None:
    answer = send(world, "POST", "/api/3/action/package_show", files={"id": ("x.txt", b"x")})
    assert answer.json()["error"] == {"__type": "Validation Error", "id": ["This action takes no file"]}


# --- values -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        ("True", True),
        ("true", True),
        ("1", True),
        ("yes", True),
        ("on", True),
        ("False", False),
        ("0", False),
        ("no", False),
        ("", False),
    ],
)
def test_spellings_of_true(world: World, value: str, whole: bool) -> None:
    for found in (
        send(world, "GET", "/api/3/action/organization_list", params={"all_fields": value}).json()["result"],
        send(world, "POST", "/api/3/action/organization_list", json={"all_fields": value}).json()["result"],
        send(world, "POST", "/api/3/action/organization_list", data={"all_fields": value, "q": ""}).json()["result"],
    ):
        assert isinstance(found[0], dict) == whole


@pytest.mark.parametrize(
    ("name", "sent", "error"),
    [
        ("organization_list", {"all_fields": "perhaps"}, {"all_fields": ["Must be true or false"]}),
        ("organization_list", {"limit": "many"}, {"limit": ["Must be a natural number"]}),
        ("organization_list", {"limit": -1}, {"limit": ["Must be a natural number"]}),
        ("organization_list", {"limit": 1 << 70}, {"limit": ["Must be a natural number"]}),
        ("package_show", {"id": {"a": 1}}, {"id": ["Must be a text"]}),
        ("package_show", {"id": ""}, {"name_or_id": ["Missing value"]}),
        ("resource_show", {}, {"id": ["Missing value"]}),
        ("package_revise", {"match": "x"}, {"match": ["Must be a JSON object"]}),
        ("package_revise", {"match": {"id": "x"}, "update": [1]}, {"update": ["Must be a JSON object"]}),
        ("package_resource_reorder", {"id": "x"}, {"order": ["Missing value"]}),
        ("user_autocomplete", {}, {"q": ["Missing value"]}),
        (
            "member_create",
            {"id": "circle", "object": "x"},
            {"object_type": ["Missing value"], "capacity": ["Missing value"]},
        ),
    ],
)
def test_values_of_the_wrong_type(world: World, name: str, sent: dict[str, Any], error: dict[str, Any]) -> None:
    refused = world.people["Ca"].post(name, **sent)
    assert (refused.status, refused.reason) == (409, "CONFLICT")
    assert refused.error == error


def test_an_empty_search_text_is_allowed(world: World) -> None:
    assert len(world.people["Ce"].get("user_autocomplete", q="").result) > 5
    assert world.people["Ce"].get("user_autocomplete", q="", limit="2").result[0].keys() == {"id", "name", "fullname"}
    assert "ce" not in [
        user["name"] for user in world.people["Ce"].get("user_autocomplete", q="ce", ignore_self=True).result
    ]


def test_revising_by_a_form(world: World) -> None:
    one = world.dataset("draft")
    form = {
        "match": json.dumps({"id": one.id}),
        "update": json.dumps({"notes": "by form"}),
        "include": "+package__notes,+package__id,-package__*",
    }
    answer = send(world, "POST", "/api/3/action/package_revise", data=form)
    assert answer.json()["result"] == {"package": {"id": one.id, "notes": "by form"}}
    flat = {"match__id": one.id, "update__tags__extend": json.dumps([{"name": "formed"}]), "update__title": "2024"}
    package = send(world, "POST", "/api/3/action/package_revise", data=flat).json()["result"]["package"]
    assert (package["title"], [tag["name"] for tag in package["tags"]]) == ("2024", ["formed", f"tag-{one.name}"])


def test_revising_by_name_with_a_filter(world: World) -> None:
    one = world.dataset("draft")
    sent = {"match": {"name": one.name}, "filter": ["-tags", "-notes"], "update": {"title": "T"}, "include": ["-*"]}
    assert world.people["Ce"].post("package_revise", **sent).result == {}
    package = world.people["Ce"].get("package_show", id=one.id).result
    assert (package["title"], package["tags"], package["notes"], package["authors"]) == ("T", [], "", "Ada L.")


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"update": {"notes": "x"}}, 409, {"match__id": "Missing value"}),
        ({"match": {"title": "x"}}, 409, {"match__id": "Missing value"}),
        ({"match": {"id": "ID", "title": "other", "notes": "x"}}, 409, {"match": ["title", "notes"]}),
        ({"match__id": "ID", "match__organization__name": "other"}, 409, {"match": ["organization__name"]}),
        ({"match__id": "ID", "match__nothing": "x"}, 409, {"match": ["nothing"]}),
        ({"match__id": "ID", "update__resources__abcde__name": "x"}, 409, {"resources__abcde__name": ["Unmatched key resources__abcde__name"]}),
        ({"match__id": "ID", "update": {"resources": {"0": {}}}}, 400, {"message": "An object can only update an object."}),
        ({"match__id": "ID", "update__resources__extend": {"name": "x"}}, 400, {"message": "resources__extend needs a list."}),
        ({"match": {"id": "no-such-dataset"}}, 404, {"message": "Not found: There is no such dataset or file, or you have no access to it"}),
    ],
)  # fmt: skip
def test_revisions_that_do_not_fit(world: World, sent: dict[str, Any], status: int, error: dict[str, Any]) -> None:
    one = world.dataset("draft")
    refused = world.people["Ce"].post("package_revise", **json.loads(json.dumps(sent).replace('"ID"', f'"{one.id}"')))
    assert refused.status == status
    assert refused.error == error


# --- help ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_action_explains_itself(world: World, name: str) -> None:
    words = world.people["A"].get("help_show", name=name).result
    assert words[0].isupper()
    for parameter in ACTIONS[name].parameters:
        assert f":param {parameter.name}: {parameter.doc}" in words


def test_help_on_nothing(world: World) -> None:
    refused = world.people["A"].get("help_show", name="nothing")
    assert (refused.status, refused.message) == (404, "Not found: Action function not found")
