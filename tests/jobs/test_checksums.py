"""Checksums of files that came without them."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest

from appliance.jobs.missing import run_missing
from appliance.store import datasets, resources

from .conftest import Appliance


@pytest.mark.parametrize("lacking", ["crc32", "sha256"])
def test_the_nightly_run_fills_in_what_is_missing(appliance: Appliance, tmp_path: Path, lacking: str) -> None:
    """As after the update of a release that noted no CRC-32. Nothing that clients know of changes by that alone."""
    content = b"some notes" * 1000
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    dataset_id = appliance.dataset()
    resource_id = appliance.add(dataset_id, path)
    assert appliance.states(resource_id) == {}, "all of it was known from the upload"
    with appliance.db.write() as tx:
        tx.execute(f"UPDATE resource SET {lacking} = NULL WHERE id = ?", (resource_id,))
        before = datasets.find(tx, dataset_id)
    assert len(run_missing(appliance.db, appliance.settings)) == 1
    appliance.run_all()
    with appliance.db.read() as conn:
        row, after = resources.get(conn, resource_id), datasets.find(conn, dataset_id)
    assert row is not None
    assert before is not None
    assert after is not None
    assert (row["sha256"], row["crc32"]) == (hashlib.sha256(content).hexdigest(), zlib.crc32(content))
    assert (before["modified"] == after["modified"]) == (lacking == "crc32")
