"""The address by which DCOR's manual cites a dataset, and names typed as phones type them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from appliance.actions import accounts, login
from appliance.model.viewer import OPERATOR
from tests.web.api.permission_fixture import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.stop()


def test_the_id_alone_leads_to_the_dataset(world: World) -> None:
    one = world.dataset("public")
    first = world.people["A"].fetch(f"/{one.id}", allow_redirects=False)
    assert (first.status_code, first.headers["Location"]) == (302, f"/dataset/{one.id}")
    assert world.people["A"].fetch(f"/{one.id}").status_code == 200


@pytest.mark.parametrize("kind", ["private", "draft"])
def test_what_is_hidden_looks_like_what_is_missing(world: World, kind: str) -> None:
    hidden = world.people["A"].fetch(f"/{world.dataset(kind).id}", allow_redirects=False)
    missing = world.people["A"].fetch("/11111111-2222-4333-8444-555555555555", allow_redirects=False)
    assert hidden.status_code == missing.status_code == 404


@pytest.mark.parametrize("typed", ["{0}", " {0}", "{1}", "{2}", "{0}@example.org", "{1}@Example.Org "])
def test_log_in_names_in_any_case(world: World, typed: str) -> None:
    name = world.user()
    accounts.change_password(world.context, OPERATOR, name, "correct-horse-battery-41")
    text = typed.format(name, name.upper(), name.capitalize())
    assert login.sign_in(world.context, text, "correct-horse-battery-41") is not None


def test_the_log_in_page_asks_phones_for_no_capitals(world: World) -> None:
    page: requests.Response = world.people["A"].fetch("/user/login")
    assert 'autocapitalize="none"' in page.text
