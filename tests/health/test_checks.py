"""The checks one by one: what each finds, on a data root where that one thing is wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance import settings as settings_module
from appliance.cli.init import prepare
from appliance.health import overview, report
from appliance.health.base import Finding, Level, NamedCheck, Premises
from appliance.model import times
from appliance.model.problem import Problem
from appliance.store import alarms, jobs
from appliance.tls import certificate
from appliance.tls import names as certificate_names
from tests.support.ports import unused_port

Usage = namedtuple("Usage", "total used free")
Look = Callable[..., list[Finding]]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A fresh data root called dcor.lab.example, on a port where nobody answers."""
    with unused_port() as port:
        options = {"server.hostname": "dcor.lab.example", "server.port": port, "depot.reserve": 0}
        prepare(tmp_path / "data", options, [])
        yield tmp_path / "data"


@pytest.fixture
def look(root: Path) -> Iterator[Look]:
    """Run one check, with some settings changed; returns what it found."""

    def run(name: str, **changes: Any) -> list[Finding]:
        settings = settings_module.load(root, env={}).replace(**changes)
        premises = Premises(root, settings)
        return [finding for named in report.checks() if named.name == name for finding in named.findings(premises)]

    return run


def levels(findings: list[Finding]) -> set[Level]:
    return {finding.level for finding in findings}


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({"server.hostname": "Dcor.lab.example"}, Level.PROBLEM, "capital"),
        ({"server.hostname": "dcor"}, Level.WARNING, "no dot"),
        ({"server.port": 8443}, Level.NOTE, "port 8443"),
        ({"depot.direct_upload": True}, Level.NOTE, "direct"),
        ({"policy.self_registration": True}, Level.WARNING, "register"),
        ({"policy.anonymous_access": True}, Level.NOTE, "without an account"),
        ({"depot.max_upload": 1000}, Level.NOTE, "limited"),
    ],
)
def test_settings_that_clients_stumble_over(look: Look, changes: dict[str, Any], level: Level, word: str) -> None:
    found = look("settings", **({"server.port": 443} | changes))
    assert any(finding.level is level and word in finding.detail for finding in found)


def test_good_settings(look: Look) -> None:
    assert levels(look("settings", **{"server.port": 443})) == {Level.OK}


@pytest.mark.parametrize(("free", "level"), [(50e9, Level.OK), (5e9, Level.WARNING), (1e9, Level.PROBLEM)])
def test_free_space(look: Look, monkeypatch: pytest.MonkeyPatch, free: float, level: Level) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100e9, 0, free if path != "/" else 50e9))
    assert levels(look("free space", **{"depot.reserve": 2 * 10**9})) == {level}


def test_a_clock_behind_the_newest_file_is_wrong(look: Look, root: Path) -> None:
    assert levels(look("clock")) <= {Level.OK, Level.NOTE}
    ahead = time.time() + 86400
    os.utime(root / "dcor.sqlite", (ahead, ahead))
    assert levels(look("clock")) == {Level.PROBLEM}


def test_leftovers_move_to_quarantine(look: Look, root: Path) -> None:
    old = root / "tmp" / "parts" / "x.part"
    old.parent.mkdir(parents=True, exist_ok=True)
    old.write_bytes(b"half a file")
    os.utime(old, (1e9, 1e9))
    (finding,) = look("leftovers")
    assert finding.repair is not None
    assert "1 files" in finding.repair()
    assert not old.exists()
    assert [path.read_bytes() for path in (root / "quarantine").rglob("*") if path.is_file()] == [b"half a file"]
    assert levels(look("leftovers")) == {Level.OK}


def test_certificate_of_another_host_and_near_its_end(look: Look, root: Path) -> None:
    assert levels(look("certificate")) == {Level.OK}
    assert (
        "not valid for 'other.lab.example'" in look("certificate", **{"server.hostname": "other.lab.example"})[0].detail
    )
    for days, level in ((20, Level.WARNING), (5, Level.PROBLEM)):
        pair = certificate.create_self_signed(certificate_names.names_for("dcor.lab.example"), days=days)
        certificate.store(pair, root / "certificates" / "server.cert", root / "certificates" / "server.key")
        assert levels(look("certificate")) == {level}


def test_key_and_certificate_that_do_not_belong_together(look: Look, root: Path) -> None:
    pair = certificate.create_self_signed(certificate_names.names_for("dcor.lab.example"))
    (root / "certificates" / "server.key").write_bytes(pair.key)
    assert levels(look("certificate")) == {Level.PROBLEM}
    assert levels(look("certificate chain")) == {Level.PROBLEM}


def test_nobody_listens(look: Look) -> None:
    assert levels(look("served certificate")) == {Level.NOTE}


def test_a_damaged_database_and_a_newer_one(look: Look, root: Path) -> None:
    assert levels(look("database")) == {Level.OK}
    with closing(sqlite3.connect(root / "dcor.sqlite")) as conn:
        conn.execute("PRAGMA user_version = 999")
    assert any("schema 999" in finding.detail for finding in look("database"))
    (root / "dcor.sqlite").unlink()
    assert levels(look("database")) == {Level.PROBLEM}


def test_a_changed_audit_log(look: Look, root: Path) -> None:
    from appliance.model.viewer import OPERATOR
    from appliance.store import audit
    from appliance.store.database import Database

    with Database(root / "dcor.sqlite").write() as tx:
        for number in range(3):
            audit.add(tx, OPERATOR, "test", "thing", str(number))
    assert levels(look("audit log")) == {Level.OK}
    with closing(sqlite3.connect(root / "dcor.sqlite")) as conn:
        conn.execute("DROP TRIGGER audit_no_update")
        conn.execute("UPDATE audit SET actor = 'somebody' WHERE seq = 2")
        conn.commit()
    assert levels(look("audit log")) == {Level.PROBLEM}


def test_jobs_that_wait_died_or_failed(look: Look, root: Path) -> None:
    from appliance.store.database import Database

    db = Database(root / "dcor.sqlite")
    with db.write() as tx:
        waiting = jobs.enqueue(tx, "statistics")
    assert levels(look("jobs")) == {Level.OK}
    with db.write() as tx:
        tx.execute("UPDATE job SET available = ? WHERE id = ?", (times.ahead(-timedelta(hours=1)), waiting))
    assert levels(look("jobs")) == {Level.PROBLEM}
    with db.write() as tx:
        tx.execute("UPDATE job SET state = 'running', lease_until = ?", (times.ahead(-timedelta(hours=1)),))
    assert levels(look("jobs")) == {Level.WARNING}
    with db.write() as tx:
        tx.execute("UPDATE job SET state = 'failed', error = 'no HDF5 file', lease_until = NULL")
    (finding,) = look("jobs")
    assert "no HDF5 file" in finding.detail
    assert waiting in finding.fix


def test_backups(look: Look, root: Path, tmp_path: Path) -> None:
    assert "no backup encryption key" in look("backup")[0].detail
    key = {"backup.recipient": "age1example", "backup.folder": str(tmp_path / "backups")}
    assert "does not exist" in look("backup", **key)[0].detail
    (tmp_path / "backups").mkdir()
    assert "no complete backup" in look("backup", **key)[0].detail
    for days, level in ((0, Level.OK), (3, Level.PROBLEM)):
        shutil.rmtree(tmp_path / "backups", ignore_errors=True)
        name = time.strftime("%Y-%m-%d_%H%M%S", time.gmtime(time.time() - days * 86400))
        folder = tmp_path / "backups" / name[:7] / name
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text('{\n "kind": "full"\n}')
        assert level in levels(look("backup", **key))


def test_alarms_are_problems_until_settled(look: Look, root: Path) -> None:
    from appliance.store.database import Database

    db = Database(root / "dcor.sqlite")
    with db.write() as tx:
        alarm = alarms.raise_(tx, "scrub", "x", "a file is bad")
    assert alarm is not None
    (finding,) = look("alarms")
    assert alarm in finding.fix
    with db.write() as tx:
        alarms.resolve(tx, alarm)
    assert levels(look("alarms")) == {Level.OK}


def test_a_maintenance_job_that_failed_once_is_forgotten_when_it_succeeds(root: Path, look: Look) -> None:
    from appliance.store.database import Database

    db = Database(root / "dcor.sqlite")
    with db.write() as tx:
        claimed = jobs.claim(tx, jobs.enqueue(tx, "statistics"), "worker", 60.0)
        assert claimed is not None
        jobs.fail(tx, claimed, "no room", permanent=True)
    (finding,) = look("jobs")
    assert finding.detail == "statistics failed: no room"
    with db.write() as tx:
        claimed = jobs.claim(tx, jobs.enqueue(tx, "statistics"), "worker", 60.0)
        assert claimed is not None
        jobs.finish(tx, claimed)
    assert levels(look("jobs")) == {Level.OK}


def test_a_check_that_cannot_work_is_a_problem_and_stops_nothing(root: Path) -> None:
    def broken(_premises: Premises) -> Iterator[Finding]:
        raise Problem(500, "x", message="no idea")
        yield

    named = NamedCheck("broken", "nothing", broken)
    (finding,) = named.findings(Premises(root, settings_module.load(root, env={})))
    assert finding.level is Level.PROBLEM
    assert "no idea" in finding.detail


def test_a_repair_that_fails_is_reported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "secrets").chmod(0o755)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(Path, "chmod", refuse)
    result = report.examine(Premises(root, settings_module.load(root, env={})), repair=True, only=["folders"])
    assert not result.healthy
    assert any("the repair failed" in finding.detail for finding in result.findings)


def test_the_overview_has_a_state_for_the_light(root: Path) -> None:
    data = overview.overview(Premises(root, settings_module.load(root, env={})))
    assert (data["running"], overview.state_of(data)) == (False, "problem")
    good = data | {"running": True, "disk_free": 50, "disk_total": 100}
    assert overview.state_of(good) == "warning"  # no backup yet
    assert overview.state_of(good | {"backup_age": 60}) == "ok"
