"""People and files for tests of transfers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from appliance.store import resources
from tests.support.server import Appliance, Person


class Ward:
    """A circle with an editor, a stranger, and a draft with a file."""

    def __init__(self, appliance: Appliance, folder: Path, size: int = 700_001) -> None:
        self.appliance = appliance
        self.editor: Person = appliance.person("editor")
        self.stranger: Person = appliance.person("stranger")
        self.circle = self.editor.circle("ward")
        self.draft = self.editor.draft("ward", private=True)
        self.content = os.urandom(size)
        path = folder / "notes.txt"
        path.write_bytes(self.content)
        self.resource: dict[str, Any] = self.editor.add(self.draft["id"], path)

    @property
    def base(self) -> str:
        """Address of the resource's files."""
        return f"/dataset/{self.draft['id']}/resource/{self.resource['id']}"


def stored_crc32(ward: Any, resource_id: str) -> int | None:
    """What is noted of a resource's file."""
    with ward.appliance.context.db.read() as conn:
        row = resources.get(conn, resource_id)
    assert row is not None
    return None if row["crc32"] is None else int(row["crc32"])


@pytest.fixture(scope="module")
def ward(shared: Appliance, tmp_path_factory: pytest.TempPathFactory) -> Ward:
    """One for all tests of a module."""
    return Ward(shared, tmp_path_factory.mktemp("ward"))
