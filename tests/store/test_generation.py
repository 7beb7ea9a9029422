"""The generation tells whether anybody committed, and watching it takes no lock away from SQLite."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.store.database import Database

_COMMIT = """
import sqlite3, sys
conn = sqlite3.connect(sys.argv[1])
conn.execute("CREATE TABLE other (id)")
conn.commit()
"""
_TRUNCATE = """
import sqlite3, sys
conn = sqlite3.connect(sys.argv[1], timeout=0)
print(conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
"""


@pytest.fixture
def db(tmp_path: Path) -> Database:
    database = Database(tmp_path / "dcor.sqlite")
    database.create()
    return database


def test_it_stays_while_nobody_commits(db: Database) -> None:
    before = db.generation()
    with db.read() as conn:
        conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    assert db.generation() == before


def test_each_commit_changes_it(db: Database) -> None:
    seen = {db.generation()}
    for number in range(20):
        with db.write() as tx:
            tx.execute(f"CREATE TABLE t{number} (id)")
        seen.add(db.generation())
    assert len(seen) == 21


def test_a_rolled_back_transaction_does_not(db: Database) -> None:
    before = db.generation()
    with pytest.raises(sqlite3.OperationalError), db.write() as tx:
        tx.execute("CREATE TABLE t (id)").execute("no SQL")
    assert db.generation() == before


def test_a_commit_of_another_process_changes_it(db: Database) -> None:
    before = db.generation()
    subprocess.run([sys.executable, "-c", _COMMIT, str(db.path)], check=True)
    assert db.generation() != before


def test_closing_one_database_object_leaves_the_locks_of_another_alone(db: Database) -> None:
    """A reader in mid-transaction keeps other processes from starting the log anew, which would change what it reads."""
    db.generation()
    other = Database(db.path)
    other.generation()
    with db.write() as tx:
        tx.execute("CREATE TABLE t (id)")
    with db.snapshot() as conn:
        conn.execute("SELECT count(*) FROM t").fetchone()
        other.close()
        done = subprocess.run(
            [sys.executable, "-c", _TRUNCATE, str(db.path)], check=True, capture_output=True, text=True
        )
        assert done.stdout.strip() == "1", "the log was taken from under a reader"


def test_after_closing_it_can_be_asked_again(db: Database) -> None:
    db.generation()
    db.close()
    before = db.generation()
    with sqlite3.connect(db.path) as conn:
        conn.execute("CREATE TABLE t (id)")
    assert db.generation() != before
