"""With whom one dataset is shared as an editor, that person edits it; what cannot be undone is for the editors of its circle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.actions import accounts
from appliance.model.viewer import OPERATOR
from tests.support.furnished import PASSWORD, Visitor
from tests.web.api.permission_fixture import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.stop()


@pytest.mark.parametrize("action", ["package_patch", "package_update", "package_revise"])
@pytest.mark.parametrize("kind", ["private", "draft"])
def test_a_guest_makes_nothing_public(world: World, action: str, kind: str) -> None:
    one = world.dataset(kind)
    with world.context.db.write() as tx:
        tx.execute("UPDATE dataset SET private = 1 WHERE id = ?", (one.id,))
    refused = asked(world, "Ke", action, one.id, private=False)
    assert refused == (
        403,
        f"Access denied: User ke not authorized to make package {one.id} public: only editors of its circle may",
    )
    assert asked(world, "Ce", action, one.id, private=False)[0] == 200


@pytest.mark.parametrize("action", ["package_patch", "package_update", "package_revise"])
def test_a_guest_activates_no_public_draft(world: World, action: str) -> None:
    one = world.dataset("open")
    assert "only editors of its circle may" in asked(world, "Ke", action, one.id, state="active")[1]
    assert world.people["U"].get("package_show", id=one.id).status in (403, 404)
    assert asked(world, "Ce", action, one.id, state="active")[0] == 200


@pytest.mark.parametrize("kind", ["private", "draft", "open", "public"])
def test_a_guest_gives_no_other_licence(world: World, kind: str) -> None:
    one = world.dataset(kind)
    with world.context.db.write() as tx:
        tx.execute("UPDATE dataset SET license_id = 'CC-BY-4.0' WHERE id = ?", (one.id,))
    assert "only editors of its circle may" in asked(world, "Ke", "package_patch", one.id, license_id="CC0-1.0")[1]
    assert asked(world, "Ce", "package_patch", one.id, license_id="CC0-1.0")[0] == 200


def test_the_page_offers_a_guest_no_activation_of_a_public_draft(world: World) -> None:
    one = world.dataset("open")
    accounts.change_password(world.context, OPERATOR, "ke", PASSWORD)
    page = Visitor(world.appliance, "ke").page(f"/dataset/{one.id}/activate")
    assert "only editors of its circle may activate it" in page
    assert "Activate permanently" not in page


def asked(world: World, who: str, action: str, dataset: str, **values: object) -> tuple[int, str]:
    """Change a dataset by one of the ways; status and message."""
    person = world.people[who]
    if action == "package_update":
        values = person.get("package_show", id=dataset).result | values
    given = {"match": {"id": dataset}, "update": values} if action == "package_revise" else {"id": dataset} | values
    answer = person.post(action, **given)
    return answer.status, str(answer.error.get("message", "")) if answer.status != 200 else ""
