"""What tests of all rooms share: a running appliance and measurements to feed it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support import samples
from tests.support.server import Appliance

# Property tests hash, encrypt and ask servers; on a busy machine an example or its input may take its time.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked `soak` is slow, too: it runs only where it is asked for."""
    for item in items:
        if item.get_closest_marker("soak") is not None:
            item.add_marker(pytest.mark.slow)


def pytest_unconfigure() -> None:
    """The samples of this process go with it."""
    samples.clear()


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    """A fresh appliance with a clinic's settings."""
    running = Appliance(tmp_path / "data")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One appliance for all tests of a module that do not get in each other's way."""
    running = Appliance(tmp_path_factory.mktemp("appliance") / "data")
    yield running
    running.stop()
