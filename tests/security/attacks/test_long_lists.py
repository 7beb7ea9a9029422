"""Lists of one call that are longer than anybody needs are refused before the database's writer is held for them."""

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


MANY: list[tuple[str, str, dict[str, Any]]] = [
    ("Ca", "bulk_update_public", {"org_id": "{circle}", "datasets": ["{dataset}"] * 10_000}),
    ("S", "bulk_update_private", {"org_id": "{circle}", "datasets": ["{dataset}"] * 10_000}),
    ("S", "bulk_update_delete", {"org_id": "{circle}", "datasets": ["{dataset}"] * 10_000}),
    ("U", "organization_create", {"name": "many-users", "users": [{"name": "ce"}] * 70_000}),
    ("U", "group_create", {"name": "many-users", "users": [{"name": "ce"}] * 70_000}),
    ("U", "group_create", {"name": "many-datasets", "packages": [{"id": "{dataset}"}] * 70_000}),
    ("Ca", "organization_patch", {"id": "{circle}", "users": [{"name": "ce"}] * 70_000}),
    ("Ga", "group_patch", {"id": "{collection}", "users": [{"name": "ce"}] * 70_000}),
    ("Ga", "group_patch", {"id": "{collection}", "packages": [{"id": "{dataset}"}] * 70_000}),
    ("Ce", "package_patch", {"id": "{dataset}", "tags": [{"name": "same"}] * 70_000}),
    ("Ce", "package_patch", {"id": "{dataset}", "groups": [{"id": "{collection}"}] * 70_000}),
    ("Ce", "package_patch", {"id": "{dataset}", "extras": [{"key": "k", "value": "v"}] * 70_000}),
    ("Ce", "package_patch", {"id": "{dataset}", "resources": [{"id": "{resource}"}] * 70_000}),
    ("Ce", "package_resource_reorder", {"id": "{dataset}", "order": ["{resource}"] * 70_000}),
]


@pytest.mark.parametrize(("who", "action", "given"), MANY, ids=[f"{one[1]}-{list(one[2])[-1]}" for one in MANY])
def test_a_long_list_is_refused_and_noted_once_at_most(
    world: World, who: str, action: str, given: dict[str, Any]
) -> None:
    one = world.dataset("draft")
    places = {"circle": world.circle, "collection": world.collection, "dataset": one.id, "resource": one.resource}
    before = entries(world)
    answer = world.people[who].post(action, **filled(given, places))
    assert answer.status in (409, 400)
    assert entries(world) <= before + 5  # and what jobs note meanwhile


def test_what_is_named_twice_is_done_once(world: World) -> None:
    one = world.dataset("draft")
    before = entries(world)
    assert world.people["Ca"].post("bulk_update_public", org_id=world.circle, datasets=[one.id] * 50).status == 200
    assert entries(world) <= before + 5


def entries(world: World) -> int:
    """Number of entries of the audit log."""
    with world.context.db.read() as conn:
        return int(conn.execute("SELECT count(*) FROM audit").fetchone()[0])


def filled(value: Any, places: dict[str, str]) -> Any:
    """The values with ids for their names."""
    if isinstance(value, str):
        return value.format(**places)
    if isinstance(value, list):
        return [filled(value[0], places)] * len(value)
    return {key: filled(one, places) for key, one in value.items()} if isinstance(value, dict) else value
