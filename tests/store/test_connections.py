"""Connections to the database: as many as are needed, and few when the rush is over."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from appliance.store.database import Database


@pytest.fixture
def db(tmp_path: Path) -> Database:
    made = Database(tmp_path / "dcor.sqlite")
    made.create()
    return made


def _open(path: Path) -> int:
    """Descriptors of this process on a file."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            found += link.readlink() == path
        except FileNotFoundError:
            continue
    return found


def _rush(db: Database, count: int) -> None:
    with ExitStack() as rush:
        for _ in range(count):
            rush.enter_context(db.read()).execute("SELECT count(*) FROM user").fetchone()


def test_connections_that_nobody_uses_are_closed(db: Database, tmp_path: Path) -> None:
    _rush(db, 10)
    assert db.close_idle(3600.0) == 0
    assert db.close_idle(0.0) == 10
    assert db.close_idle(0.0) == 0
    with db.read() as conn:
        assert conn.execute("SELECT count(*) FROM user").fetchone()[0] == 0


def test_the_pool_shrinks_after_a_rush(db: Database, tmp_path: Path) -> None:
    """SQLite itself keeps descriptors of the database for as long as any connection is open, and uses them again."""
    _rush(db, 60)
    assert _open(tmp_path / "dcor.sqlite-wal") <= 20
    kept = _open(tmp_path / "dcor.sqlite")
    _rush(db, 60)
    assert _open(tmp_path / "dcor.sqlite-wal") <= 20
    assert _open(tmp_path / "dcor.sqlite") <= kept
    db.close()
    assert _open(tmp_path / "dcor.sqlite") == 0
