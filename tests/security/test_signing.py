"""Signed URLs: what verifies, what does not, and how long an address stays equal."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.security.signing import Purpose, SignatureError, Signer, canonical_path, quantised_expiry

SECRET = bytes(range(32))
PATH = "/dataset/8c0c/resource/0b5f/download/a.rtdc"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text("abcdefghij", min_size=1, max_size=6).filter(lambda name: name not in {"expires", "signature"})


def params(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, strict_parsing=True)


@given(st.dictionaries(names, texts, max_size=4), st.integers(1, 10**11), texts)
def test_signed_claims_come_back(claims: dict[str, str], expires: int, name: str) -> None:
    signer = Signer(SECRET)
    path = "/r/" + quote(name, safe="")
    assert signer.verify(path, params(signer.sign(path, expires=expires, claims=claims)), expires - 1) == claims


def test_signature_is_bound_to_path_claims_expiry_and_purpose() -> None:
    signer = Signer(SECRET)
    good = dict(params(signer.sign(PATH, expires=2000, claims={"user": "u1"})))
    assert signer.verify(PATH, good, 1999) == {"user": "u1"}
    attempts = [
        (PATH + "x", good, Purpose.DOWNLOAD),
        (PATH, {**good, "user": "u2"}, Purpose.DOWNLOAD),
        (PATH, {**good, "expires": "2001"}, Purpose.DOWNLOAD),
        (PATH, {**good, "kind": "condensed"}, Purpose.DOWNLOAD),
        (PATH, {key: good[key] for key in ("expires", "signature")}, Purpose.DOWNLOAD),
        (PATH, good, Purpose.UPLOAD),
    ]
    for path, query, purpose in attempts:
        with pytest.raises(SignatureError) as refused:
            signer.verify(path, query, 1000, purpose=purpose)
        assert refused.value.reason == "invalid"
    with pytest.raises(SignatureError, match="does not match"):
        Signer(b"x" * 32).verify(PATH, good, 1000)


def test_neighbouring_fields_cannot_trade_characters() -> None:
    signer = Signer(SECRET)
    one = dict(params(signer.sign("/a", expires=2000, claims={"a": "bc"})))
    with pytest.raises(SignatureError):
        signer.verify("/a", {"ab": "c", "expires": "2000", "signature": one["signature"]}, 1)


def test_expired_missing_and_malformed_have_their_reasons() -> None:
    signer = Signer(SECRET)
    good = dict(params(signer.sign(PATH, expires=2000)))
    cases = [
        (good, 2000, "expired"),
        ({}, 1, "missing"),
        ({"expires": "2000"}, 1, "missing"),
        ({**good, "signature": "ü" * 43}, 1, "malformed"),
        ({**good, "expires": "-1"}, 1, "malformed"),
        ({**good, "expires": "٢٠٠٠"}, 1, "malformed"),
        ([*good.items(), ("expires", "2000")], 1, "malformed"),
    ]
    for query, now, reason in cases:
        with pytest.raises(SignatureError) as refused:
            signer.verify(PATH, query, now)  # type: ignore[arg-type]
        assert refused.value.reason == reason, query


def test_a_re_encoded_path_still_verifies_but_an_encoded_slash_does_not() -> None:
    signer = Signer(SECRET)
    query = params(signer.sign("/d/M%C3%BCller~1.rtdc", expires=2000))
    assert signer.verify("/d/Müller%7E1.rtdc", query, 1) == {}
    slash = params(signer.sign("/d/a/b", expires=2000))
    with pytest.raises(SignatureError):
        signer.verify("/d/a%2Fb", slash, 1)


@given(st.integers(0, 2 * 10**9), st.integers(3600, 100_000))
def test_quantised_expiry_never_cuts_the_lifetime(now: int, lifetime: int) -> None:
    life = quantised_expiry(now, lifetime) - now
    assert lifetime < life <= lifetime * 1.2 + 1


def test_presigned_addresses_stay_equal_within_a_fifth_of_the_lifetime() -> None:
    signer = Signer(SECRET)
    addresses = [signer.presign(PATH, now=720_000 + second, claims={"user": "u"}) for second in range(0, 719, 7)]
    assert len(set(addresses)) == 1
    parts = urlsplit(addresses[0])
    assert parts.path == PATH
    assert signer.verify(parts.path, params(parts.query), 723_600 + 719) == {"user": "u"}


def test_what_cannot_be_signed() -> None:
    signer = Signer(SECRET)
    for path in ("a", "", "/a?b=1", "/a#b"):
        with pytest.raises(ValueError, match="signed path"):
            signer.sign(path, expires=1)
    with pytest.raises(ValueError, match="claim"):
        signer.sign("/a", expires=1, claims={"signature": "x"})
    with pytest.raises(ValueError, match="32 bytes"):
        Signer(b"short")
    with pytest.raises(ValueError, match="3600"):
        quantised_expiry(0, 3599)
    assert canonical_path("/a%2fb/%7e") == "/a%2Fb/~"
