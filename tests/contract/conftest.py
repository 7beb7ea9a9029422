"""Contract tests talk to a service in a process of its own, as their clients do outside of tests.

With `DCOR_TEST_INSTALLED` in the environment they talk to the service that runs on that data root.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Appliance, appliance_at


@pytest.fixture
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """A fresh appliance with a clinic's settings."""
    running = appliance_at(tmp_path_factory.mktemp("appliance") / "data")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One appliance for all tests of a module that do not get in each other's way."""
    running = appliance_at(tmp_path_factory.mktemp("appliance") / "data")
    yield running
    running.stop()
