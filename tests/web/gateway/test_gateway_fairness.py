"""Nobody alone stops the gateway: budgets, fair shares, and who is dropped for whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from appliance.web.gateway import Limits
from appliance.web.http import Request, Response, text
from appliance.web.routes import route
from tests.support.waiting import wait_for

PING = "GET /ping HTTP/1.1\nHost: localhost\n\n"
KNOWN_PING = "GET /ping HTTP/1.1\nHost: localhost\nAuthorization: good\n\n"
FORM = "PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 1000\n\nabc"
WAITING = "PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 9\nExpect: 100-continue\n\n"
Connect = Callable[..., Any]


def ping(context: Any, request: Request, match: Any) -> Response:
    return text(200, "pong")


def take(context: Any, request: Request, match: Any) -> Response:
    return text(200, str(len(request.body.read_all(1 << 20))))


ROUTES = [route("GET", "/ping", "open", ping), route("PUT", "/take", "open", take)]


def known(request: Request) -> str:
    """Whose good credential the request carries."""
    sent = request.headers.get("Authorization") or ""
    return sent if sent.startswith("good") else ""


def held(raw: Any) -> bool:
    """The server still answers on this connection."""
    try:
        return bool(raw.send(PING).answer()[2] == b"pong")
    except (OSError, ValueError):
        return False


def test_idle_connections_cost_no_thread(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES)
    for _ in range(40):
        assert connect(gateway.port).send(PING).answer()[2] == b"pong"
    assert gateway.connections == 40
    assert gateway.threads < 20


def test_small_bodies_that_trickle_in_cost_no_thread(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES, limits=Limits(tick=0.02, running_strangers=1))
    for _ in range(40):
        connect(gateway.port).send(FORM)
    assert connect(gateway.port).send(PING).answer()[2] == b"pong"
    assert gateway.threads < 20


def test_a_small_body_in_pieces_is_whole_for_its_handler(serve: Any, connect: Connect) -> None:
    raw = connect(serve(ROUTES).port)
    raw.send("PUT /take HTTP/1.1\nHost: localhost\nContent-Length: 6\n\nab")
    time.sleep(0.05)  # the selector has it by now
    raw.send("cd")
    time.sleep(0.05)
    raw.send("efGET /ping HTTP/1.1\nHost: localhost\n\n")
    assert raw.answer()[2] == b"6"
    assert raw.answer()[2] == b"pong"


@pytest.mark.parametrize("length", [1000, 100_000])
def test_a_strangers_body_has_a_least_rate(serve: Any, connect: Connect, length: int) -> None:
    limits = Limits(tick=0.02, stranger_time=0.3, stranger_rate=1 << 20)
    raw = connect(serve(ROUTES, limits=limits, known=known).port)
    raw.send(f"PUT /take HTTP/1.1\nHost: localhost\nContent-Length: {length}\n\n")
    assert raw.closed_during("x")


@pytest.mark.parametrize("length", [20, 20_000])
def test_a_known_clients_file_has_none(serve: Any, connect: Connect, length: int) -> None:
    limits = Limits(
        tick=0.02, stranger_time=0.1, stranger_rate=1 << 20, collected_body=10, known_time=0.1, known_rate=1 << 20
    )
    raw = connect(serve(ROUTES, limits=limits, known=known, carries_file=lambda request: True).port)
    raw.send(f"PUT /take HTTP/1.1\nHost: localhost\nAuthorization: good\nContent-Length: {length}\n\n")
    for _ in range(20):
        time.sleep(0.03)  # the pace of the client is what is tested
        raw.send("x" * (length // 20))
    assert raw.answer()[2] == str(length).encode()


@pytest.mark.parametrize("length", [20, 20_000])
def test_what_else_a_known_client_sends_has_a_generous_one(serve: Any, connect: Connect, length: int) -> None:
    limits = Limits(tick=0.02, known_time=0.2, known_rate=1 << 20)
    raw = connect(serve(ROUTES, limits=limits, known=known).port)
    raw.send(f"PUT /take HTTP/1.1\nHost: localhost\nAuthorization: good\nContent-Length: {length}\n\nx")
    assert raw.closed()


@pytest.mark.parametrize("length", [1000, 1_000_000])
def test_one_user_with_two_addresses_leaves_room_for_others(serve: Any, connect: Connect, length: int) -> None:
    gateway = serve(ROUTES, limits=Limits(connections=64, connections_per_address=32, tick=0.02), known=known)
    asked = f"PUT /take HTTP/1.1\nHost: localhost\nAuthorization: good\nContent-Length: {length}\n\nx"
    greedy = [connect(gateway.port, source=f"127.0.0.{2 + n % 2}").send(asked) for n in range(64)]
    wait_for(lambda: gateway.connections == 16)
    for _ in range(20):
        other = connect(gateway.port, source="127.0.0.4")
        assert other.send(KNOWN_PING.replace("good", "good too")).answer()[2] == b"pong"
    assert len(greedy) == 64


def test_files_under_way_are_not_dropped_for_more_of_the_same_user(serve: Any, connect: Connect) -> None:
    limits = Limits(connections=64, tick=0.02, stranger_time=0.0)
    gateway = serve(ROUTES, limits=limits, known=known, carries_file=lambda request: True)
    asked = "PUT /take HTTP/1.1\nHost: localhost\nAuthorization: good\nContent-Length: 20000\nExpect: 100-continue\n\n"
    files = [connect(gateway.port).send(asked) for _ in range(16)]
    for raw in files:
        assert raw.head()[0] == "100 Continue"
    assert connect(gateway.port).send(asked).closed()
    for raw in files:
        assert raw.send("x" * 20_000).answer()[2] == b"20000"


@pytest.mark.parametrize("hold", [PING, FORM, WAITING, "GET /ping HT"])
def test_a_newcomer_takes_the_place_of_a_stranger_of_the_busiest_network(
    serve: Any, connect: Connect, hold: str
) -> None:
    gateway = serve(ROUTES, limits=Limits(connections=20, tick=0.02))
    greedy = [connect(gateway.port, source="127.0.0.2").send(hold) for _ in range(18)]
    neighbour = connect(gateway.port, source="127.0.0.3")
    assert held(neighbour)
    for _ in range(5):
        assert held(connect(gateway.port, source="127.0.0.4"))
    assert held(neighbour)
    assert len(greedy) == 18


def test_connections_without_tls_leave_room_for_those_with_it(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES, limits=Limits(connections=64, tick=0.02))
    person = connect(gateway.port, source="127.0.0.3")
    assert held(person)
    bare = [connect(gateway.port, tls=False, source="127.0.0.2") for _ in range(100)]
    wait_for(lambda: gateway.connections <= 17)
    assert held(person)
    assert bare[0].closed()


def test_idle_known_clients_outlast_strangers(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES, limits=Limits(connections=20, tick=0.02), known=known)
    people = [connect(gateway.port, source="127.0.0.2") for _ in range(4)]
    for raw in people:
        assert raw.send(KNOWN_PING).answer()[2] == b"pong"
    time.sleep(0.1)  # they are idle, and their standing is known
    for _ in range(30):
        connect(gateway.port, source="127.0.0.2").send(PING).answer()
    assert all(raw.send(KNOWN_PING).answer()[2] == b"pong" for raw in people)


def test_a_network_can_be_more_than_an_address(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES, limits=Limits(connections_per_address=3, ipv4_prefix=24, tick=0.02))
    for number in range(2, 8):
        assert held(connect(gateway.port, source=f"127.0.0.{number}"))
    assert gateway.connections == 3
    assert held(connect(gateway.port, source="127.0.1.1"))
    assert gateway.connections == 4


def test_networks_take_turns(serve: Any, connect: Connect) -> None:
    """Whoever is alone at an address does not wait for all requests of another one."""
    gate, order = threading.Semaphore(0), []

    def slow(context: Any, request: Request, match: Any) -> Response:
        gate.acquire()
        order.append(request.client)
        return text(200, "done")

    limits = Limits(tick=0.02, running_strangers=1, patience=1000.0, attention=0.001)
    gateway = serve([route("GET", "/slow", "open", slow)], limits=limits)
    asked = "GET /slow HTTP/1.1\nHost: localhost\n\n"
    busy = [connect(gateway.port, source="127.0.0.2") for _ in range(12)]
    alone = connect(gateway.port, source="127.0.0.3")
    for raw in busy:
        raw.send(asked)
    time.sleep(0.1)  # one is at work, the others wait
    alone.send(asked)
    time.sleep(0.1)
    for _ in range(13):
        gate.release()
    assert alone.answer()[2] == b"done"
    for raw in busy:
        assert raw.answer()[2] == b"done"
    assert order.index("127.0.0.3") <= 4


def test_requests_in_a_row_do_not_hold_up_others(serve: Any, connect: Connect) -> None:
    gateway = serve(ROUTES, limits=Limits(tick=0.02, running_strangers=1, patience=1000.0))
    eager = connect(gateway.port)
    eager.send(PING * 300)
    assert connect(gateway.port).send(PING).answer()[2] == b"pong"
    assert all(eager.answer()[2] == b"pong" for _ in range(300))


def test_a_slow_handler_does_not_hold_up_others(serve: Any, connect: Connect) -> None:
    gate = threading.Event()

    def slow(context: Any, request: Request, match: Any) -> Response:
        gate.wait(20)
        return text(200, "done")

    limits = Limits(tick=0.02, running_strangers=1, patience=0.05)
    gateway = serve([*ROUTES, route("GET", "/slow", "open", slow)], limits=limits)
    first = connect(gateway.port)
    first.send("GET /slow HTTP/1.1\nHost: localhost\n\n")
    assert connect(gateway.port).send(PING).answer()[2] == b"pong"
    gate.set()
    assert first.answer()[2] == b"done"
