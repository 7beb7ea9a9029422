"""The server's TLS certificate: self-signed by default, or requested from the institution's authority.

`server.cert` contains the chain, leaf first, as clients and access files need it; `server.key` the private key (0600).
"""

from __future__ import annotations

import ipaddress
import ssl
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.security.secrets import write_private
from appliance.tls.names import Names, matches

KEY_TYPES = ("p256", "rsa4096")
#: Validity of self-signed certificates [days].
DAYS = 3650
#: Days before expiry at which the administrator is warned.
WARN_AT = (30, 14, 7, 1)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

#: Mozilla's "intermediate" profile without what lacks forward secrecy or AEAD; TLS 1.3 brings its own list.
CIPHERS = ":".join(
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ]
)
# Clients' clocks may be slow.
_BACKDATE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate chain (PEM, leaf first) and its private key (PEM, unencrypted)."""

    chain: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Description:
    """The properties of a certificate. Times are timezone-aware; `days_left` is negative after expiry."""

    common_name: str
    dns: tuple[str, ...]
    ips: tuple[str, ...]
    issuer: str
    self_signed: bool
    not_before: datetime
    not_after: datetime
    days_left: int
    key_type: str
    fingerprint: str
    serial: str
    chain_length: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = asdict(self)
        plain["not_before"], plain["not_after"] = self.not_before.isoformat(), self.not_after.isoformat()
        return plain


def create_self_signed(names: Names, *, key_type: str = "p256", days: int = DAYS, now: datetime | None = None) -> Pair:
    """Return a new key and a self-signed certificate, valid for `days` from `now`.

    It is a server certificate only: in a system's trust store it cannot sign certificates for other names.
    """
    key = new_key(key_type)
    start = (now or datetime.now(UTC)).replace(microsecond=0)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.common_name)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _BACKDATE)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(key), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_alternative_names(names), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), key_pem(key))


def create_request(names: Names, *, key_type: str = "p256") -> Pair:
    """Return a new key and a signing request (PEM, in place of the chain) for an authority."""
    key = new_key(key_type)
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.common_name)]))
        .add_extension(_alternative_names(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(key), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(request.public_bytes(serialization.Encoding.PEM), key_pem(key))


def new_key(key_type: str) -> PrivateKey:
    """Return a new private key: "p256" (handshakes 190 times cheaper) or "rsa4096". Raises Problem 409 for others."""
    if key_type == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if key_type == "rsa4096":
        return rsa.generate_private_key(public_exponent=65537, key_size=4096)
    raise invalid({"key_type": [f"'{key_type}' is none of {', '.join(KEY_TYPES)}."]})


def key_pem(key: PrivateKey) -> bytes:
    """Return a private key as unencrypted PKCS#8 PEM: the service starts without interaction."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def store(pair: Pair, cert: Path, key: Path) -> None:
    """Replace the served certificate by `pair`; after a crash in between, `recover` completes it.

    A running server loads it automatically.
    """
    cert.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(_incoming(cert), pair.key + pair.chain)
    recover(cert, key)


def recover(cert: Path, key: Path) -> bool:
    """Complete an interrupted replacement of the certificate; return whether there was one.

    A running server and a command may do so at the same time: they write the same content.
    """
    incoming = _incoming(cert)
    try:
        private, marker, chain = incoming.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
    except FileNotFoundError:
        return False
    write_private(key, private)
    write_private(cert, marker + chain, mode=0o644)
    incoming.unlink(missing_ok=True)
    return True


def load_chain(cert: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file in its order. Raises Problem 409 when it is missing or holds none."""
    try:
        return x509.load_pem_x509_certificates(cert.read_bytes())
    except FileNotFoundError as error:
        raise invalid(
            message=Message("There is no certificate %(cert)s. `dcor certificate create` creates one.", cert=cert)
        ) from error
    except ValueError as error:
        raise invalid(message=Message("%(cert)s does not contain a readable certificate.", cert=cert)) from error


def describe(chain: list[x509.Certificate], now: datetime | None = None) -> Description:
    """Return the properties of the first certificate of `chain`."""
    leaf = chain[0]
    dns, ips = alternative_names(leaf)
    left = leaf.not_valid_after_utc - (now or datetime.now(UTC))
    return Description(
        common_name=common_name(leaf.subject),
        dns=dns,
        ips=ips,
        issuer=leaf.issuer.rfc4514_string(),
        self_signed=leaf.issuer == leaf.subject,
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        days_left=left // timedelta(days=1),
        key_type=_key_type(leaf),
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(":").upper(),
        serial=f"{leaf.serial_number:X}",
        chain_length=len(chain),
    )


def server_context(cert: Path, key: Path) -> ssl.SSLContext:
    """Return the context that is served with the pair: checks and the gateway use the same. Raises Problem 409 when the files do not belong together."""
    recover(cert, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key)
    except (ssl.SSLError, OSError) as error:
        raise invalid(
            message=Message(
                "The certificate %(cert)s cannot be used with the key %(key)s: %(error)s",
                cert=cert,
                key=key,
                error=_reason(error),
            )
        ) from error
    return context


def findings(cert: Path, key: Path, hostname: str, now: datetime | None = None) -> list[str]:
    """Return the problems of the served certificate for `hostname`, in sentences; empty = none."""
    try:
        chain = load_chain(cert)
        server_context(cert, key)
    except Problem as problem:
        return [str(problem)]
    about = describe(chain, now)
    found: list[str] = []
    if not matches(hostname, about.dns, about.ips):
        names = ", ".join((*about.dns, *about.ips)) or "none"
        found.append(
            Message(
                "The certificate is not valid for '%(hostname)s'; its names: %(names)s.", hostname=hostname, names=names
            )
        )
    if about.common_name.partition(":")[0] != hostname:
        found.append(
            Message(
                "The common name is '%(common_name)s', not '%(hostname)s': DCOR-Aid would take it for the server.",
                common_name=about.common_name,
                hostname=hostname,
            )
        )
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        found.append(Message("Other accounts can read the private key %(key)s; its mode must be 0600.", key=key))
    if about.not_before > (now or datetime.now(UTC)):
        found.append(
            Message(
                "The certificate is not valid before %(not_before)s; check the clock.",
                not_before=f"{about.not_before:%Y-%m-%d}",
            )
        )
    if about.days_left < 0:
        found.append(
            Message(
                "The certificate expired on %(not_after)s; clients can no longer connect.",
                not_after=f"{about.not_after:%Y-%m-%d}",
            )
        )
    elif warning(about.days_left) is not None:
        found.append(
            Message(
                "The certificate expires on %(not_after)s, in %(days_left)s days.",
                not_after=f"{about.not_after:%Y-%m-%d}",
                days_left=about.days_left,
            )
        )
    return found


def warning(days_left: int) -> int | None:
    """Return the threshold of `WARN_AT` that was passed last, None before the first. Warn once for each threshold."""
    passed = [days for days in WARN_AT if days_left <= days]
    return min(passed) if passed else None


def common_name(name: x509.Name) -> str:
    """Return the common name of a subject or issuer, "" when there is none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def alternative_names(certificate: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the host names and the IP addresses that a certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    dns = tuple(names.get_values_for_type(x509.DNSName))
    return dns, tuple(str(address) for address in names.get_values_for_type(x509.IPAddress))


def chain_pem(chain: Iterable[x509.Certificate]) -> bytes:
    """Return certificates as one PEM file in the given order."""
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in chain)


def _alternative_names(names: Names) -> x509.SubjectAlternativeName:
    entries: list[x509.GeneralName] = [x509.DNSName(name) for name in names.dns]
    entries += [x509.IPAddress(ipaddress.ip_address(address)) for address in names.ips]
    return x509.SubjectAlternativeName(entries)


def _key_usage(key: PrivateKey) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=isinstance(key, rsa.RSAPrivateKey),
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_type(certificate: x509.Certificate) -> str:
    public = certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return f"RSA {public.key_size}"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(
            public.curve.name, public.curve.name
        )
    return type(public).__name__


def _incoming(cert: Path) -> Path:
    return cert.with_name("incoming.pem")


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return Message("they do not belong together.")
    if isinstance(error, ssl.SSLError):
        return f"{error.reason or 'not readable'}."
    return f"{error.strerror}."
