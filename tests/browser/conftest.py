"""A browser for the module, a fresh profile for each test, and one furnished appliance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.security.limits import Limiter
from tests.browser import chromium
from tests.support.every_state import Showroom
from tests.support.furnished import PASSWORD, House
from tests.support.server import Appliance


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if chromium.executable() is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium is installed"))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A furnished appliance."""
    appliance = Appliance(tmp_path_factory.mktemp("house") / "data")
    yield House(appliance)
    appliance.stop()


@pytest.fixture(scope="session")
def running() -> Iterator[Any]:
    """The browser."""
    with chromium.browser() as browser:
        yield browser


def is_fault(message: Any) -> bool:
    """Is this console message a mistake of ours? (Refused requests and lost connections are part of some tests.)"""
    return message.type == "error" and not message.text.startswith("Failed to load resource")


@pytest.fixture(scope="session")
def showroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showroom]:
    """An appliance in which everything has happened once."""
    made = Showroom(tmp_path_factory.mktemp("showroom"))
    yield made
    made.appliance.stop()


@pytest.fixture
def open_page(running: Any, house: House) -> Iterator[Callable[..., Any]]:
    """``open_page("ada", width=1280)`` → a page in a fresh profile, signed in; faults in the console fail the test."""
    yield from _opener(running, house)


@pytest.fixture
def open_in_showroom(running: Any, showroom: Showroom) -> Iterator[Callable[..., Any]]:
    """The same in the showroom."""
    yield from _opener(running, showroom)


def _opener(running: Any, house: House) -> Iterator[Callable[..., Any]]:
    contexts, faults = [], []

    def make(
        name: str = "", *, width: int = 1280, theme: str = "light", language: str = "en-GB", scripts: bool = True
    ) -> Any:
        context = running.new_context(
            ignore_https_errors=True,
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            locale=language,
            java_script_enabled=scripts,
            base_url=house.appliance.url,
            accept_downloads=True,
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if is_fault(message) else None)
        if name:
            house.appliance.context.limiter = Limiter()  # so many tests sign in that the last ones would have to wait
            page.goto("/user/login")
            page.get_by_label("User name or e-mail" if language.startswith("en") else "Benutzername oder E-Mail").fill(
                name
            )
            page.locator("#f-password").fill(PASSWORD)
            page.locator("main button").click()
            page.wait_for_url("**/")
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []
