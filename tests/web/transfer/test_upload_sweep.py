"""Stale parts go, finished files are kept, and what is alive is left alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from appliance.model import names
from appliance.store import uploads
from appliance.store.database import Database
from appliance.store.depot import Depot

LIFETIME = 3600


@pytest.fixture
def stores(tmp_path: Path) -> tuple[Database, Depot]:
    """Database and depot without a service, whose own sweeper would be faster."""
    db = Database(tmp_path / "dcor.sqlite")
    db.create()
    return db, Depot(tmp_path)


def make(db: Database, depot: Depot, *, state: str = "open", lifetime: int = LIFETIME) -> str:
    upload_id = names.new_id()
    part = depot.new_part(upload_id)
    os.write(part.fd, b"abc")
    part.close()
    with db.write() as tx:
        uploads.create(tx, upload_id, names.new_id(), user_id="someone", kind="browser", size=3, lifetime=lifetime)
        if state == "complete":
            uploads.complete_whole(tx, upload_id, None, None)
    return upload_id


def test_sweeping(stores: tuple[Database, Depot]) -> None:
    db, depot = stores
    alive, stale, finished = (
        make(db, depot),
        make(db, depot, lifetime=-1),
        make(db, depot, state="complete", lifetime=-1),
    )
    young, old = names.new_id(), names.new_id()
    for part_id in (young, old):
        depot.new_part(part_id).close()
    os.utime(depot.part(old), (time.time() - 2 * LIFETIME,) * 2)
    foreign = depot.part(old).with_name("of an editor.part")
    foreign.touch()
    os.utime(foreign, (0, 0))
    assert set(uploads.sweep(db, depot, LIFETIME, dry_run=True)["removed"]) == {stale, old}
    assert depot.part(stale).exists()
    report = uploads.sweep(db, depot, LIFETIME)
    assert (set(report["removed"]), report["put_aside"]) == ({stale, old}, [finished])
    assert {part_id for part_id, _, _ in depot.parts()} == {alive, young}
    kept = [path for path in (depot.root / "quarantine").iterdir() if finished in path.name]
    assert [path.read_bytes() for path in kept] == [b"abc"]
    assert uploads.sweep(db, depot, LIFETIME) == {"removed": [], "put_aside": []}


def test_attached_upload_is_not_ended(stores: tuple[Database, Depot]) -> None:
    db, depot = stores
    upload_id = make(db, depot, state="complete", lifetime=-1)
    with db.write() as tx:
        row = uploads.get(tx, upload_id)
        assert row is not None
        uploads.attached(tx, row.resource_id, "a dataset")
    depot.discard_part(upload_id)
    assert uploads.sweep(db, depot, LIFETIME) == {"removed": [], "put_aside": []}
    with db.read() as conn:
        again = uploads.get(conn, upload_id)
    assert again is not None
    assert again.state == "attached"
