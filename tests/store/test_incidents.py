"""Incidents are folded by cause, so that nobody can write thousands of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.store import incidents
from appliance.store.database import Database
from appliance.store.incidents import Incidents


@pytest.fixture
def db(tmp_path: Path) -> Database:
    made = Database(tmp_path / "dcor.sqlite")
    made.create()
    return made


def _fail(number: int) -> Exception:
    try:
        raise ValueError(f"attempt {number}")
    except ValueError as error:
        return error


def _other() -> Exception:
    try:
        raise ValueError("elsewhere")
    except ValueError as error:
        return error


def test_the_same_cause_keeps_its_number_and_commits_once(db: Database) -> None:
    found = Incidents(db)
    first = found.record("GET /x", _fail(0))
    generation = db.generation()
    assert {found.record(f"GET /{number}", _fail(number)) for number in range(50)} == {first}
    assert db.generation() == generation
    with db.read() as conn:
        assert [row["id"] for row in incidents.latest(conn)] == [first]


def test_another_cause_is_another_incident(db: Database) -> None:
    found = Incidents(db)
    numbers = {found.record("GET /x", _fail(0)), found.record("GET /x", _other())}
    with db.read() as conn:
        assert {row["id"] for row in incidents.latest(conn)} == numbers
        assert all("ValueError" in (incidents.get(conn, number) or {})["trace"] for number in numbers)
