"""Unforeseeable deflate streams: every inflater reads them, and no two share enough bytes for an attack."""

from __future__ import annotations

import zlib
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.security import random_deflate
from appliance.tls import certificate
from appliance.tls.names import names_for

CERTIFICATE = certificate.create_self_signed(names_for("dcor.clinic.example")).chain


@settings(max_examples=30)
@given(st.binary(max_size=200), st.integers(0, 2**64))
def test_zlib_inflates_what_was_written(data: bytes, seed: int) -> None:
    inflater = zlib.decompressobj(-15)
    assert inflater.decompress(random_deflate.compress(data, Random(seed))) + inflater.flush() == data
    assert inflater.eof
    assert inflater.unused_data == b""


@settings(max_examples=50)
@given(st.integers(2, 286), st.integers(0, 2**64))
def test_codes_are_complete_and_prefix_free(symbols: int, seed: int) -> None:
    lengths = random_deflate.random_code(symbols, 13, Random(seed))
    assert len(lengths) == symbols
    assert sum(2.0**-length for length in lengths) == 1
    assert max(lengths) <= 13
    codes = random_deflate.canonical_codes(lengths)
    words = sorted(format(code, f"0{length}b")[::-1] for code, length in zip(codes, lengths, strict=True))
    assert all(not later.startswith(earlier) for earlier, later in pairwise(words))


def longest_common_run(streams: list[bytes]) -> int:
    """Longest row of equal bytes that any two streams have at the same place."""
    size = min(map(len, streams))
    table = np.array([np.frombuffer(stream[:size], np.uint8) for stream in streams])
    longest = 0
    for number, row in enumerate(table[:-1]):
        equal = table[number + 1 :] == row
        run = 1
        while equal.any():
            longest = max(longest, run)
            equal = equal[:, :-1] & (table[number + 1 :] == row)[:, run:]
            run += 1
    return longest


@pytest.mark.parametrize(("files", "size"), [(40, 150), pytest.param(400, 400, marks=pytest.mark.slow)])
def test_no_two_files_share_enough_for_the_known_plaintext_attack(files: int, size: int) -> None:
    streams = [random_deflate.compress(CERTIFICATE[:size]) for _ in range(files)]
    assert longest_common_run(streams) < 8  # the attack needs 12 known bytes, 8 of them in a row


def test_plain_zlib_would_be_open_to_the_attack() -> None:
    # what the random codes are for: ordinary deflate of the public certificate is the same in every file
    streams = [zlib.compress(CERTIFICATE, 6)[2:-4] for _ in range(2)]
    assert longest_common_run(streams) > 100


def test_equal_letters_in_a_row_do_not_become_equal_bytes() -> None:
    # the worst text: one letter only, of which an attacker would have to guess but one code word
    stream = random_deflate.compress(b"-" * 1500)
    windows = [stream[start : start + 12] for start in range(len(stream) - 12)]
    assert len(set(windows)) == len(windows)
    assert min(len(set(window)) for window in windows) > 2
