"""A hospital's certificate authority for tests: root, intermediate, and signing of requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Authority:
    """A root that signed an intermediate that signs servers. `plain` leaves key identifiers and usages out."""

    plain: bool = False
    root_key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    middle_key: ec.EllipticCurvePrivateKey = field(default_factory=_key)

    def __post_init__(self) -> None:
        self.root = self._ca("Clinic Root", "Clinic Root", self.root_key, self.root_key)
        self.middle = self._ca("Clinic Servers", "Clinic Root", self.middle_key, self.root_key)

    def sign(self, request: bytes, *, days: int = 365, common_name: str | None = None) -> x509.Certificate:
        asked = x509.load_pem_x509_csr(request)
        subject = asked.subject if common_name is None else _name(common_name)
        builder = self._builder(subject, _name("Clinic Servers"), asked.public_key(), days)
        for extension in asked.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        return self._identified(builder, asked.public_key(), self.middle_key).sign(self.middle_key, hashes.SHA256())

    def _ca(
        self, name: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
    ) -> x509.Certificate:
        builder = self._builder(_name(name), _name(issuer), key.public_key(), 3650)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=not self.plain)
        if not self.plain:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        return self._identified(builder, key.public_key(), signer).sign(signer, hashes.SHA256())

    def _builder(self, subject: x509.Name, issuer: x509.Name, public: object, days: int) -> x509.CertificateBuilder:
        start = datetime.now(UTC) - timedelta(days=2)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
        )

    def _identified(
        self, builder: x509.CertificateBuilder, public: object, signer: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        if self.plain:
            return builder
        own = x509.SubjectKeyIdentifier.from_public_key(public)  # type: ignore[arg-type]
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        return builder.add_extension(own, critical=False).add_extension(issuer, critical=False)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
