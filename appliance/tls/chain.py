"""Certificates from an authority: parse any common format, order the chain, and test it before it is served."""

from __future__ import annotations

import codecs
import ssl
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from appliance.model.problem import Problem, invalid
from appliance.tls.certificate import (
    Pair,
    PrivateKey,
    alternative_names,
    chain_pem,
    common_name,
    key_pem,
    server_context,
)
from appliance.tls.names import matches

_SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class Installable:
    """A checked pair, ready for `certificate.store`, and notes for the administrator."""

    pair: Pair
    warnings: list[str] = field(default_factory=list)


def check(
    certificates: bytes | Sequence[bytes],
    key: bytes,
    hostname: str,
    *,
    password: str | None = None,
    authorities: bytes = b"",
    now: datetime | None = None,
) -> Installable:
    """Check `certificates` as a client would, and return them in the order in which they must be served.

    :param certificates: PEM, DER, PKCS#7 (.p7b) or PKCS#12 (.pfx, with `password`); one file or several of any form, in any order.
    :param key: the private key (PEM or DER); ignored when PKCS#12 brings its own.
    :param authorities: PEM certificates among which a missing issuer is looked for (certifi's, for example).
    :raises Problem: 409 with the reason: wrong key, wrong names, expired, incomplete or refused by OpenSSL.
    """
    found, own_key = _read_all([certificates] if isinstance(certificates, bytes) else certificates, password)
    private = own_key or load_key(key, password)
    chain, spare = order(found, private)
    notes = [f"Not part of the chain, left out: {spare_one.subject.rfc4514_string()}" for spare_one in spare]
    chain, added = complete(chain, authorities)
    notes += [f"Added the missing {issuer.subject.rfc4514_string()} from the known authorities." for issuer in added]
    _check_leaf(chain[0], hostname, now or datetime.now(UTC))
    pair = Pair(chain_pem(chain), key_pem(private))
    refused = handshake(pair, hostname)
    if refused:
        raise invalid(message=f"Clients would refuse this certificate: {refused}")
    refused = handshake(pair, hostname, strict=True)
    if refused:
        notes.append(f"Clients with Python 3.13 or newer would refuse this certificate: {refused}")
    return Installable(pair, notes)


def _read_all(files: Sequence[bytes], password: str | None) -> tuple[list[x509.Certificate], PrivateKey | None]:
    """The certificates of all files, each of its own form, and the key that one of them may bring."""
    found: list[x509.Certificate] = []
    key: PrivateKey | None = None
    for number, data in enumerate(files, 1):
        try:
            certificates, own_key = read(data, password)
        except Problem as problem:
            raise invalid(message=f"File {number}: {problem}" if len(files) > 1 else str(problem)) from problem
        found += certificates
        key = key or own_key
    return found, key


def read(data: bytes, password: str | None = None) -> tuple[list[x509.Certificate], PrivateKey | None]:
    """Return the certificates in `data` (PEM, DER, PKCS#7 or PKCS#12) and the key that PKCS#12 may hold.

    Raises Problem 409 when nothing of the kind can be read.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # text written by PowerShell
        data = data.decode("utf-16", errors="replace").encode("ascii", errors="replace")
    if b"-----BEGIN CERTIFICATE-----" in data:
        try:
            return x509.load_pem_x509_certificates(data), None
        except ValueError as error:
            raise invalid(message="A certificate in the file is damaged.") from error
    attempts: list[Callable[[], tuple[list[x509.Certificate], PrivateKey | None]]] = [
        lambda: (pkcs7.load_pem_pkcs7_certificates(data), None),
        lambda: ([x509.load_der_x509_certificate(data)], None),
        lambda: (pkcs7.load_der_pkcs7_certificates(data), None),
        lambda: _pkcs12(data, password),
    ]
    for attempt in attempts:
        try:
            return attempt()
        except (ValueError, UnsupportedAlgorithm):
            continue
    hint = " If it is a .pfx file, its password is needed." if password is None else " Is the password right?"
    raise invalid(message="The file is no certificate in PEM, DER, PKCS#7 (.p7b) or PKCS#12 (.pfx) form." + hint)


def load_key(data: bytes, password: str | None = None) -> PrivateKey:
    """Return the private key in PEM or DER `data`. Raises Problem 409 for others than RSA ≥ 2048 bits and elliptic curves."""
    key: object
    try:
        key = serialization.load_pem_private_key(data, None)
    except TypeError:
        key = _encrypted_key(data, password)
    except (ValueError, UnsupportedAlgorithm) as error:
        try:
            key = serialization.load_der_private_key(data, None if password is None else password.encode())
        except (TypeError, ValueError, UnsupportedAlgorithm):
            raise invalid(message="The private key cannot be read; it must be in PEM or DER form.") from error
    return _usable_key(key)


def order(
    certificates: Sequence[x509.Certificate], key: PrivateKey
) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
    """Return `(chain, spare)`: the certificate of `key`, then its issuer, and so on; and what belongs nowhere.

    Raises Problem 409 when no certificate belongs to the key.
    """
    public = _spki(key.public_key())
    leaf = next((one for one in certificates if _spki(one.public_key()) == public), None)
    if leaf is None:
        raise invalid(
            message="None of the certificates belongs to the private key. Was the request made anew in the meantime, or "
            "does the certificate come with a key of its own?"
        )
    chain = [leaf]
    while (issuer := _issuer(chain[-1], certificates)) is not None and issuer not in chain:
        chain.append(issuer)
    return chain, [one for one in dict.fromkeys(certificates) if one not in chain]


def complete(
    chain: list[x509.Certificate], authorities: bytes
) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
    """Return `(chain, added)`, the chain prolonged to its root from the PEM `authorities`.

    Clients pin this file, and before Python 3.13 they trust a chain only up to its root. Raises Problem 409 when the
    root cannot be found.
    """
    known = _readable(authorities)
    chain, added = list(chain), []
    while not _self_issued(chain[-1]):
        issuer = _issuer(chain[-1], known)
        if issuer is None or issuer in chain:
            raise invalid(
                message=f"The chain is incomplete: the certificate of '{chain[-1].issuer.rfc4514_string()}' is missing. "
                "Ask the authority for its chain up to the root and add it to the file."
            )
        chain.append(issuer)
        added.append(issuer)
    return chain, added


def handshake(pair: Pair, hostname: str, *, strict: bool = False) -> str | None:
    """Try a TLS connection in memory like clients that pin the chain; return why it fails, None = it works.

    `strict` verifies as Python ≥ 3.13 does by default.
    """
    with tempfile.TemporaryDirectory() as folder:
        cert, key = Path(folder, "cert"), Path(folder, "key")
        cert.write_bytes(pair.chain)
        key.touch(mode=0o600)
        key.write_bytes(pair.key)
        server_side = server_context(cert, key)
    client_side = ssl.create_default_context(cadata=pair.chain.decode("ascii"))
    flags = client_side.verify_flags & ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    client_side.verify_flags = flags | ssl.VERIFY_X509_STRICT if strict else flags
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server, server_hostname=hostname)
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    pending = [client, server]
    try:
        for _ in range(10):
            pending = [end for end in pending if not _handshake(end)]
            if not pending:
                return None
    except ssl.SSLCertVerificationError as error:
        return f"{error.verify_message}."
    except ssl.SSLError as error:
        return f"{error.reason}."
    return "the handshake does not end."


def known_authorities() -> bytes:
    """The root certificates of clients (certifi's), b"" if it is not installed."""
    try:
        import certifi
    except ImportError:
        return b""
    return Path(certifi.where()).read_bytes()


def _handshake(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _check_leaf(leaf: x509.Certificate, hostname: str, now: datetime) -> None:
    problems = []
    dns, ips = alternative_names(leaf)
    if not matches(hostname, dns, ips):
        problems.append(f"It is not for '{hostname}'; its names: {', '.join((*dns, *ips)) or 'none'}.")
    if common_name(leaf.subject) != hostname:
        problems.append(
            f"Its common name is '{common_name(leaf.subject) or 'missing'}', not '{hostname}': DCOR-Aid takes the server's "
            "address from there."
        )
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        problems.append(
            f"It is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}."
        )
    if any(len(rdn) > 1 for rdn in leaf.subject.rdns):
        problems.append("Its subject has a multi-valued part, which DCOR-Aid cannot read.")
    if problems:
        raise invalid({"certificate": problems})


def _readable(authorities: bytes) -> list[x509.Certificate]:
    """The parseable certificates of a PEM bundle; some public authorities' certificates violate current rules."""
    found = []
    end = b"-----END CERTIFICATE-----"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in authorities.split(end)[:-1]:
            try:
                found.append(x509.load_pem_x509_certificate(block + end))
            except ValueError:
                continue
    return found


def _pkcs12(data: bytes, password: str | None) -> tuple[list[x509.Certificate], PrivateKey | None]:
    key, leaf, others = pkcs12.load_key_and_certificates(data, password.encode() if password is not None else None)
    certificates = [*([leaf] if leaf else []), *others]
    if not certificates:
        raise ValueError("no certificate")
    return certificates, _usable_key(key) if key is not None else None


def _encrypted_key(data: bytes, password: str | None) -> object:
    if not password:
        raise invalid(message="The private key is encrypted; its password is needed.")
    try:
        return serialization.load_pem_private_key(data, password.encode())
    except ValueError as error:
        raise invalid(message="The password of the private key is wrong.") from error


def _usable_key(key: object) -> PrivateKey:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _SMALLEST_RSA:
            raise invalid(message=f"The RSA key has {key.key_size} bits; at least {_SMALLEST_RSA} are needed.")
        return key
    raise invalid(message="Only RSA and elliptic-curve keys can be used.")


def _issuer(certificate: x509.Certificate, among: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """The issuer of `certificate`; of several (cross-signed authorities), the one valid longest."""
    if _self_issued(certificate):
        return None
    signers = [one for one in among if one.subject == certificate.issuer and _signed(certificate, one)]
    return max(signers, key=lambda one: (_self_issued(one), one.not_valid_after_utc), default=None)


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _self_issued(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject and _signed(certificate, certificate)


def _spki(public: object) -> bytes:
    return public.public_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
