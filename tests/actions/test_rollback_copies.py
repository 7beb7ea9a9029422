"""Copies of the database from before an update: apart from the backups, private, few, and found again."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from appliance.actions import release_journal, rollback_copies
from appliance.settings import Settings, load
from appliance.store import data_root
from appliance.store.database import Database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data root with a database."""
    root = tmp_path / "data"
    data_root.create(root)
    found = load(root, env={})
    db = Database(found.database)
    db.create()
    db.close()
    return found


def test_copies_are_private_and_not_among_the_backups(settings: Settings) -> None:
    copy = rollback_copies.take(settings, "0.2.0")
    assert copy.parent == settings.data / "rollback"
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list((settings.data / "backups").iterdir()) == []
    with sqlite3.connect(copy) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert rollback_copies.find(settings, copy.name) == copy


def test_copies_go_after_a_day_only_and_two_of_each_kind_stay(settings: Settings) -> None:
    names = ("0.2.0", "0.3.0", "0.4.0", "reset", "rollback-from-0.3.0")
    taken = [rollback_copies.take(settings, name) for name in names]
    assert rollback_copies.sweep(settings) == []  # an update may not have proved itself yet
    for age, path in enumerate(reversed(taken)):
        os.utime(path, (time.time() - 2 * 86400 - age, time.time() - 2 * 86400 - age))
    assert rollback_copies.sweep(settings) == [taken[0]]
    assert [path.exists() for path in taken] == [False, True, True, True, True]


def test_no_copy_goes_while_an_update_is_under_way(settings: Settings) -> None:
    taken = [rollback_copies.take(settings, "0.2.0") for _ in range(4)]
    assert len(set(taken)) == 4  # within a second, too
    for path in taken:
        os.utime(path, (0, 0))
    release_journal.begin(settings, release_journal.UPDATE, "0.1.0", "0.2.0")
    assert rollback_copies.sweep(settings) == []
    release_journal.end(settings)
    assert len(rollback_copies.sweep(settings)) == 2


def test_putting_back_replaces_the_database_and_leaves_no_log_of_the_other(settings: Settings) -> None:
    copy = rollback_copies.take(settings, "before")
    with sqlite3.connect(settings.database) as conn:
        conn.execute("CREATE TABLE newer (x)")
    conn.close()
    settings.database.with_name("dcor.sqlite-wal").write_bytes(b"of the newer one")
    rollback_copies.put_back(settings, copy)
    assert not settings.database.with_name("dcor.sqlite-wal").exists()
    assert copy.exists()
    with sqlite3.connect(settings.database) as conn:
        assert conn.execute("SELECT count(*) FROM sqlite_master WHERE name = 'newer'").fetchone() == (0,)
    conn.close()


def test_what_former_releases_left_among_the_backups_moves_when_no_update_needs_it(settings: Settings) -> None:
    old, young = (settings.data / "backups" / f"before-{name}.sqlite" for name in ("0.1.0", "0.2.0"))
    for path in (old, young):
        path.write_bytes(b"plain")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    assert rollback_copies.find(settings, old.name) == old
    assert rollback_copies.move_from_backups(settings) == [settings.data / "rollback" / old.name]
    assert rollback_copies.find(settings, old.name).read_bytes() == b"plain"
    assert rollback_copies.among_backups(settings) == [young]
