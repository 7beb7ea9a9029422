"""What each of CKAN's autocomplete actions answers: the values, their order, how many, and nothing of what is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.api.permission_fixture import World

_FIELDS = {"authors": "A", "license_id": "CC0-1.0"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A site with circles, collections, datasets, tags and files of known names, some of them private."""
    made = World()
    admin = made.people["S"]
    for action, name, title in (
        ("organization_create", "lab-dresden", "Guck Lab"),
        ("organization_create", "lab-erlangen", "Physik und Medizin"),
        ("group_create", "beads", "Calibration"),
        ("group_create", "cells", "Blood cells, beads not"),
    ):
        admin.post(action, name=name, title=title).result  # noqa: B018
    for name, fullname in (("alovelace", "Ada Lovelace"), ("cbabbage", "Charles Babbage"), ("lbyron", "Lord Byron")):
        admin.post("user_create", name=name, fullname=fullname, email=f"{name}@example.org").result  # noqa: B018
    for name, title, tags, private, files in (
        ("granulocytes-1", "Granulocytes of mice", ["mouse", "blood"], False, ["a.csv", "b.csv", "c.tsv"]),
        ("granulocytes-2", "Granulocytes of men", ["blood"], False, ["d.csv"]),
        ("secret-granules", "Granules nobody knows", ["mousetrap"], True, ["e.cdr"]),
    ):
        sent = _FIELDS | {"name": name, "title": title, "private": private, "owner_org": "lab-dresden"}
        package = admin.post("package_create", **sent, tags=[{"name": tag} for tag in tags]).result
        for file in files:
            admin.upload("resource_create", {"package_id": package["id"]}, "upload", file, b"1").result  # noqa: B018
    yield made
    made.stop()


def _names(found: Any) -> list[str]:
    return [one["name"] for one in found]


@pytest.mark.parametrize(
    ("asked", "formats"),
    [
        ({"q": "cs"}, ["csv"]),
        ({"q": "CS"}, ["csv"]),
        ({"q": "sv"}, ["csv", "tsv"]),
        ({"q": "s", "limit": 1}, ["csv"]),
        ({"q": "s", "limit": 0}, []),
        ({"q": "cdr"}, []),
        ({"q": "nothing"}, []),
        ({"q": "%"}, []),
    ],
)
def test_formats(world: World, asked: dict[str, Any], formats: list[str]) -> None:
    assert world.people["U"].get("format_autocomplete", **asked).result == formats


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"q": "granulocytes"}, ["granulocytes-1", "granulocytes-2"]),
        ({"q": "gran mic"}, ["granulocytes-1"]),
        ({"q": "ulocytes"}, ["granulocytes-1", "granulocytes-2"]),
        ({"q": "ecre"}, []),
        ({"q": "GRAN"}, ["granulocytes-1", "granulocytes-2"]),
        ({"q": "granulocytes", "limit": 1}, ["granulocytes-1"]),
        ({"q": "secret"}, []),
        ({"q": "nobody"}, []),
    ],
)
def test_packages(world: World, asked: dict[str, Any], names: list[str]) -> None:
    found = world.people["U"].get("package_autocomplete", **asked).result
    assert sorted(_names(found)) == names or (asked.get("limit") == 1 and len(found) == 1)


def test_packages_say_what_matched(world: World) -> None:
    assert world.people["U"].get("package_autocomplete", q="mice").result == [
        {
            "name": "granulocytes-1",
            "title": "Granulocytes of mice",
            "match_field": "title",
            "match_displayed": "Granulocytes of mice (granulocytes-1)",
        }
    ]
    assert world.people["U"].get("package_autocomplete", q="granulocytes-2").result == [
        {
            "name": "granulocytes-2",
            "title": "Granulocytes of men",
            "match_field": "name",
            "match_displayed": "granulocytes-2",
        }
    ]
    assert _names(world.people["S"].get("package_autocomplete", q="secret").result) == ["secret-granules"]


@pytest.mark.parametrize(
    ("asked", "tags"),
    [
        ({"query": "blo"}, ["blood"]),
        ({"q": "blo"}, ["blood"]),
        ({"q": "OO"}, ["blood"]),
        ({"q": "o"}, ["blood", "mouse"]),
        ({"q": "o", "limit": 1}, ["blood"]),
        ({"q": "o", "offset": 1}, ["mouse"]),
        ({"q": "trap"}, []),
    ],
)
def test_tags(world: World, asked: dict[str, Any], tags: list[str]) -> None:
    assert world.people["U"].get("tag_autocomplete", **asked).result == tags


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"q": "lovelace"}, ["alovelace"]),
        ({"q": "ADA"}, ["alovelace"]),
        ({"q": "babb"}, ["cbabbage"]),
        ({"q": "byron", "limit": 0}, []),
        ({"q": "lbyron@example.org"}, []),
        ({"q": "no such person"}, []),
    ],
)
def test_users(world: World, asked: dict[str, Any], names: list[str]) -> None:
    found = world.people["U"].get("user_autocomplete", **asked).result
    assert _names(found) == names
    assert all(one.keys() == {"id", "name", "fullname"} for one in found)


def test_users_are_for_users(world: World) -> None:
    assert world.people["A"].get("user_autocomplete", q="ada").status == 403
    assert _names(world.people["S"].get("user_autocomplete", q="lbyron@example.org").result) == ["lbyron"]


@pytest.mark.parametrize(
    ("action", "asked", "names"),
    [
        ("organization_autocomplete", {"q": "lab"}, ["lab-dresden", "lab-erlangen"]),
        ("organization_autocomplete", {"q": "guck"}, ["lab-dresden"]),
        ("organization_autocomplete", {"q": "MEDIZIN"}, ["lab-erlangen"]),
        ("organization_autocomplete", {"q": "lab", "limit": 1}, ["lab-dresden"]),
        ("organization_autocomplete", {"q": "beads"}, []),
        ("group_autocomplete", {"q": "beads"}, ["beads", "cells"]),
        ("group_autocomplete", {"q": "blood"}, ["cells"]),
        ("group_autocomplete", {"q": "lab"}, []),
    ],
)
def test_communities(world: World, action: str, asked: dict[str, Any], names: list[str]) -> None:
    found = world.people["U"].get(action, **asked).result
    assert _names(found) == names
    assert all(one.keys() == {"id", "name", "title"} for one in found)


@pytest.mark.parametrize(
    "action",
    [
        "format_autocomplete",
        "group_autocomplete",
        "organization_autocomplete",
        "package_autocomplete",
        "user_autocomplete",
    ],
)
def test_what_is_looked_for_has_to_be_said(world: World, action: str) -> None:
    assert world.people["U"].get(action).error == {"q": ["Missing value"]}
    assert list(world.people["U"].get(action, q="a", limit="many").error) == ["limit"]
