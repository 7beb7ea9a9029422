"""The watch of a running service: the certificate's alarm, and mail about whatever is new."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from appliance.external_settings import Mail
from appliance.jobs import schedule
from appliance.store import alarms
from appliance.tls import certificate
from appliance.tls import names as certificate_names
from tests.support.ports import LOOPBACK, unused_port

from .conftest import Appliance


class _Session(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to get rid of a message."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = list(iter(self.rfile.readline, b".\r\n"))
                self.server.letters.append(b"".join(lines).decode())  # type: ignore[attr-defined]
            self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def letters(appliance: Appliance) -> Iterator[list[str]]:
    """What a mail server, which the appliance is configured for, has taken."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.letters = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mail = Mail(f"127.0.0.1:{server.server_address[1]}", "dcor@clinic.example", "it@clinic.example")
        appliance.settings = replace(appliance.settings, mail=mail)
        yield server.letters  # type: ignore[attr-defined]
        server.shutdown()


def certify(appliance: Appliance, days: int) -> None:
    settings = appliance.settings
    wanted = certificate_names.names_for(settings.server.hostname, try_out=True)
    certificate.store(certificate.create_self_signed(wanted, days=days), settings.certificate, settings.certificate_key)


def watch(appliance: Appliance) -> Any:
    job_id = appliance.enqueue("watch")
    appliance.run_all()
    job = appliance.job(job_id)
    assert job["state"] == "done", job
    return job["result"]


def open_(appliance: Appliance) -> list[str]:
    with appliance.db.read() as conn:
        return [f"{alarm['kind']} {alarm['object_id']}".strip() for alarm in alarms.open_(conn)]


def test_the_running_service_looks_at_the_clock_of_the_certificate(appliance: Appliance) -> None:
    assert "watch" in [entry.kind for entry in schedule.entries(appliance.settings)]
    seen = []
    for days in (400, 25, 25, 5, 400):
        certify(appliance, days)
        watch(appliance)
        seen.append(open_(appliance))
    assert seen == [[], ["certificate 30 days"], ["certificate 30 days"], ["certificate 7 days"], []]


def test_every_alarm_is_mailed_once_in_a_digest(appliance: Appliance, letters: list[str]) -> None:
    certify(appliance, 400)
    assert watch(appliance)["mailed"] == 0
    with appliance.db.write() as tx:
        alarms.raise_(tx, "backup", "", "The backup failed: the disk is away")
        alarms.raise_(tx, "scrub", "abc", "The original file of resource abc has changed.")
    assert [watch(appliance)["mailed"] for _ in range(2)] == [2, 0]
    (letter,) = letters
    assert "Subject: DCOR localhost: 2 new alarms" in letter or "2 new alarms" in letter
    assert "the disk is away" in letter
    assert "resource abc" in letter
    certify(appliance, 25)
    watch(appliance)
    assert len(letters) == 2
    assert "expires on" in letters[1]


def test_a_mail_server_that_takes_nothing_is_an_alarm_and_the_mail_waits(
    appliance: Appliance, letters: list[str]
) -> None:
    certify(appliance, 25)
    right = appliance.settings
    with unused_port() as port:
        appliance.settings = replace(right, mail=replace(right.mail, server=f"{LOOPBACK}:{port}"))
        watch(appliance)
    assert sorted(open_(appliance)) == ["certificate 30 days", "mail"]
    appliance.settings = right
    assert watch(appliance)["mailed"] == 1
    assert open_(appliance) == ["certificate 30 days"]
    assert len(letters) == 1
