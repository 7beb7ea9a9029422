"""How often somebody may try."""

from __future__ import annotations

import pytest

from appliance.security.limits import Limiter, Rates, network


def test_a_name_at_one_place_is_stopped_while_others_go_on() -> None:
    limiter = Limiter()
    assert [limiter.login_attempt("Alice", "10.0.0.1") for _ in range(5)] == [0] * 5
    assert 0 < limiter.login_attempt("alice ", "10.0.0.1") <= 300
    assert limiter.login_attempt("alice", "10.0.0.2") == 0
    assert limiter.login_attempt("bob", "10.0.0.1") == 0


def test_success_forgives_ones_own_errors() -> None:
    limiter = Limiter()
    for _ in range(4):
        limiter.login_attempt("alice", "10.0.0.1")
    limiter.login_succeeded("alice", "10.0.0.1")
    assert [limiter.login_attempt("alice", "10.0.0.1") for _ in range(5)] == [0] * 5


def test_guessing_from_many_addresses_and_of_many_names_is_stopped() -> None:
    limiter = Limiter(Rates(login_name="20/minute", login_address="30/minute"))
    assert [limiter.login_attempt("alice", f"10.0.0.{host}") for host in range(20)] == [0] * 20
    assert limiter.login_attempt("alice", "10.0.0.99") > 0
    assert [limiter.login_attempt(f"user{number}", "10.9.9.9") for number in range(30)] == [0] * 30
    assert limiter.login_attempt("fresh", "10.9.9.9") > 0


def test_one_desk_cannot_lock_a_name_everywhere() -> None:
    limiter = Limiter()
    for _ in range(200):
        limiter.login_attempt("alice", "10.0.0.66")
    assert limiter.login_attempt("alice", "10.0.0.66") > 0
    assert limiter.login_attempt("alice", "10.0.0.1") == 0


def test_registering_is_counted_by_address_and_in_all() -> None:
    limiter = Limiter(Rates(register_address="3/hour", register_all="5/hour"))
    assert [limiter.registration("10.0.0.1") for _ in range(3)] == [0] * 3
    assert 3500 < limiter.registration("10.0.0.1") <= 3600
    assert [limiter.registration("10.0.0.2") for _ in range(2)] == [0] * 2
    assert limiter.registration("10.0.0.3") > 0


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_what_counts_as_one_place(address: str, place: str) -> None:
    assert network(address) == place
