"""Codes by time: RFC 6238's own values, the window, and the seal of the secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.model.problem import Problem
from appliance.security import totp
from appliance.security.limits import Limiter

#: Appendix B, SHA-1; the last six of its eight digits.
RFC = {
    59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
}  # fmt: skip
SECRET = b"12345678901234567890"


@pytest.mark.parametrize(("moment", "expected"), RFC.items())
def test_codes_are_those_of_the_rfc(moment: int, expected: str) -> None:
    assert totp.code(SECRET, moment // totp.PERIOD) == expected
    assert totp.matching_step(SECRET, expected, now=moment, after=0) == moment // totp.PERIOD


@pytest.mark.parametrize(("apart", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_clocks_may_be_one_period_apart(apart: int, accepted: bool) -> None:
    step = 60_000_000
    found = totp.matching_step(SECRET, totp.code(SECRET, step + apart), now=step * totp.PERIOD + 29, after=0)
    assert (found == step + apart) is accepted


@pytest.mark.parametrize("given", ["", "0", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "\ud800", "0" * 100_000, "-" * 6])
def test_nothing_else_is_a_code(given: str) -> None:
    assert totp.matching_step(SECRET, given, now=59, after=0) is None
    assert not totp.is_code(given)


def test_a_code_counts_only_after_the_last_one_used() -> None:
    step, code = 60_000_000, totp.code(SECRET, 60_000_000)
    assert totp.matching_step(SECRET, code, now=step * totp.PERIOD, after=step - 1) == step
    assert totp.matching_step(SECRET, code, now=step * totp.PERIOD, after=step) is None
    spaced = f" {code[:3]} {code[3:]} "
    assert totp.matching_step(SECRET, spaced, now=step * totp.PERIOD, after=0) == step


def test_what_is_sealed_opens_for_its_account_with_its_key_only(tmp_path: Path) -> None:
    sealed = totp.seal(tmp_path / "secrets", "ada", SECRET)
    assert SECRET not in sealed
    assert totp.unseal(tmp_path / "secrets", "ada", sealed) == SECRET
    assert totp.seal(tmp_path / "secrets", "ada", SECRET) != sealed
    broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for folder, user, data in (
        ("secrets", "eve", sealed),
        ("elsewhere", "ada", sealed),
        ("secrets", "ada", broken),
        ("secrets", "ada", b""),
    ):
        with pytest.raises(Problem, match="dcor user totp-off"):
            totp.unseal(tmp_path / folder, user, data)
    assert (tmp_path / "secrets" / totp.KEY).stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "elsewhere").exists(), "no new key is made where one is missing"


def test_recovery_codes_are_long_different_and_forgiving_about_how_they_are_typed() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == len(codes) == 10
    assert {len(one.replace("-", "")) for one in codes} == {16}
    assert not any(map(totp.is_code, codes))
    assert totp.recovery_hash("ada", codes[0]) == totp.recovery_hash("ada", f" {codes[0].upper().replace('-', ' ')} ")
    assert totp.recovery_hash("ada", codes[0]) != totp.recovery_hash("eve", codes[0])


def test_twenty_codes_a_day_may_be_tried() -> None:
    limiter = Limiter()
    assert [limiter.code_attempt("ada") for _ in range(20)] == [0] * 20
    assert 0 < limiter.code_attempt("ada") <= 86400
    assert limiter.code_attempt("eve") == 0
    limiter.code_succeeded("ada")
    assert limiter.code_attempt("ada") == 0
