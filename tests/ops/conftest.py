"""An appliance to be damaged, and its copies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import root_marker
from tests.ops import place as places
from tests.ops.place import Place


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The one that is copied; nobody changes it."""
    return places.make(tmp_path_factory.mktemp("whole") / "place")


@pytest.fixture
def place(whole: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A copy of one's own."""
    made = places.copy(whole, tmp_path / "place")
    monkeypatch.setenv(root_marker.MACHINE_VARIABLE, str(made.machine))
    yield made
    made.clean()
