"""Signals to a running service."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path

import pytest

from tests.support.server import ApartAppliance
from tests.support.waiting import wait_for


def test_a_reload_with_an_unreadable_certificate_serves_the_old_one(tmp_path: Path) -> None:
    running = ApartAppliance(tmp_path / "data")
    try:
        good = running.settings.certificate.read_bytes()
        for garbage in (b"", b"garbage", good[: len(good) // 2]):
            running.settings.certificate.write_bytes(garbage)
            running._process.send_signal(signal.SIGHUP)
        wait_for(lambda: "service.certificate_unreadable" in (running.root / "tmp" / "serve.log").read_text())
        running.settings.certificate.write_bytes(good)
        assert running.admin.get("status_show").status == 200
    finally:
        running.stop()


def test_systemd_hears_signs_of_life_while_the_threads_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        running = ApartAppliance(tmp_path / "data")
        try:
            assert [listener.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        finally:
            running.stop()


def test_a_hanging_thread_silences_the_signs_of_life(tmp_path: Path) -> None:
    from appliance import service as service_module
    from tests.support.server import Appliance

    running = Appliance(tmp_path / "data")
    gate, entered = threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        gate.wait(60)

    try:
        assert running.service.stalled() == []
        running.service.jobs.loops[0]._turn = hang
        assert entered.wait(30)
        wait_for(lambda: "jobs" in running.service.stalled_after(3.0))
        answer = running.nobody.fetch("/healthz")
        assert answer.status_code == 200  # two minutes have not passed
        assert service_module.STALL_SECONDS >= 60
    finally:
        gate.set()
        running.stop()
