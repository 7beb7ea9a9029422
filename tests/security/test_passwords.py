"""Passwords: what may be chosen, and how they are compared."""

from __future__ import annotations

import statistics
import time

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from appliance.security import passwords


def test_a_password_opens_only_its_own_hash() -> None:
    stored = passwords.hash_password("tränenreiche Zwiebel")
    assert stored.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert passwords.verify(stored, "tränenreiche Zwiebel") == passwords.Verdict(True, rehash=False)
    assert passwords.verify(stored, "tra\u0308nenreiche Zwiebel").ok  # the same "ä" from another keyboard
    assert not passwords.verify(stored, "tränenreiche zwiebel").ok
    assert passwords.hash_password("tränenreiche Zwiebel") != stored


def test_hashes_of_weaker_parameters_ask_to_be_renewed() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("an old password")
    assert passwords.verify(old, "an old password") == passwords.Verdict(True, rehash=True)
    assert passwords.verify(old, "another password") == passwords.Verdict(False)


@pytest.mark.parametrize(
    "stored", [None, "", "garbage", "$argon2id$v=19$m=47104,t=1,p=1$x", "$2b$12$abcdefghijklmnopqrstuv"]
)
def test_no_or_broken_hash_opens_for_nobody(stored: str | None) -> None:
    for attempt in ("", "nobody", "\udcff nobody", "x" * 5000):
        assert not passwords.verify(stored, attempt).ok


def test_unknown_names_take_as_long_as_wrong_passwords() -> None:
    stored = passwords.hash_password("something good")
    passwords.verify(None, "warm up")

    def seconds(hash_: str | None) -> float:
        start = time.perf_counter()
        passwords.verify(hash_, "wrong guess")
        return time.perf_counter() - start

    known = statistics.median(seconds(stored) for _ in range(7))
    unknown = statistics.median(seconds(None) for _ in range(7))
    assert 0.3 < unknown / known < 3


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password",
        "Passwort1!",
        "P@ssw0rd",
        "12345678",
        "abcdefgh1",
        "qwertzuiop!",
        "aaaaaaaaaa",
        "87654321",
        "Sunshine2026",
        "x" * 1025,
    ],
)
def test_weak_passwords_are_named(password: str) -> None:
    assert len(passwords.weaknesses(password)) == 1


@pytest.mark.parametrize("password", ["jdoe-2026!", "Jane Doe 1", "janedoe123", "dcor.clinic.example"])
def test_personal_passwords_are_refused(password: str) -> None:
    personal = ("jdoe", "jane.doe@clinic.example", "Jane Doe", "dcor.clinic.example")
    assert "name or address" in passwords.weaknesses(password, personal=personal)[0]


@pytest.mark.parametrize(
    "password", ["tränenreiche Zwiebel", "Kx7#pQ2m", "correct otter bridge", "jane likes microscopes"]
)
def test_good_passwords_pass(password: str) -> None:
    assert passwords.weaknesses(password, personal=("jane", "Jane Doe")) == []


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_can_be_judged(password: str, name: str) -> None:
    assert all(sentence.strip() for sentence in passwords.weaknesses(password, personal=(name,)))
