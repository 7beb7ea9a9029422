"""Passwords: Argon2id hashing, minimum requirements, and equal time for unknown names."""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from appliance.model.messages import Message
from appliance.security.common_passwords import COMMON

SHORTEST = 8
#: Longest password [characters]: more adds no security and costs memory.
LONGEST = 1024

# OWASP's first choice for Argon2id: 46 MiB, one pass, one lane.
_HASHER = PasswordHasher(time_cost=1, memory_cost=47104, parallelism=1, hash_len=32, salt_len=16)
# Argon2 releases the GIL; two at once limit the memory used by many simultaneous log-ins.
_AT_ONCE = threading.BoundedSemaphore(2)
_RUNS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm")
_LONG_RUN = 6


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of a password check: was it right, and should it be hashed again with the current parameters?"""

    ok: bool
    rehash: bool = False


def hash_password(password: str) -> str:
    """Return the Argon2id hash of `password` in its usual text form. Takes about 50 ms and 46 MiB."""
    with _AT_ONCE:
        return _HASHER.hash(_bytes(password))


def verify(stored: str | None, password: str) -> Verdict:
    """Compare `password` with the `stored` hash.

    Pass None for an unknown name or an account without a password: that takes as long as a wrong password, so that
    nobody learns from the clock which names exist.
    """
    raw = _bytes(password) if len(password) <= LONGEST else b""
    with _AT_ONCE:
        try:
            right = _HASHER.verify(stored or _dummy_hash(), raw)
        except (VerificationError, InvalidHashError):
            return Verdict(False)
    if not stored or not raw or not right:
        return Verdict(False)
    return Verdict(True, rehash=_HASHER.check_needs_rehash(stored))


def weaknesses(password: str, *, personal: tuple[str, ...] = ()) -> list[str]:
    """Return the weaknesses of `password` as a new one, in sentences for its owner; empty = good.

    `personal` are words that its owner's foes would try first: log-in name, mail address, full name, host name.
    """
    if len(password) < SHORTEST:
        return [Message("Your password must be %(count)s characters or longer", count=SHORTEST)]
    if len(password) > LONGEST:
        return [Message("The password must have at most %(most)s characters.", most=LONGEST)]
    plain = unicodedata.normalize("NFKC", password).casefold()
    core = re.sub(r"[\W\d_]+$|^[\W\d_]+", "", plain)
    if plain in COMMON or core in COMMON or _unleet(plain) in COMMON:
        return ["This password is among the first an attacker would try. Choose another one."]
    if len(set(plain)) < 4 or _is_run(plain):
        return ["This password is a simple sequence of characters. Choose another one."]
    if core and any(core == word for word in _words(personal)):
        return ["The password must not be based on your name or address. Choose another one."]
    return []


def _bytes(password: str) -> bytes:
    """UTF-8 after Unicode normalization, so that the result does not depend on the keyboard."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _dummy_hash() -> str:
    """A hash that no password matches, as its input contains a byte that no text does."""
    return _HASHER.hash(b"\xff nobody")


def _unleet(text: str) -> str:
    return text.translate(str.maketrans("0134578@$!", "oieastbasi"))


def _is_run(text: str) -> bool:
    """Do adjacent keys or letters make up nearly all of `text`?"""
    for row in (*_RUNS, *(run[::-1] for run in _RUNS)):
        for start in range(len(row) - _LONG_RUN + 1):
            for end in range(len(row), start + _LONG_RUN - 1, -1):
                if row[start:end] in text and len(text) - (end - start) <= 3:
                    return True
    half = len(text) // 2
    return len(text) % 2 == 0 and text[:half] == text[half:] and _is_run_like(text[:half])


def _is_run_like(text: str) -> bool:
    return any(text in row or text[::-1] in row for row in _RUNS)


def _words(personal: tuple[str, ...]) -> set[str]:
    words: set[str] = set()
    for entry in personal:
        low = unicodedata.normalize("NFKC", entry).casefold()
        words |= {low, low.replace(" ", ""), *re.split(r"[\W_]+", low)}
    return {word for word in words if len(word) > 2}
