"""Mail to the administrator: encrypted where the server offers it, and failures in words."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.actions import mailing
from appliance.model.problem import Problem
from appliance.settings import Mail
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
    with unused_port() as port, pytest.raises(Problem, match="did not take the mail" if name else "No mail server"):
        mailing.send(Mail(name.format(unused=port)), "it@clinic.example", "x", "y")
