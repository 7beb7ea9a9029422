"""The writer goes to whoever has used it least, transactions end in time, and reading does too."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.model.problem import Problem
from appliance.store import connections, database
from appliance.store.database import Database
from appliance.store.fair_lock import FairLock, work_for
from appliance.store.recent_use import RecentUse
from tests.support.waiting import wait_for

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "dcor.sqlite")
    made.create()
    yield made
    work_for(None)
    made.close()


def _order(lock: FairLock, callers: list[str]) -> list[str]:
    """The order in which threads of these callers, who began to wait one after the other, get a lock that is held now."""
    order: list[str] = []

    def use(who: str) -> None:
        assert lock.acquire(who, 20)
        order.append(who)
        lock.release()

    threads = []
    for number, who in enumerate(callers, 1):
        threads.append(threading.Thread(target=use, args=(who,)))
        threads[-1].start()
        wait_for(lambda number=number: len(lock._waiting) == number)
    lock.release()
    for thread in threads:
        thread.join()
    return order


def test_a_newcomer_goes_before_whoever_has_used_much() -> None:
    lock = FairLock()
    assert lock.acquire("greedy")
    assert _order(lock, ["greedy", "greedy", "greedy", "honest"])[0] == "honest"


def test_among_equals_it_is_first_come_first_served() -> None:
    lock = FairLock()
    assert lock.acquire(None)
    assert _order(lock, ["a", "b", "c"]) == ["a", "b", "c"]


def test_use_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    use = RecentUse()
    use.charge("early", 1.0)
    monkeypatch.setattr(time, "monotonic", lambda: now + 600)
    use.charge("late", 0.5)
    assert use.by("early") < use.by("late") == 0.5
    assert use.by(None) == 0.0


def test_waiting_ends_and_leaves_nothing() -> None:
    lock = FairLock()
    assert lock.acquire("a")
    assert not lock.acquire("b", 0.01)
    lock.release()
    assert lock.acquire("c", 0)
    lock.release()


def test_whoever_cannot_get_the_writer_is_told_so(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WRITER_WAIT", 0.01)
    told: list[int] = []

    def other() -> None:
        work_for("bob")
        try:
            with db.write():
                pass
        except Problem as problem:
            told.append(problem.status)

    with db.write():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert told == [503]


@pytest.mark.parametrize("statement", ["one long", "many short"])
def test_a_transaction_that_takes_too_long_is_undone(
    db: Database, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    monkeypatch.setattr(database, "TRANSACTION", 0.05)
    work_for("ada")

    def change() -> None:
        with db.write() as tx:
            tx.execute("CREATE TABLE t (id)")
            if statement == "one long":
                tx.execute(_ENDLESS).fetchone()
            while True:
                tx.execute("SELECT 1").fetchone()

    with pytest.raises(Problem, match="smaller parts") as refused:
        change()
    assert refused.value.status == 503
    with db.write() as tx:
        assert tx.execute("SELECT count(*) FROM sqlite_schema WHERE name = 't'").fetchone()[0] == 0


def test_a_statement_that_reads_too_long_is_stopped(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "STATEMENT", 0.05)
    work_for("ada")
    with pytest.raises(Problem, match="ask for less") as refused, db.read() as conn:
        conn.execute(_ENDLESS).fetchone()
    assert refused.value.status == 503
    with db.read() as conn:
        assert conn.execute("SELECT 1").fetchone()[0] == 1


def test_the_service_itself_has_no_limit(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "TRANSACTION", 0.0)
    monkeypatch.setattr(database, "STATEMENT", 0.0)
    limited = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT count(*) FROM n"
    with db.write() as tx:
        assert tx.execute(limited).fetchone()[0] == 200_000
    with db.read() as conn:
        assert conn.execute(limited).fetchone()[0] == 200_000


def test_what_is_put_off_is_done_once_before_the_commit(db: Database) -> None:
    done: list[str] = []
    with db.write() as tx:
        for _ in range(3):
            connections.put_off(tx, "a", lambda: done.append("a"))
        assert done == []
    assert done == ["a"]


def test_what_is_put_off_is_dropped_with_its_transaction(db: Database) -> None:
    done: list[str] = []

    def change() -> None:
        with db.write() as tx:
            connections.put_off(tx, "a", lambda: done.append("a"))
            raise Problem(409, "no")

    with pytest.raises(Problem):
        change()
    with db.write():
        pass
    assert done == []
