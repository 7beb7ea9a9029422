"""Files of this machine become resources, all of them or none."""

from __future__ import annotations

import os
import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from appliance.actions import communities, datasets, ingest
from appliance.actions.site import Site
from appliance.model import names
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.settings import Settings
from appliance.store import resources
from appliance.store.database import Database
from appliance.store.depot import Depot


@pytest.fixture
def site(tmp_path: Path) -> Site:
    db = Database(tmp_path / "dcor.sqlite")
    db.create()
    return Site(Settings(), db, Depot(tmp_path))


@pytest.fixture
def dataset(site: Site) -> str:
    communities.create(site, OPERATOR, "circle", {"name": "lab"})
    values = {"title": "T", "authors": "A", "license_id": "CC0-1.0", "owner_org": "lab"}
    return datasets.create(site, OPERATOR, values)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def listed(site: Site, dataset: str) -> list[str]:
    with site.db.read() as conn:
        return [row["name"] for row in resources.of_dataset(conn, dataset)]


def test_a_file_in_the_place_of_a_new_one_is_not_lost(site: Site, dataset: str, tmp_path: Path) -> None:
    """An id that is taken fails, and what lies there stays: a row without its file is what must never happen."""
    taken = names.new_id()
    first = ingest.File(written(tmp_path / "one.txt", "first"), "one.txt", resource_id=taken)
    assert ingest.add_files(site, OPERATOR, dataset, [first]) == [taken]
    second = ingest.File(written(tmp_path / "two.txt", "second"), "two.txt", resource_id=taken)
    with pytest.raises(FileExistsError):
        ingest.add_files(site, OPERATOR, dataset, [second])
    assert site.depot.path(taken).read_text() == "first"
    assert listed(site, dataset) == ["one.txt"]
    assert list(site.depot.parts()) == []


def test_of_several_files_all_are_added_or_none(site: Site, dataset: str, tmp_path: Path) -> None:
    good = ingest.File(written(tmp_path / "one.txt", "first"), "one.txt")
    with pytest.raises(Problem, match="already exists"):
        ingest.add_files(site, OPERATOR, dataset, [good, good])
    assert listed(site, dataset) == []
    assert [path for path in (site.depot.root / "depot").rglob("*") if path.is_file()] == []


def test_a_file_that_is_not_as_long_as_it_said_is_refused(site: Site, dataset: str) -> None:
    growing = Path("/proc/self/status")  # says that it is empty, and is not
    with pytest.raises(Problem, match="changed while it was being read"):
        ingest.add_files(site, OPERATOR, dataset, [ingest.File(growing, "status.txt")])
    assert list(site.depot.parts()) == []


def test_the_bytes_are_on_disk_before_the_writer_is_held(
    site: Site, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow disk must not keep everybody else from writing: what an import copied is synced before its transaction."""
    order: list[str] = []
    sync, write = os.fsync, site.db.write

    def noting_sync(handle: int) -> None:
        """Note a part that goes to the disk."""
        if Path(f"/proc/self/fd/{handle}").readlink().suffix == ".part":
            order.append("sync")
        sync(handle)

    def noting_write() -> AbstractContextManager[sqlite3.Connection]:
        """Note the transaction."""
        order.append("transaction")
        return write()

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(site.db, "write", noting_write)
    files = [ingest.File(written(tmp_path / name, name), name) for name in ("one.txt", "two.txt")]
    ingest.add_files(site, OPERATOR, dataset, files)
    assert order[:3] == ["sync", "sync", "transaction"]
