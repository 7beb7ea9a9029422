"""One furnished appliance for each module of attacks."""

from __future__ import annotations

import pytest

from tests.support.furnished import House
from tests.support.server import Appliance


@pytest.fixture(scope="module")
def house(shared: Appliance) -> House:
    """People, circles, collections, and datasets in every state."""
    return House(shared)
