"""Uploads through ClamAV: the real daemon (with a signature of our own) where the machine has it, and one that speaks as it does."""

from __future__ import annotations

import dataclasses
import shutil
import socketserver
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from appliance.actions import virus_gate
from appliance.backup import gpg
from appliance.jobs import virus_scan
from appliance.jobs.registry import JobContext
from appliance.model.problem import Problem
from appliance.security import clamd
from appliance.settings import Clamav, Settings
from appliance.store import alarms, file_checks
from appliance.store import resources as rows
from tests.support.waiting import wait_until

from .conftest import Appliance

SIGN = b"this-is-a-signature-for-tests-of-dcor-and-nothing-else"
NAME = "Dcor.Test"
LIMIT = 3 << 20


BROKEN = b"what-the-daemon-cannot-read"


class _Daemon(socketserver.StreamRequestHandler):
    """clamd's side of PING and INSTREAM."""

    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += self.rfile.read(1)
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
            return
        content = b""
        while size := struct.unpack("!I", self.rfile.read(4))[0]:
            content += self.rfile.read(size)
            if len(content) > LIMIT:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        if BROKEN in content:
            return
        self.wfile.write(f"stream: {NAME} FOUND\0".encode() if SIGN in content else b"stream: OK\0")


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path is as short as a socket's has to be."""
    with tempfile.TemporaryDirectory(prefix="dcor-test-", dir=gpg.short_folder()) as folder:
        yield Path(folder)


@pytest.fixture(params=["stand-in", "real"])
def daemon(request: pytest.FixtureRequest, tmp_path: Path, short: Path) -> Iterator[str]:
    """The path of a socket where ClamAV answers."""
    place = short / "c"
    if request.param == "stand-in":
        with socketserver.ThreadingUnixStreamServer(str(place), _Daemon) as made:
            threading.Thread(target=made.serve_forever, daemon=True).start()
            yield str(place)
            made.shutdown()
        return
    program = shutil.which("clamd")
    if program is None:
        pytest.skip("clamav-daemon is not installed")
    signatures = tmp_path / "signatures"
    signatures.mkdir()
    (signatures / "dcor.ndb").write_text(f"{NAME}:0:*:{SIGN.hex()}\n")
    config = tmp_path / "clamd.conf"
    config.write_text(
        f"LocalSocket {place}\nDatabaseDirectory {signatures}\nForeground yes\nStreamMaxLength {LIMIT}\nMaxFileSize {LIMIT}\n"
        f"OfficialDatabaseOnly no\nTemporaryDirectory {tmp_path}\n"
    )
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert wait_until(lambda: _answers(str(place)) or process.poll() is not None, 60.0)
        assert process.poll() is None, process.stdout and process.stdout.read()
        yield str(place)
    finally:
        process.terminate()
        process.wait(30)


def _answers(place: str) -> bool:
    try:
        clamd.ping(place)
    except clamd.ClamdError:
        return False
    return True


def settings_for(appliance: Appliance, place: str, **options: Any) -> Settings:
    return dataclasses.replace(appliance.settings, clamav=Clamav(place, **options))


def scan(appliance: Appliance, place: str, **options: Any) -> dict[str, Any]:
    settings = settings_for(appliance, place, **options)
    context = SimpleNamespace(settings=settings, db=appliance.db, depot=appliance.depot, cancelled=lambda: False)
    return dict(virus_scan.run(cast(JobContext, context)).result)


def upload(appliance: Appliance, tmp_path: Path, dataset: str, name: str, content: bytes) -> str:
    (tmp_path / name).write_bytes(content)
    return appliance.add(dataset, tmp_path / name)


def told(appliance: Appliance) -> list[tuple[str, str]]:
    with appliance.db.read() as conn:
        return [(one["kind"], one["message"]) for one in alarms.open_(conn)]


@pytest.mark.parametrize("state", ["draft", "active"])
def test_an_infected_upload_goes_to_quarantine_and_the_others_stay(
    appliance: Appliance, daemon: str, tmp_path: Path, state: str
) -> None:
    dataset = appliance.dataset(state=state)
    good = upload(appliance, tmp_path, dataset, "good.txt", b"measured\n" * 1000)
    bad = upload(appliance, tmp_path, dataset, "bad.txt", b"x" * 2_000_000 + SIGN + b"y" * 1000)
    assert scan(appliance, daemon) == {"scanned": 2, "infected": 1}
    with appliance.db.read() as conn:
        assert rows.get(conn, bad) is None
        assert rows.get(conn, good) is not None
        assert conn.execute("SELECT action FROM audit WHERE object_id = ? ORDER BY seq", (bad,)).fetchall()[-1][0] == (
            "resource.infected"
        )
    assert not appliance.depot.path(bad).exists()
    assert appliance.depot.path(good).is_file()
    assert any(path.name.endswith(bad) for path in (appliance.root / "quarantine").iterdir())
    ((kind, message),) = told(appliance)
    assert kind == "virus"
    assert NAME in message
    assert bad in message
    assert "quarantine/" in message
    assert scan(appliance, daemon) == {"scanned": 0, "infected": 0}, "each is scanned once"


def test_what_the_daemon_does_not_take_is_told(appliance: Appliance, daemon: str, tmp_path: Path) -> None:
    large = upload(appliance, tmp_path, appliance.dataset(), "large.txt", b"z" * (LIMIT + (2 << 20)))
    scan(appliance, daemon)
    ((kind, message),) = told(appliance)
    assert (kind, large in message, "StreamMaxLength" in message) == ("virus scan", True, True)
    assert "clamav.too_large (hold or release)" in message
    with appliance.db.read() as conn:
        assert virus_gate.is_waiting(conn, settings_for(appliance, daemon), large), "not released without a scan"
        assert not virus_gate.is_waiting(conn, settings_for(appliance, daemon, too_large="release"), large)
        for too_large in ("hold", "release"):
            assert virus_gate.is_too_large(conn, settings_for(appliance, daemon, too_large=too_large), large)
    with appliance.db.write() as tx:
        alarms.resolve_for(tx, kind, large)
    scan(appliance, daemon)
    assert told(appliance) == [], "it is not sent anew with each run"
    with appliance.db.write() as tx:
        tx.execute("UPDATE file_check SET checked = '2020-01-01T00:00:00.000000'")
    scan(appliance, daemon)
    assert len(told(appliance)) == 1, "but every day"


def test_a_file_that_was_too_large_once_is_scanned_when_the_limit_was_raised(
    appliance: Appliance, tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = upload(appliance, tmp_path, appliance.dataset(), "large.txt", b"z" * (LIMIT + (2 << 20)))
    with socketserver.ThreadingUnixStreamServer(str(short / "d"), _Daemon) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        scan(appliance, str(short / "d"))
        monkeypatch.setattr(f"{__name__}.LIMIT", LIMIT * 2)
        with appliance.db.write() as tx:
            tx.execute("UPDATE file_check SET checked = '2020-01-01T00:00:00.000000'")
        assert scan(appliance, str(short / "d"))["scanned"] == 1
        made.shutdown()
    assert told(appliance) == []
    with appliance.db.read() as conn:
        assert not virus_gate.is_waiting(conn, settings_for(appliance, "x"), large)
        assert not virus_gate.is_too_large(conn, settings_for(appliance, "x"), large)


def test_while_the_daemon_is_away_uploads_wait(appliance: Appliance, tmp_path: Path, short: Path) -> None:
    dataset = appliance.dataset()
    bad = upload(appliance, tmp_path, dataset, "bad.txt", SIGN)
    assert "does not answer" in scan(appliance, str(short / "nothing"))["stopped"]
    assert [kind for kind, _message in told(appliance)] == ["clamav"]
    with socketserver.ThreadingUnixStreamServer(str(short / "d"), _Daemon) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        assert scan(appliance, str(short / "d")) == {"scanned": 1, "infected": 1}
        made.shutdown()
    assert [kind for kind, _message in told(appliance)] == ["virus"]
    with appliance.db.read() as conn:
        assert rows.get(conn, bad) is None


def test_a_file_at_which_the_daemon_fails_holds_nothing_back(appliance: Appliance, tmp_path: Path, short: Path) -> None:
    dataset = appliance.dataset()
    broken = upload(appliance, tmp_path, dataset, "broken.txt", BROKEN)
    good = upload(appliance, tmp_path, dataset, "good.txt", b"measured")
    unreadable = upload(appliance, tmp_path, dataset, "unreadable.txt", b"on a bad disk")
    place = appliance.depot.path(unreadable)
    place.unlink()
    place.mkdir()
    last = upload(appliance, tmp_path, dataset, "last.txt", b"measured, too")
    with socketserver.ThreadingUnixStreamServer(str(short / "d"), _Daemon) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        assert scan(appliance, str(short / "d")) == {"scanned": 2, "infected": 0}
        made.shutdown()
    with appliance.db.read() as conn:
        assert [file_checks.is_noted(conn, one, "virus") for one in (broken, good, last)] == [False, True, True]
    ((kind, message),) = told(appliance)
    assert (kind, broken in message) == ("virus scan", True)


def test_a_socket_that_is_none_is_told() -> None:
    with pytest.raises(Problem, match="neither the path of a socket nor host:port"):
        clamd.ping("clamd")
