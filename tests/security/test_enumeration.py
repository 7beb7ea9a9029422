"""What is hidden answers like what is not there, at every address and in every action, whoever asks without a right to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from appliance.actions import accounts
from appliance.model import names
from appliance.model.viewer import OPERATOR
from appliance.web.api.registry import ACTIONS
from appliance.web.app import create_app
from tests.support.furnished import PASSWORD, Visitor
from tests.support.server import DEADLINE
from tests.web.api.permission_fixture import Dataset, World

STRANGERS = ("A", "U")


@pytest.fixture(scope="module", params=[True, False], ids=["open site", "closed site"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(**{"policy.anonymous_access": request.param})
    made.own = made.people["U"].post("group_create", name="of-the-stranger").result["id"]  # type: ignore[attr-defined]
    accounts.change_password(made.context, OPERATOR, "stranger", PASSWORD)
    made.browsers = {"A": Visitor(made.appliance), "U": Visitor(made.appliance, "stranger")}  # type: ignore[attr-defined]
    yield made
    made.stop()


def _missing() -> Dataset:
    return Dataset(names.new_id(), f"dataset-{names.new_id()[:8]}", names.new_id(), "missing")


def _plain(text: str, one: Dataset) -> str:
    """The text without what the caller sent: id, name, file; without what changes with every request."""
    for word in (one.id, one.name, one.resource):
        text = text.replace(word, "…")
    return re.sub(r'nonce="[^"]*"|"[0-9a-f]{32,}"', "", text)


# --- actions ------------------------------------------------------------------------------------------------------------

#: Parameters by which actions name a dataset, a file, or people's collections of them.
FIELDS: dict[str, str] = {
    "id": "id",
    "package_id": "id",
    "dataset": "id",
    "name_or_id": "id",
    "object": "id",
    "match__id": "id",
}
MORE: dict[str, Any] = {
    "query": "metadata", "version": "2", "object_type": "package", "capacity": "member", "user_id": "stranger", "order": [],
    "title": "x", "description": "x",
}  # fmt: skip
BY_FILE = frozenset({
    "dcserv", "resource_show", "resource_view_list", "resource_patch", "resource_update", "resource_delete",
})  # fmt: skip


def _questions(name: str) -> list[dict[str, Any]]:
    """Ways to ask an action about a dataset: by id, by name; `…` stands for it."""
    named = [one.name for one in ACTIONS[name].parameters if one.name in FIELDS]
    if name == "package_revise":
        named = ["match__id"]
    found = []
    for field in named:
        for by in ("resource",) if name in BY_FILE else ("id", "name"):
            found.append({field: by})
    return found


def _asked(world: World, who: str, name: str, question: dict[str, str], one: Dataset) -> tuple[int, str]:
    values = {field: getattr(one, by) for field, by in question.items()}
    if "object" in values:
        values["id"] = world.own
    person = world.people[who]
    parameters = {key: value for key, value in MORE.items() if key not in values} | values
    answer = person.get(name, **parameters) if ACTIONS[name].get else person.post(name, **parameters)
    return answer.status, _plain(answer.text, one)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_actions_do_not_tell(world: World, name: str) -> None:
    questions = _questions(name)
    if not questions:
        return
    hidden = [*world.datasets("private"), *world.datasets("draft"), *world.datasets("deleted")]
    for who in STRANGERS:
        for question in questions:
            nothing = _asked(world, who, name, question, _missing())
            for one in hidden:
                assert _asked(world, who, name, question, one) == nothing, (who, question, one.kind)


def test_members_are_listed_for_members_only(world: World) -> None:
    for place, insiders in ((world.circle, ("Cm", "Ce", "Ca", "S")), (world.collection, ("Gm", "Ge", "Ga", "S"))):
        for who, person in world.people.items():
            listed = person.get("member_list", id=place, object_type="user")
            assert (listed.status == 200) == (who in insiders), who
            everything = person.get("member_list", id=place)
            if everything.status == 200:
                assert any(kind == "user" for _, kind, _ in everything.result) == (who in insiders), who
            shown = person.get(
                "group_show" if place == world.collection else "organization_show", id=place, include_users=True
            )
            if shown.status == 200:
                assert ("users" in shown.result) == (who in insiders)


# --- pages and files ----------------------------------------------------------------------------------------------------


def _addresses(world: World) -> list[str]:
    """Every page's address with a place for a dataset or a user."""
    app = create_app(world.context)
    found = set()
    for rule in app.url_map.iter_rules():
        if (
            "GET" in (rule.methods or ())
            and re.search(r"<(ref|resource_id|name)>", rule.rule)
            and "dataset" in rule.rule
        ):
            found.add(re.sub(r"<resource_id>", "{resource}", re.sub(r"<ref>", "{ref}", rule.rule)))
    return sorted(path for path in found if "<" not in path)


FILES = (
    "/dataset/{ref}/download.zip", "/dataset/{ref}/download.sh", "/dataset/{ref}/download.py", "/dataset/{ref}/SHA256SUMS",
    "/dataset/{ref}/resource/{resource}/download/data.rtdc", "/dataset/{ref}/resource/{resource}/condensed.rtdc",
    "/dataset/{ref}/resource/{resource}/preview.jpg", "/dataset/{ref}/resource/{resource}/thumbnail.webp",
    "/dataset/{ref}/resource/{resource}/columns.bin", "/dataset/{ref}/resource/{resource}/export.csv",
)  # fmt: skip


def _fetched(world: World, who: str, path: str, one: Dataset, ref: str) -> tuple[int, str, str]:
    address = world.appliance.url + path.format(ref=ref, resource=one.resource)
    answer: requests.Response = world.browsers[who].http.get(address, allow_redirects=False, timeout=DEADLINE)
    return answer.status_code, _plain(answer.headers.get("Location", ""), one), _plain(answer.text, one)


def test_pages_and_files_do_not_tell(world: World) -> None:
    hidden = [*world.datasets("private"), *world.datasets("draft"), *world.datasets("deleted")]
    addresses = [*_addresses(world), *FILES]
    assert len(addresses) > 20
    told = []
    for who in STRANGERS:
        for path in addresses:
            nothing = _missing()
            for by in ("id", "name"):
                silent = _fetched(world, who, path, nothing, getattr(nothing, by))
                told += [
                    (who, path, one.kind, seen[:2], silent[:2])
                    for one in hidden
                    if (seen := _fetched(world, who, path, one, getattr(one, by))) != silent
                ]
    assert told == []


USERS = (
    "/user/{}",
    "/user/edit/{}",
    "/user/{}/api-tokens",
    "/user/{}/sessions",
    "/user/{}/access-file",
    "/user/{}/everything.json",
)


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("path", USERS)
def test_pages_do_not_tell_who_has_an_account(world: World, path: str, who: str) -> None:
    def fetched(name: str) -> tuple[int, str]:
        answer = world.browsers[who].http.get(
            world.appliance.url + path.format(name), allow_redirects=False, timeout=DEADLINE
        )
        return answer.status_code, answer.headers.get("Location", "").replace(name, "…")

    assert fetched("founder") == fetched("nobody-of-this-name")


@pytest.mark.parametrize(
    "name",
    [
        "user_show",
        "package_collaborator_list_for_user",
        "dataset_followee_list",
        "dataset_followee_count",
        "api_token_list",
        "organization_list_for_user",
    ],
)
def test_actions_do_not_tell_strangers_who_has_an_account(world: World, name: str) -> None:
    for who in STRANGERS:
        field = "user_id" if name == "api_token_list" else "id"
        known, unknown = (world.people[who].get(name, **{field: one}) for one in ("founder", "nobody-of-this-name"))
        texts = [json.dumps(one.body).replace("nobody-of-this-name", "founder") for one in (known, unknown)]
        assert known.status == unknown.status, (who, texts)
