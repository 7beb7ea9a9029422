"""Worlds for tests of the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.api.permission_fixture import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One world for a module; each test takes fresh datasets from it."""
    made = World()
    yield made
    made.stop()
