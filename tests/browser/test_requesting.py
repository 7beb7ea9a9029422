"""From a link that leads nowhere to access: the request, the bell of the circle's admin, the grant, the bell of the asker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import axe
from tests.support.furnished import House

Open = Callable[..., Any]


@pytest.mark.parametrize("scripts", [True, False])
def test_access_is_requested_granted_and_told(house: House, open_page: Open, scripts: bool) -> None:
    title = f"Requested with{'' if scripts else 'out'} scripts"
    made, _file = house.dataset(title, activate=True, private=True)
    kim = open_page("kim", scripts=scripts)
    kim.goto(f"/dataset/{made['id']}")
    kim.get_by_text("Request access", exact=True).click()
    assert not scripts or axe.source() is None or axe.violations(kim) == []
    kim.get_by_label("Message").fill("For our comparison")
    kim.get_by_role("button", name="Send request").click()
    kim.get_by_role("heading", name="Request sent").wait_for()
    ada = open_page("ada")
    ada.get_by_role("link", name="Notifications, some are new").click()
    ada.get_by_role("link", name=title).click()
    assert axe.source() is None or axe.violations(ada) == []
    ada.locator("section", has_text=title).get_by_role("button", name="Grant access").click()
    ada.get_by_text("Access granted.").wait_for()
    kim.goto("/notifications")
    kim.get_by_role("link", name=title).click()
    assert kim.get_by_role("heading", name=title).is_visible()
