"""One furnished appliance for all tests of the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.furnished import House
from tests.support.server import Appliance


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A furnished appliance; tests that change things make their own datasets."""
    appliance = Appliance(tmp_path_factory.mktemp("house") / "data")
    yield House(appliance)
    appliance.stop()
