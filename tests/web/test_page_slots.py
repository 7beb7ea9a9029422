"""Pages that wait for a file to be looked into, or that one user asks for in great number, keep nobody from other pages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from appliance.model.problem import Problem
from appliance.web import wsgi
from appliance.web.http import Headers, Request
from appliance.web.page_slots import PageSlots, without_slot


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
    slots = PageSlots(1, patience=0.0)
    with slots.held("one"), ThreadPoolExecutor(1) as threads:

        def enter() -> None:
            with slots.held("other"):
                pass

        with pytest.raises(Problem) as caught:
            threads.submit(enter).result(20)
    assert caught.value.status == 503
    with slots.held("other"):  # nothing was lost
        pass
