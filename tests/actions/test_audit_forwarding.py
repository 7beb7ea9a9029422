"""The audit log reaches a syslog server: every entry, in order, also after the server was away; the form is that of RFC 5424."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance import settings as settings_module
from appliance.actions import audit_forwarding
from appliance.external_settings import Syslog
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.settings import Settings
from appliance.store import alarms, audit
from appliance.store.database import Database
from appliance.tls import certificate
from appliance.tls import names as certificate_names
from tests.support.ports import unused_port


class _Syslog(socketserver.StreamRequestHandler):
    """Takes messages with their lengths before them."""

    def handle(self) -> None:
        if self.server.context is not None:  # type: ignore[attr-defined]
            try:
                self.request = self.server.context.wrap_socket(self.request, server_side=True)  # type: ignore[attr-defined]
            except OSError:
                return
            self.rfile = self.request.makefile("rb")
        while True:
            length = b""
            while (letter := self.rfile.read(1)) not in (b" ", b""):
                length += letter
            if not length:
                return
            self.server.taken.append(self.rfile.read(int(length)).decode())  # type: ignore[attr-defined]


@contextmanager
def listening(port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[Any]:
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), _Syslog) as made:
        made.taken, made.context = [], context  # type: ignore[attr-defined]
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def db(tmp_path: Path) -> Database:
    made = Database(tmp_path / "dcor.sqlite")
    made.create()
    return made


def settings_for(place: str, authority: str = "") -> Settings:
    return dataclasses.replace(settings_module.Settings(), syslog=Syslog(place, authority))


def enter(db: Database, *actions: str) -> None:
    with db.write() as tx:
        for action in actions:
            audit.add(tx, OPERATOR, action, "thing", "x", text='"quoted"\nline two', name="Jörg")


FORM = re.compile(
    r"<110>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) localhost dcor - (\S+) - \ufeff(\{.*\})", re.DOTALL
)


def test_every_entry_once_in_order_and_in_form(db: Database) -> None:
    enter(db, "one.make", "two.make")
    with listening() as server:
        settings = settings_for(f"tcp://127.0.0.1:{server.server_address[1]}")
        assert audit_forwarding.forward(db, settings) == 2
        assert audit_forwarding.forward(db, settings) == 0
        enter(db, "three.make")
        assert audit_forwarding.forward(db, settings) == 1
    found = [FORM.fullmatch(text) for text in server.taken]
    assert all(found), server.taken
    assert [one[2] for one in found if one] == ["one.make", "two.make", "three.make"]
    entry = json.loads(found[0][3])  # type: ignore[index]
    assert entry["detail"] == {"text": '"quoted"\nline two', "name": "Jörg"}
    assert entry["seq"] == 1


def test_nothing_is_lost_while_the_server_is_away(db: Database) -> None:
    enter(db, "one.make")
    with unused_port() as port:
        settings = settings_for(f"tcp://127.0.0.1:{port}")
        assert audit_forwarding.forward(db, settings) == 0
        enter(db, "two.make")
        assert audit_forwarding.forward(db, settings) == 0
    with db.read() as conn:
        (alarm,) = alarms.open_(conn)
    assert (alarm["kind"], "are kept" in alarm["message"]) == ("syslog", True)
    with listening(port) as server:
        assert audit_forwarding.forward(Database(db.path), settings) == 2  # another process: the queue has survived
    assert [FORM.fullmatch(text)[2] for text in server.taken] == ["one.make", "two.make"]  # type: ignore[index]
    with db.read() as conn:
        assert alarms.open_(conn) == []


def test_more_than_one_batch(db: Database) -> None:
    enter(db, *(f"many.{number}" for number in range(1201)))
    with listening() as server:
        assert audit_forwarding.forward(db, settings_for(f"tcp://127.0.0.1:{server.server_address[1]}")) == 1201
    assert [FORM.fullmatch(text)[2] for text in server.taken] == [f"many.{number}" for number in range(1201)]  # type: ignore[index]


def test_tls_goes_to_a_verified_server_only(db: Database, tmp_path: Path) -> None:
    cert, key = tmp_path / "server.cert", tmp_path / "server.key"
    names = certificate_names.names_for("localhost", extra=["127.0.0.1"], try_out=True)
    certificate.store(certificate.create_self_signed(names), cert, key)
    enter(db, "one.make")
    with listening(context=certificate.server_context(cert, key)) as server:
        place = f"tls://localhost:{server.server_address[1]}"
        assert audit_forwarding.forward(db, settings_for(place)) == 0
        assert server.taken == []
        with db.read() as conn:
            assert "certificate" in alarms.open_(conn)[0]["message"].lower()
        assert audit_forwarding.forward(db, settings_for(place, str(cert))) == 1
    assert len(server.taken) == 1


def test_udp(db: Database) -> None:
    enter(db, "one.make")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        assert audit_forwarding.forward(db, settings_for(f"udp://127.0.0.1:{server.getsockname()[1]}")) == 1
        server.settimeout(10.0)
        assert FORM.fullmatch(server.recv(65536).decode())


@pytest.mark.parametrize("text", ["siem", "http://siem", "tls://", "tcp://siem:99999", "tcp://a b", "udp://siem:x"])
def test_what_is_no_server_is_told(text: str) -> None:
    with pytest.raises(Problem, match="is not a syslog server such as"):
        audit_forwarding.target_of(text)


def test_the_usual_ports() -> None:
    assert audit_forwarding.target_of("tls://siem.lab.example").port == 6514
    assert audit_forwarding.target_of("tcp://[2001:db8::1]:601").host == "2001:db8::1"


def test_an_entry_of_any_length_stops_nothing_and_says_what_was_left_out(db: Database) -> None:
    enter(db, "one.make")
    with db.write() as tx:
        audit.add(tx, OPERATOR, "token.revoke", "token", "x", further=["9" * 36] * 2000)
    enter(db, "three.make")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10.0)
        assert audit_forwarding.forward(db, settings_for(f"udp://127.0.0.1:{server.getsockname()[1]}")) == 3
        found = [server.recv(65536) for _ in range(3)]
    assert max(len(one) for one in found) <= audit_forwarding.LONGEST
    matches = [FORM.fullmatch(one.decode()) for one in found]
    assert [match and match[2] for match in matches] == ["one.make", "token.revoke", "three.make"]
    assert matches[1] is not None
    left_out = json.loads(matches[1][3])["detail"]
    with db.read() as conn:
        (whole,) = (row["detail"] for row in audit.after(conn, 0, 10) if row["action"] == "token.revoke")
    assert left_out == {"left_out_bytes": len(whole), "sha256": hashlib.sha256(whole.encode()).hexdigest()}


def test_datagrams_that_have_left_are_not_sent_again(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(db, *(f"many.{number}" for number in range(50)))
    made = audit_forwarding.message

    def fails(entry: dict[str, Any], hostname: str) -> bytes:
        if entry["action"] == "many.40":
            raise OSError("the network is down")
        return made(entry, hostname)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        settings = settings_for(f"udp://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(audit_forwarding, "message", fails)
        assert audit_forwarding.forward(db, settings) == 0
        monkeypatch.undo()
        assert audit_forwarding.forward(db, settings) == 10, "from the one that did not leave"
