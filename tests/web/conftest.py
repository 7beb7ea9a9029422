"""A gateway with a throw-away certificate, and raw connections to it."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.web.gateway import Gateway, Limits

NAME = "dcor.example.org"


def make_certificate(
    folder: Path, name: str = NAME, alternatives: x509.ExtensionType | None = None
) -> tuple[Path, Path]:
    """A self-signed P-256 certificate for `name`, localhost and 127.0.0.1 (or `alternatives`); returns (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(alternatives or x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    cert_path, key_path = folder / "server.cert", folder / "server.key"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate, key) for the whole session."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def serve(certificate: tuple[Path, Path], tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Start gateways: ``serve(routes, context, limits=…)``; they stop with the test."""
    running: list[Gateway] = []

    def start(routes: Any = (), context: Any = None, **options: Any) -> Gateway:
        options.setdefault("limits", Limits(tick=0.02))
        gateway = Gateway(routes, context, certificate=certificate[0], key=certificate[1], names=[NAME], **options)
        gateway.start()
        running.append(gateway)
        return gateway

    yield start
    for gateway in running:
        gateway.stop(0.0)


class Raw:
    """A TLS connection on which a test says exactly what it wants."""

    def __init__(
        self, port: int, *, tls: bool = True, timeout: float = 20.0, rcvbuf: int | None = None, source: str = ""
    ) -> None:
        self.sock = socket.socket()
        if source:
            self.sock.bind((source, 0))
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        self.sock.connect(("127.0.0.1", port))
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.file = self.sock.makefile("rb")

    def send(self, data: bytes | str) -> Raw:
        """Send; text gets its line ends made CRLF."""
        if isinstance(data, str):
            data = data.replace("\n", "\r\n").encode("latin-1")
        self.sock.sendall(data)
        return self

    def head(self) -> tuple[str, dict[str, str]]:
        """(status line without version, headers in lower case) of the next answer."""
        line = self.file.readline().decode("latin-1").rstrip("\r\n")
        headers: dict[str, str] = {}
        while (field := self.file.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = field.partition(": ")
            headers[name.lower()] = value
        return line.removeprefix("HTTP/1.1 "), headers

    def answer(self) -> tuple[str, dict[str, str], bytes]:
        """The next answer with its body (by Content-Length, chunks, or the end)."""
        status, headers = self.head()
        if "content-length" in headers:
            return status, headers, self.file.read(int(headers["content-length"]))
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.file.readline(), 16):
                body += self.file.read(size)
                assert self.file.readline() == b"\r\n"
            assert self.file.readline() == b"\r\n"
            return status, headers, body
        return status, headers, self.file.read()

    def closed(self) -> bool:
        """The server has ended the connection (waits for it)."""
        try:
            return self.file.read(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def closed_during(self, piece: str) -> bool:
        """The server ends the connection although this goes on to arrive, again and again (waits for it)."""
        ended = threading.Event()

        def trickle() -> None:
            with suppress(OSError):
                while not ended.wait(0.02):
                    self.send(piece)

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            return self.closed()
        finally:
            ended.set()
            thread.join()

    def close(self) -> None:
        """End the connection."""
        self.sock.close()


@pytest.fixture
def connect() -> Iterator[Callable[..., Raw]]:
    """Open raw connections: ``connect(port, tls=True)``; they close with the test."""
    opened: list[Raw] = []

    def open_one(port: int, **options: Any) -> Raw:
        raw = Raw(port, **options)
        opened.append(raw)
        return raw

    yield open_one
    for raw in opened:
        raw.close()
