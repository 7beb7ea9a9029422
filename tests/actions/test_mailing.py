"""Mail to the administrator: encrypted where the server offers it, and failures in words."""

from __future__ import annotations

import base64
import dataclasses
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.actions import mailing
from appliance.external_settings import Mail
from appliance.model.problem import Problem
from appliance.tls import certificate
from appliance.tls import names as certificate_names
from tests.support.ports import unused_port


class _Session(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs that begins TLS before it says anything of interest."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            word = line.split()[0].upper()
            self.server.heard.append(word)  # type: ignore[attr-defined]
            if word == b"EHLO":
                self.wfile.write(b"250-here\r\n250 STARTTLS\r\n")
            elif word == b"STARTTLS":
                self.wfile.write(b"220 go on\r\n")
                self.request = self.server.context.wrap_socket(self.request, server_side=True)  # type: ignore[attr-defined]
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
                return self.encrypted()
        return None

    def encrypted(self) -> None:
        for line in self.rfile:
            word = line.split()[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.letters.append(letter.decode())  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[socketserver.ThreadingTCPServer]:
    """A mail server that offers STARTTLS; `heard` are the words said before it, `letters` what it took after it."""
    cert, key = tmp_path / "server.cert", tmp_path / "server.key"
    certificate.store(certificate.create_self_signed(certificate_names.names_for("localhost", try_out=True)), cert, key)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as made:
        made.heard, made.letters = [], []  # type: ignore[attr-defined]
        made.context = certificate.server_context(cert, key)  # type: ignore[attr-defined]
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def test_a_message_goes_encrypted_where_the_server_offers_it(server: socketserver.ThreadingTCPServer) -> None:
    settings = Mail(f"127.0.0.1:{server.server_address[1]}", "dcor@clinic.example")
    mailing.send(settings, "it@clinic.example", "Disk", "It is full.")
    assert server.heard == [b"EHLO", b"STARTTLS"]  # type: ignore[attr-defined]
    (letter,) = server.letters  # type: ignore[attr-defined]
    assert "Subject: Disk" in letter
    assert "It is full." in letter


@pytest.mark.parametrize("name", ["", "127.0.0.1:{unused}", "127.0.0.1:smtp"])
def test_what_goes_wrong_is_said(name: str) -> None:
    with unused_port() as port, pytest.raises(Problem, match="did not accept the mail" if name else "No mail server"):
        mailing.send(Mail(name.format(unused=port)), "it@clinic.example", "x", "y")


class _Account(_Session):
    """The same, with a log-in after TLS."""

    def encrypted(self) -> None:
        for line in self.rfile:
            word = line.split()[0].upper()
            if word == b"EHLO":
                self.wfile.write(b"250-here\r\n250 AUTH PLAIN\r\n")
            elif word == b"AUTH":
                given = base64.b64decode(line.split()[2]).split(b"\0")[1:]
                self.server.logins.append(given)  # type: ignore[attr-defined]
                self.wfile.write(b"235 welcome\r\n" if given == [b"dcor", b"open sesame"] else b"535 no\r\n")
            elif word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.letters.append(letter.decode())  # type: ignore[attr-defined]
                self.wfile.write(b"250 ok\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")


class _Smtps(_Account):
    """Encrypted from the first byte."""

    def handle(self) -> None:
        try:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)  # type: ignore[attr-defined]
        except OSError:
            return
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.wfile.write(b"220 here\r\n")
        self.encrypted()


@pytest.fixture(params=["starttls", "tls"])
def account(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[socketserver.ThreadingTCPServer, Mail]]:
    """A mail server with a log-in, and settings that trust its certificate."""
    cert, key = tmp_path / "server.cert", tmp_path / "server.key"
    pair = certificate.create_self_signed(certificate_names.names_for("localhost", extra=["127.0.0.1"], try_out=True))
    certificate.store(pair, cert, key)
    handler = _Smtps if request.param == "tls" else _Account
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as made:
        made.heard, made.letters, made.logins = [], [], []  # type: ignore[attr-defined]
        made.context = certificate.server_context(cert, key)  # type: ignore[attr-defined]
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield (
            made,
            Mail(
                f"localhost:{made.server_address[1]}",
                security=request.param,
                authority=str(cert),
                sender="dcor@clinic.example",
                user="dcor",
            ),
        )
        made.shutdown()


def test_a_log_in_goes_to_a_verified_server(account: tuple[Any, Mail]) -> None:
    server, settings = account
    mailing.send(settings, "it@clinic.example", "Disk", "It is full.", password="open sesame")
    assert server.logins == [[b"dcor", b"open sesame"]]
    assert len(server.letters) == 1


def test_a_wrong_password_is_told_with_what_to_do(account: tuple[Any, Mail]) -> None:
    server, settings = account
    with pytest.raises(Problem, match=r"rejects the sign-in of dcor .* --login dcor"):
        mailing.send(settings, "it@clinic.example", "x", "y", password="wrong")
    assert server.letters == []


def test_nothing_is_told_to_a_server_that_is_not_verified(account: tuple[Any, Mail]) -> None:
    server, settings = account
    with pytest.raises(Problem, match=r"is not trusted here: .*mail\.authority"):
        mailing.send(dataclasses.replace(settings, authority=""), "it@clinic.example", "x", "y", password="open sesame")
    with pytest.raises(Problem, match="only to a verified mail server"):
        mailing.send(dataclasses.replace(settings, security="auto"), "it@clinic.example", "x", "y", password="z")
    assert (server.logins, server.letters) == ([], [])


def test_starttls_is_not_done_without(server: socketserver.ThreadingTCPServer) -> None:
    """A server (or somebody in between) that offers no STARTTLS gets no mail when it is demanded."""
    settings = Mail(f"127.0.0.1:{server.server_address[1]}", security="tls")
    with pytest.raises(Problem, match="did not accept the mail"):
        mailing.send(settings, "it@clinic.example", "x", "y")
    assert server.letters == []  # type: ignore[attr-defined]


def test_the_password_is_kept_for_the_service_alone(tmp_path: Path) -> None:
    mine = Mail("smtp.clinic.example:587", user="dcor")
    mailing.set_login_password(tmp_path / "secrets", mine, "open sesame")
    assert mailing.login_password(tmp_path / "secrets", mine) == "open sesame"
    assert (tmp_path / "secrets" / "mail.password").stat().st_mode & 0o777 == 0o600
    assert mailing.login_password(tmp_path, mine) == ""


@pytest.mark.parametrize(
    "other", [{"server": "smtp.thief.example"}, {"server": "smtp.thief.example:587"}, {"user": "x"}]
)
def test_another_server_or_account_does_not_get_the_password(
    account: tuple[Any, Mail], tmp_path: Path, other: dict[str, str]
) -> None:
    server, settings = account
    mailing.set_login_password(tmp_path / "secrets", dataclasses.replace(settings, **other), "open sesame")
    password = mailing.login_password(tmp_path / "secrets", settings)
    assert password == ""
    with pytest.raises(Problem, match=r"No password is known for dcor .* --login dcor"):
        mailing.send(settings, "it@clinic.example", "x", "y", password=password)
    assert server.logins == []
