"""The server's own certificate: what clients verify, what it says, how it is replaced."""

from __future__ import annotations

import ssl
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from appliance.model.problem import Problem
from appliance.tls import certificate
from appliance.tls.chain import handshake
from appliance.tls.names import hostname_problems, is_ip, matches, names_for

HOST = "dcor.clinic.example"


@pytest.mark.parametrize("key_type", ["p256", pytest.param("rsa4096", marks=pytest.mark.slow)])
def test_clients_connect_strictly_to_every_name(key_type: str) -> None:
    pair = certificate.create_self_signed(names_for(HOST, extra=["dcor", "192.168.0.7", "fd00::7"]), key_type=key_type)
    for name in (HOST, "dcor", "192.168.0.7", "fd00::7"):
        assert handshake(pair, name) is None
        assert handshake(pair, name, strict=True) is None
    assert "mismatch" in (handshake(pair, "other.clinic.example") or "").lower()


def test_what_the_certificate_says() -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    pair = certificate.create_self_signed(names_for(HOST, extra=["10.0.0.5"]), now=start)
    leaf = x509.load_pem_x509_certificate(pair.chain)
    about = certificate.describe([leaf], now=start)
    assert (about.common_name, about.dns, about.ips) == (HOST, (HOST,), ("10.0.0.5",))
    assert (about.self_signed, about.key_type, about.days_left) == (True, "P-256", 3650)
    assert about.fingerprint.count(":") == 31
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert not constraints.value.ca  # in a system's trust store it must not vouch for other names
    for wanted in (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier, x509.KeyUsage, x509.ExtendedKeyUsage):
        assert leaf.extensions.get_extension_for_class(wanted)  # type: ignore[type-var]
    assert about.as_dict()["not_after"].startswith("2036-02-27")


def test_a_try_out_carries_its_port_in_the_common_name() -> None:
    names = names_for("localhost", port=8443, try_out=True)
    pair = certificate.create_self_signed(names)
    about = certificate.describe(x509.load_pem_x509_certificates(pair.chain))
    assert about.common_name == "localhost:8443"
    assert about.dns == ("localhost",)
    assert set(about.ips) == {"127.0.0.1", "::1"}
    for name in ("localhost", "127.0.0.1"):
        assert handshake(pair, name, strict=True) is None
    assert names_for("localhost", try_out=True).common_name == "localhost"


@pytest.mark.parametrize(
    ("hostname", "reason"),
    [
        ("DCOR.clinic.example", "capital letters"),
        ("dcor", "no dot"),
        ("localhost", "no dot"),
        ("dcor.clinic.example:8443", "port"),
        ("fd00::7", "IPv6"),
        ("dcor_1.clinic.example", "not a host name"),
        ("-dcor.clinic.example", "not a host name"),
        ("dcor..example", "not a host name"),
        ("dcor.example.", "not a host name"),
        ("dcör.example", "not a host name"),
        ("*.clinic.example", "not a host name"),
        ("300.1.1.1", "no IPv4 address"),
        ("a" * 60 + ".example", "64 characters"),
        ("", "empty"),
    ],
)
def test_host_names_that_clients_cannot_use_are_refused_with_the_reason(hostname: str, reason: str) -> None:
    with pytest.raises(Problem, match=reason) as refused:
        names_for(hostname)
    assert refused.value.status == 409


@pytest.mark.parametrize("hostname", [HOST, "192.168.0.7", "xn--dcr-sna.example", "a.b", "1.dcor.example"])
def test_host_names_that_clients_can_use(hostname: str) -> None:
    assert hostname_problems(hostname) == []
    assert names_for(hostname).common_name == hostname


labels = st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True)


@given(st.lists(labels, min_size=2, max_size=4).map(".".join))
def test_every_accepted_name_makes_a_certificate_that_works(hostname: str) -> None:
    if hostname_problems(hostname) or len(hostname) > 64:
        return
    pair = certificate.create_self_signed(names_for(hostname))
    assert handshake(pair, hostname, strict=True) is None


def test_wildcards_cover_one_label() -> None:
    assert matches(HOST, ["*.clinic.example"], [])
    assert not matches("a.b.clinic.example", ["*.clinic.example"], [])
    assert not matches("10.0.0.1", ["10.0.0.1"], [])
    assert is_ip("fd00::1")


def test_a_request_asks_for_all_names() -> None:
    pair = certificate.create_request(names_for(HOST, extra=["10.0.0.5"]))
    request = x509.load_pem_x509_csr(pair.chain)
    assert request.is_signature_valid
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [HOST]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.5"]


def test_stored_pairs_are_private_and_complete(tmp_path: Path) -> None:
    cert, key = tmp_path / "certificates" / "server.cert", tmp_path / "certificates" / "server.key"
    pair = certificate.create_self_signed(names_for(HOST))
    certificate.store(pair, cert, key)
    assert (cert.read_bytes(), key.read_bytes()) == (pair.chain, pair.key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert sorted(path.name for path in cert.parent.iterdir()) == ["server.cert", "server.key"]
    assert certificate.findings(cert, key, HOST) == []
    context = certificate.server_context(cert, key)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_an_interrupted_replacement_is_finished_at_the_next_start(tmp_path: Path) -> None:
    cert, key = tmp_path / "server.cert", tmp_path / "server.key"
    certificate.store(certificate.create_self_signed(names_for(HOST)), cert, key)
    new = certificate.create_self_signed(names_for(HOST))
    (tmp_path / "incoming.pem").write_bytes(new.key + new.chain)
    key.write_bytes(new.key)  # the power failed here: the files do not belong together
    certificate.server_context(cert, key)
    assert (cert.read_bytes(), key.read_bytes()) == (new.chain, new.key)
    assert not (tmp_path / "incoming.pem").exists()


def test_what_is_wrong_is_said_in_words(tmp_path: Path) -> None:
    cert, key = tmp_path / "server.cert", tmp_path / "server.key"
    assert "no certificate" in certificate.findings(cert, key, HOST)[0]
    pair = certificate.create_self_signed(names_for(HOST))
    certificate.store(pair, cert, key)
    end = x509.load_pem_x509_certificate(pair.chain).not_valid_after_utc
    assert "not valid for 'other.example'" in certificate.findings(cert, key, "other.example")[0]
    assert "in 20 days" in certificate.findings(cert, key, HOST, now=end - timedelta(days=20, hours=1))[0]
    assert "clients can no longer connect" in certificate.findings(cert, key, HOST, now=end + timedelta(hours=1))[0]
    assert "check the clock" in certificate.findings(cert, key, HOST, now=end - timedelta(days=4000))[0]
    key.chmod(0o644)
    assert "0600" in certificate.findings(cert, key, HOST)[0]
    key.write_bytes(certificate.create_self_signed(names_for(HOST)).key)
    with pytest.raises(Problem, match="do not belong together"):
        certificate.server_context(cert, key)
    cert.write_text("nothing")
    assert "does not contain a readable certificate" in certificate.findings(cert, key, HOST)[0]


@pytest.mark.parametrize(
    ("left", "told"), [(400, None), (31, None), (30, 30), (15, 30), (14, 14), (7, 7), (2, 7), (1, 1), (0, 1), (-3, 1)]
)
def test_when_the_administrator_is_told(left: int, told: int | None) -> None:
    assert certificate.warning(left) == told


def test_unknown_key_types_are_refused() -> None:
    with pytest.raises(Problem, match="p256, rsa4096"):
        certificate.new_key("dsa")


def test_a_server_and_a_command_may_finish_a_replacement_together(tmp_path: Path) -> None:
    cert, key = tmp_path / "server.cert", tmp_path / "server.key"
    pair = certificate.create_self_signed(names_for(HOST))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            certificate.recover(cert, key)

    with ThreadPoolExecutor(1) as pool:
        server = pool.submit(serve)
        try:
            for _ in range(50):
                certificate.store(pair, cert, key)
        finally:
            over.set()
        server.result()
    assert (cert.read_bytes(), key.read_bytes()) == (pair.chain, pair.key)
