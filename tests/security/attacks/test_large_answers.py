"""No question has an answer that takes memory without a bound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.store import documents
from tests.web.api.permission_fixture import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """100 datasets that together have more than an answer may."""
    made = World()
    made.appliance.service.jobs.stop(grace=5.0)
    each = documents.MOST_TOGETHER // 90
    text = "x" * each
    found = made.datasets("private", 100, files=False)
    with made.context.db.write() as tx:
        for one in found:
            tx.execute("UPDATE dataset SET document = json_set(document, '$.notes', ?) WHERE id = ?", (text, one.id))
    yield made
    made.stop()


QUESTIONS = [
    ("package_search", {"rows": 1000, "include_private": True}),
    ("current_package_list_with_resources", {"limit": 1000}),
    ("group_package_show", {"id": "{collection}", "limit": 1000}),
    ("organization_show", {"id": "{circle}", "include_datasets": True}),
    ("group_show", {"id": "{collection}", "include_datasets": True}),
]


@pytest.mark.parametrize(("action", "given"), QUESTIONS, ids=[one[0] for one in QUESTIONS])
def test_datasets_that_are_too_many_together_are_refused(world: World, action: str, given: dict[str, object]) -> None:
    places = {"circle": world.circle, "collection": world.collection}
    given = {key: value.format(**places) if isinstance(value, str) else value for key, value in given.items()}
    answer = world.people["Ca"].post(action, **given)
    assert answer.status == 413
    assert answer.error["message"] == "The answer would be larger than 32 MiB; ask for fewer datasets at once"


def test_fewer_of_them_are_given(world: World) -> None:
    found = world.people["Ca"].post("package_search", rows=20, include_private=True).result
    assert len(found["results"]) == 20
