"""Signing in and out at a real, certified OpenID provider with a real browser, which keeps to its own rules about cookies and redirections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from appliance.store import identities, users
from tests.browser.conftest import is_fault
from tests.web.pages.test_real_provider import Clinic

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    made = Clinic(tmp_path_factory.mktemp("clinic"))
    yield made
    made.appliance.stop()
    made.provider.stop()


@pytest.fixture
def page(running: Any, clinic: Clinic) -> Iterator[Any]:
    """A page in a fresh profile."""
    context = running.new_context(ignore_https_errors=True, base_url=clinic.appliance.url, locale="en-GB")
    context.set_default_timeout(60_000)
    made, faults = context.new_page(), []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("console", lambda told: faults.append(told.text) if is_fault(told) and is_ours(made, clinic) else None)
    yield made
    context.close()
    assert faults == []


def is_ours(page: Any, clinic: Clinic) -> bool:
    """Is the page one of this server, rather than the provider's?"""
    return str(page.url).startswith(clinic.appliance.url)


def sign_in(page: Any, clinic: Clinic, login: str) -> None:
    """From the log-in page through the provider's forms, and back."""
    page.goto("/user/login?next=/dataset")
    page.locator("a[href*='/user/login/oidc']").click()
    page.wait_for_url(f"{clinic.provider.url}/**")
    while not is_ours(page, clinic):
        if page.locator("input[name=login]").count():
            page.locator("input[name=login]").fill(login)
            page.locator("input[name=password]").fill("any")
        here = page.url
        page.locator("button[type=submit]").first.click()
        page.wait_for_url(lambda url, before=here: url != before)


def test_sign_in_look_and_sign_out_at_both(page: Any, clinic: Clinic) -> None:
    clinic.hire("carla", "editors")
    sign_in(page, clinic, "carla")
    assert page.url == f"{clinic.appliance.url}/dataset"
    with clinic.context.db.read() as conn:
        row = users.find(conn, "carla")
        assert row is not None
        assert identities.memberships(conn, row["id"])
    page.goto("/user/edit/carla")
    assert page.get_by_text("come from your institution").count() == 1
    page.evaluate("document.querySelector('form[action=\"/user/logout\"] button').click()")
    page.wait_for_url(f"{clinic.provider.url}/session/end**")
    page.locator("button[value=yes]").click()
    page.wait_for_url(f"{clinic.appliance.url}/user/login**")
    page.goto("/user/edit/carla")
    assert "/user/login" in page.url or page.get_by_text("come from your institution").count() == 0
    sign_in_again = page.goto("/user/login?next=/dataset")
    assert sign_in_again.ok
    page.locator("a[href*='/user/login/oidc']").click()
    page.wait_for_url(f"{clinic.provider.url}/**")
    assert page.locator("input[name=login]").count() == 1, "the session there has ended, too"


def test_who_is_in_no_group_gets_no_account_and_is_told_so(page: Any, clinic: Clinic) -> None:
    clinic.hire("dora", "choir")
    sign_in(page, clinic, "dora")
    assert page.locator("[role=alert], .notice, .alert, main").first.inner_text().strip()
    assert page.locator("form[action='/user/logout']").count() == 0
    with clinic.context.db.read() as conn:
        assert users.find(conn, "dora") is None
