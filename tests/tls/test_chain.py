"""Certificates from an authority: any form, any order, every check that a client would make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from appliance.model.problem import Problem
from appliance.tls import certificate
from appliance.tls import chain as certificate_chain
from appliance.tls.names import names_for
from tests.support.certificate_authority import Authority, pem

HOST = "dcor.clinic.example"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def request_pair() -> certificate.Pair:
    return certificate.create_request(names_for(HOST, extra=["10.0.0.5"]))


@pytest.fixture(scope="module")
def leaf(authority: Authority, request_pair: certificate.Pair) -> x509.Certificate:
    return authority.sign(request_pair.chain)


def subjects(pair: certificate.Pair) -> list[str]:
    return [certificate.common_name(one.subject) for one in x509.load_pem_x509_certificates(pair.chain)]


def test_any_order_becomes_leaf_first(
    authority: Authority, request_pair: certificate.Pair, leaf: x509.Certificate
) -> None:
    stranger = Authority().root
    data = pem(authority.root) + pem(stranger) + pem(leaf) + pem(authority.middle)
    ready = certificate_chain.check(data, request_pair.key, HOST)
    assert subjects(ready.pair) == [HOST, "Clinic Servers", "Clinic Root"]
    assert ready.warnings == ["Not part of the chain, left out: CN=Clinic Root"]
    assert certificate_chain.handshake(ready.pair, "10.0.0.5", strict=True) is None


def test_a_missing_root_is_taken_from_known_authorities(
    authority: Authority, request_pair: certificate.Pair, leaf: x509.Certificate
) -> None:
    data = pem(leaf) + pem(authority.middle)
    with pytest.raises(Problem, match="chain is incomplete: the certificate of 'CN=Clinic Root' is missing"):
        certificate_chain.check(data, request_pair.key, HOST)
    ready = certificate_chain.check(
        data, request_pair.key, HOST, authorities=pem(Authority().root) + pem(authority.root)
    )
    assert subjects(ready.pair) == [HOST, "Clinic Servers", "Clinic Root"]
    assert "Added the missing CN=Clinic Root" in ready.warnings[0]


def test_forms_in_which_authorities_deliver(
    authority: Authority, request_pair: certificate.Pair, leaf: x509.Certificate
) -> None:
    chain = [leaf, authority.middle, authority.root]
    key = serialization.load_pem_private_key(request_pair.key, None)
    forms = [
        pkcs7.serialize_certificates(chain, serialization.Encoding.PEM),
        pkcs7.serialize_certificates(chain, serialization.Encoding.DER),
        pkcs12.serialize_key_and_certificates(
            b"dcor", key, leaf, chain[1:], serialization.BestAvailableEncryption(b"secret")
        ),  # type: ignore[arg-type]
    ]
    for data in forms:
        ready = certificate_chain.check(data, request_pair.key, HOST, password="secret")
        assert subjects(ready.pair) == [HOST, "Clinic Servers", "Clinic Root"]
    single = certificate_chain.check(
        leaf.public_bytes(serialization.Encoding.DER),
        request_pair.key,
        HOST,
        authorities=pem(authority.middle) + pem(authority.root),
    )
    assert subjects(single.pair)[0] == HOST
    for password, hint in ((None, "its password is needed"), ("wrong", "Is the password right")):
        with pytest.raises(Problem, match=hint):
            certificate_chain.check(forms[2], request_pair.key, HOST, password=password)


def test_wrong_keys_and_names_and_times_are_refused(
    authority: Authority, request_pair: certificate.Pair, leaf: x509.Certificate
) -> None:
    rest = pem(authority.middle) + pem(authority.root)
    other = certificate.create_request(names_for(HOST))
    with pytest.raises(Problem, match="belongs to the private key"):
        certificate_chain.check(pem(leaf) + rest, other.key, HOST)
    with pytest.raises(Problem, match=r"It is not for 'other\.example'"):
        certificate_chain.check(pem(leaf) + rest, request_pair.key, "other.example")
    for common_name in ("DCOR", "wrong.clinic.example"):
        with pytest.raises(Problem, match=f"common name is '{common_name}'"):
            certificate_chain.check(
                pem(authority.sign(request_pair.chain, common_name=common_name)) + rest, request_pair.key, HOST
            )
    with pytest.raises(Problem, match="It is valid from"):
        certificate_chain.check(pem(leaf) + rest, request_pair.key, HOST, now=datetime.now(UTC) + timedelta(days=400))
    with pytest.raises(Problem, match="It is valid from"):
        certificate_chain.check(pem(authority.sign(request_pair.chain, days=1)) + rest, request_pair.key, HOST)


def test_authorities_that_only_newer_pythons_refuse_are_installed_with_a_warning() -> None:
    old = Authority(plain=True)
    asked = certificate.create_request(names_for(HOST))
    data = pem(old.sign(asked.chain)) + pem(old.middle) + pem(old.root)
    ready = certificate_chain.check(data, asked.key, HOST)
    assert len(ready.warnings) == 1
    assert "Python 3.13" in ready.warnings[0]


def test_a_self_signed_certificate_of_ones_own_can_be_installed() -> None:
    own = certificate.create_self_signed(names_for(HOST))
    assert certificate_chain.check(own.chain, own.key, HOST) == certificate_chain.Installable(own, [])


def test_unreadable_input_is_named(request_pair: certificate.Pair, leaf: x509.Certificate) -> None:
    damaged = pem(leaf).replace(b"M", b"N", 3)
    with pytest.raises(Problem):
        certificate_chain.check(damaged, request_pair.key, HOST)
    with pytest.raises(Problem, match="no certificate in PEM, DER"):
        certificate_chain.check(b"hello", request_pair.key, HOST)
    with pytest.raises(Problem, match="private key cannot be read"):
        certificate_chain.check(pem(leaf), b"hello", HOST)
    key = serialization.load_pem_private_key(request_pair.key, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    with pytest.raises(Problem, match="its password is needed"):
        certificate_chain.load_key(locked)
    with pytest.raises(Problem, match="password of the private key is wrong"):
        certificate_chain.load_key(locked, "wrong")
    assert certificate_chain.load_key(locked, "secret")
