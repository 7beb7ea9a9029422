"""Texts alone do not fill the volume: whatever stores them leaves the reserve free; what takes away or protects goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.api.permission_fixture import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.stop()


@pytest.fixture
def full(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less room than the reserve."""
    monkeypatch.setattr(type(world.context.depot), "free", lambda _self: world.context.settings.depot.reserve - 1)


STORES: list[tuple[str, str, dict[str, Any]]] = [
    ("Ce", "package_create", {"title": "x", "authors": "A", "license_id": "CC0-1.0", "owner_org": "{circle}"}),
    ("Ce", "package_patch", {"id": "{dataset}", "notes": "x"}),
    ("Ce", "package_patch", {"id": "{dataset}", "tags": [{"name": "more"}]}),
    ("Ce", "package_patch", {"id": "{dataset}", "extras": [{"key": "k", "value": "v"}]}),
    ("Ce", "package_revise", {"match": {"id": "{dataset}"}, "update": {"title": "x"}}),
    ("U", "organization_create", {"name": "one-more", "description": "x"}),
    ("U", "group_create", {"name": "one-more", "description": "x"}),
    ("Ca", "organization_patch", {"id": "{circle}", "description": "x"}),
    ("Ga", "group_patch", {"id": "{collection}", "description": "x"}),
]
GOES_ON: list[tuple[str, str, dict[str, Any]]] = [
    ("Ce", "package_patch", {"id": "{dataset}", "license_id": "CC0-1.0"}),
    ("Ce", "package_delete", {"id": "{dataset}"}),
    ("Ca", "organization_member_delete", {"id": "{circle}", "username": "cm"}),
    ("Cm", "api_token_create", {"user": "cm", "name": "one"}),
]


@pytest.mark.parametrize(("who", "action", "given"), STORES, ids=[f"{one[1]}-{list(one[2])[-1]}" for one in STORES])
def test_texts_leave_the_reserve_free(world: World, full: None, who: str, action: str, given: dict[str, Any]) -> None:
    answer = asked(world, who, action, given)
    assert answer.status == 507
    assert answer.error["message"] == "The data volume has become too full. Nothing was stored; tell the administrator."


@pytest.mark.parametrize(("who", "action", "given"), GOES_ON, ids=[one[1] for one in GOES_ON])
def test_what_takes_away_or_protects_goes_on(
    world: World, full: None, who: str, action: str, given: dict[str, Any]
) -> None:
    assert asked(world, who, action, given).status == 200


def asked(world: World, who: str, action: str, given: dict[str, Any]) -> Any:
    """Ask for an action with ids for their names."""
    one = world.dataset("draft")
    places = {"circle": world.circle, "collection": world.collection, "dataset": one.id}
    return world.people[who].post(action, **filled(given, places))


def filled(value: Any, places: dict[str, str]) -> Any:
    """The values with ids for their names."""
    if isinstance(value, dict):
        return {key: filled(one, places) for key, one in value.items()}
    return value.format(**places) if isinstance(value, str) else value
