"""Requests that wait for something else, or that one user sends in great number, keep nobody from other pages or the API."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from appliance.model.problem import Problem
from appliance.store.database import Database
from appliance.store.fair_lock import work_for
from appliance.web import fair_slots, wsgi
from appliance.web.fair_slots import FairSlots, let_others, without_slot
from appliance.web.http import Headers, Request
from appliance.web.pages.dataset import measurements
from tests.support.furnished import PASSWORD, Visitor
from tests.support.samples import synthetic
from tests.support.server import Answer, Appliance, Person


def pages(behaviour: Callable[[], Any], at_once: int) -> Callable[[str, str], int]:
    """Ask for a page as somebody at an address; the page at "/slow" does what `behaviour` does."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            behaviour()
        start_response("200 OK", [])
        return [b"x"]

    handler = wsgi.pages_route(application, at_once=at_once, keeps=False).handler

    def ask(path: str, client: str) -> int:
        asked = Request("GET", path, path, "", Headers(), client=client, host="localhost")
        return handler(None, asked, None).status  # type: ignore[arg-type]

    return ask


@pytest.mark.parametrize("addresses", [1, 5])
def test_a_page_that_waits_for_the_look_into_a_file_holds_no_slot(addresses: int) -> None:
    gate, begun = threading.Event(), threading.Semaphore(0)

    def sanity() -> None:
        begun.release()
        assert gate.wait(30)

    ask = pages(without_slot(sanity), at_once=4)
    with ThreadPoolExecutor(5) as threads:
        activations = [threads.submit(ask, "/slow", f"192.0.2.{n % addresses + 1}") for n in range(5)]
        try:
            assert all(begun.acquire(timeout=20) for _ in activations)  # all five wait, with four slots
            assert ask("/", "198.51.100.1") == 200
        finally:
            gate.set()
        assert [one.result(20) for one in activations] == [200] * 5


def test_one_caller_leaves_a_slot_for_others() -> None:
    gate, begun = threading.Event(), threading.Semaphore(0)

    def slow() -> None:
        begun.release()
        assert gate.wait(30)

    ask = pages(slow, at_once=4)
    with ThreadPoolExecutor(6) as threads:
        greedy = [threads.submit(ask, "/slow", "192.0.2.1") for _ in range(6)]
        try:
            assert all(begun.acquire(timeout=20) for _ in range(3))
            assert ask("/", "198.51.100.1") == 200
        finally:
            gate.set()
        assert [one.result(20) for one in greedy] == [200] * 6


def test_whoever_waits_too_long_is_told() -> None:
    slots = FairSlots(1, share=1, patience=0.0)
    with slots.held("one"), ThreadPoolExecutor(1) as threads:

        def enter() -> None:
            with slots.held("other"):
                pass

        with pytest.raises(Problem) as caught:
            threads.submit(enter).result(20)
    assert caught.value.status == 503
    with slots.held("other"):  # nothing was lost
        pass


def test_pages_that_wait_for_the_writer_hold_no_slot(tmp_path: Path) -> None:
    db, begun = Database(tmp_path / "dcor.sqlite"), threading.Semaphore(0)
    db.create()
    written: list[str] = []

    def change() -> None:
        work_for("somebody")
        begun.release()
        with db.write() as tx:
            written.append(tx.execute("SELECT 'changed'").fetchone()[0])

    ask = pages(change, at_once=4)
    with ThreadPoolExecutor(5) as threads:
        with db.write():
            changes = [threads.submit(ask, "/slow", f"192.0.2.{number}") for number in range(5)]
            assert all(begun.acquire(timeout=20) for _ in changes)  # all five wait, with four slots
            assert ask("/", "198.51.100.1") == 200
        assert [one.result(20) for one in changes] == [200] * 5
    assert written == ["changed"] * 5
    db.close()


def test_whoever_has_changed_something_has_its_slot_again(tmp_path: Path) -> None:
    db, slots = Database(tmp_path / "dcor.sqlite"), FairSlots(1, share=1, patience=0.0)
    db.create()
    begun, after, seen = threading.Event(), threading.Event(), threading.Event()

    def page() -> None:
        with slots.held("one"):
            begun.set()
            with db.write():
                pass
            after.set()
            assert seen.wait(20)

    with ThreadPoolExecutor(1) as threads:
        with db.write():
            running = threads.submit(page)
            assert begun.wait(20)
        assert after.wait(20)
        with pytest.raises(Problem), slots.held("other"):
            pass
        seen.set()
        running.result(20)
    with slots.held("other"):  # nothing was lost
        pass
    db.close()


@pytest.fixture
def busy(appliance: Appliance) -> Appliance:
    """An appliance whose API makes nobody wait for a slot."""
    appliance.context.reads = FairSlots(16, share=4, patience=0.0)
    return appliance


def search(person: Person, words: str) -> Answer:
    """A question that has not been asked before."""
    return person.get("package_search", q=words)


def test_one_user_reads_four_things_at_once_from_the_api(busy: Appliance) -> None:
    ada, max_ = busy.person("ada"), busy.person("max")
    for _ in range(2):  # the first use of a token is noted in the database, and every commit ends what is known
        assert search(ada, "asked before").status == 200
    with ExitStack() as stack:
        for _ in range(4):
            _hold(stack, busy, ada.id)
        refused = search(ada, "one more")
        assert refused.status == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert "4 of your requests are being worked on" in refused.message
        assert search(ada, "asked before").status == 200  # known answers cost nothing
        assert search(max_, "something").status == 200
    assert search(ada, "one more").status == 200


def test_sixteen_things_are_read_at_once_from_the_api(busy: Appliance) -> None:
    ada = busy.person("ada")
    with ExitStack() as stack:
        for number in range(16):
            _hold(stack, busy, f"somebody {number // 4}")
        refused = search(ada, "something")
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
    assert search(ada, "something").status == 200


def test_strangers_of_one_network_share_what_they_read(tmp_path: Path) -> None:
    appliance = Appliance(tmp_path / "data", **{"policy.anonymous_access": True})
    appliance.context.reads = FairSlots(16, share=4, patience=0.0)
    with ExitStack() as stack:
        stack.callback(appliance.stop)
        for _ in range(4):
            _hold(stack, appliance, "127.0.0.1")
        assert search(appliance.nobody, "something").status == 429
        assert search(appliance.person("ada"), "something").status == 200


def _hold(stack: ExitStack, appliance: Appliance, caller: str) -> None:
    """A question that is being worked on, in a thread of its own, until `stack` ends."""
    begun, end = threading.Event(), threading.Event()

    def work() -> None:
        with appliance.context.reads.held(caller):
            begun.set()
            assert end.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    stack.callback(thread.join)
    stack.callback(end.set)
    assert begun.wait(20)


def test_long_work_in_slices_lets_others_go_first() -> None:
    """As the table of all measurements does (10 s for 97,000 rows, in which one page in four was not served before)."""
    slots, served = FairSlots(1, 1), threading.Event()

    def other() -> None:
        with slots.held("b"):
            served.set()

    with slots.held("a"):
        thread = threading.Thread(target=other)
        thread.start()
        for _ in range(500):  # slices
            let_others()
            if served.wait(0.02):
                break
        assert served.is_set()
    thread.join()


def test_the_table_of_measurements_is_the_same_whatever_its_slices(
    shared: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = shared.person("table", password=PASSWORD)
    ada.circle("table")
    draft = ada.draft("table")["id"]
    for number in range(3):
        shared.jobs_done(ada.add(draft, synthetic(), f"M{number}.rtdc")["id"])
    visitor = Visitor(shared, "table")
    whole = visitor.get("/measurements.csv").text
    turns = []
    monkeypatch.setattr(measurements, "SLICE", 2)
    monkeypatch.setattr(fair_slots, "let_others", lambda: turns.append(1))
    assert visitor.get("/measurements.csv").text == whole
    assert whole.count("\r\n") == 4
    assert len(turns) == 2
