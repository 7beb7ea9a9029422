"""Somebody can write the database, but has not the key in secrets/: whatever they do to the audit log is found, everywhere alike."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from appliance import logs
from appliance import settings as settings_module
from appliance.actions import audit_log, backups
from appliance.backup import audit_anchors
from appliance.backup import manifest as manifests
from appliance.cli.common import CliState
from appliance.cli.root import run
from appliance.health import report
from appliance.health.base import Level, Premises
from appliance.model.audit_anchor import LogState
from appliance.model.viewer import Viewer
from appliance.store import alarms, audit, audit_chain, backup_source
from appliance.store.database import Database
from tests.cli.conftest import Dcor
from tests.support import old_audit


def log_in(path: Path, number: int) -> None:
    """So many further entries."""
    with closing(Database(path)) as db, db.write() as tx:
        for one in range(number):
            audit.add(tx, Viewer(name="eve"), "dataset.delete", "dataset", f"study-{one}")


def as_thief(path: Path) -> sqlite3.Connection:
    """A connection of whoever can write the file, past the program."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("DROP TRIGGER IF EXISTS audit_no_update")
    conn.execute("DROP TRIGGER IF EXISTS audit_no_delete")
    return conn


def chain_anew(conn: sqlite3.Connection, first: int) -> None:
    """Compute the links from `first` on as releases up to 0.1 did, without a key."""
    (chain,) = conn.execute("SELECT chain FROM audit WHERE seq = ?", (first - 1,)).fetchone() or (b"",)
    for seq, *values in conn.execute(
        f"SELECT seq, {old_audit.VALUES} FROM audit WHERE seq >= ? ORDER BY seq", (first,)
    ).fetchall():
        chain = old_audit.link(chain, tuple(values))
        conn.execute("UPDATE audit SET chain = ? WHERE seq = ?", (chain, seq))


def cut(conn: sqlite3.Connection) -> None:
    conn.execute("DELETE FROM audit WHERE seq > (SELECT max(seq) FROM audit) - 20")


def cut_with_record(conn: sqlite3.Connection) -> None:
    cut(conn)
    conn.execute(
        "UPDATE audit_chain SET (entries, link) = (SELECT seq, chain FROM audit ORDER BY seq DESC LIMIT 1) WHERE name = 'head'"
    )


def cut_without_records(conn: sqlite3.Connection) -> None:
    cut(conn)
    conn.execute("DELETE FROM audit_chain")


def falsify(conn: sqlite3.Connection) -> None:
    (last,) = conn.execute("SELECT max(seq) FROM audit").fetchone()
    conn.execute("UPDATE audit SET actor = 'ada' WHERE seq = ?", (last - 5,))
    chain_anew(conn, last - 5)


def all_plain(conn: sqlite3.Connection) -> None:
    """Falsified, chained without a key from the beginning, and the whole log said to be from before the key."""
    conn.execute("UPDATE audit SET actor = 'ada' WHERE seq = 2")
    chain_anew(conn, 1)
    conn.execute("UPDATE audit_chain SET (entries, link) = (SELECT seq, chain FROM audit ORDER BY seq DESC LIMIT 1)")


def swap(conn: sqlite3.Connection) -> None:
    (last,) = conn.execute("SELECT max(seq) FROM audit").fetchone()
    for old, new in ((last - 3, -1), (last - 4, last - 3), (-1, last - 4)):
        conn.execute("UPDATE audit SET seq = ? WHERE seq = ?", (new, old))


def remove_one(conn: sqlite3.Connection) -> None:
    conn.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit) - 7")


FORGERIES = [cut, cut_with_record, cut_without_records, falsify, all_plain, swap, remove_one]
each_forgery = pytest.mark.parametrize("forge", FORGERIES, ids=lambda one: one.__name__)


def inspected(root: Path) -> tuple[set[Level], str]:
    premises = Premises(root, settings_module.load(root, env={}))
    found = [one for named in report.checks() if named.name == "audit log" for one in named.findings(premises)]
    premises.db.close()
    return {one.level for one in found}, " ".join(one.detail for one in found)


@each_forgery
def test_it_is_found_without_any_note_elsewhere(
    people: Dcor, root: Path, forge: Callable[[sqlite3.Connection], None]
) -> None:
    log_in(root / "dcor.sqlite", 30)
    assert people("audit", "verify").code == 0
    with closing(as_thief(root / "dcor.sqlite")) as conn:
        forge(conn)
    said = people("audit", "verify", "--json")
    assert said.code == 1
    assert said.json["problems"]
    levels, details = inspected(root)
    assert levels == {Level.PROBLEM}
    assert all(text in details for text in said.json["problems"])
    # What is entered afterwards mends nothing.
    log_in(root / "dcor.sqlite", 3)
    assert people("audit", "verify").code == 1


@pytest.fixture
def kept(people: Dcor, root: Path, tmp_path: Path) -> Path:
    """A copy of the database, after which a backup was made of a log that had grown by then."""
    copy = tmp_path / "older.sqlite"
    backup_source.copy(root / "dcor.sqlite", copy)
    log_in(root / "dcor.sqlite", 25)
    assert people("backup", "keys").code == 0
    assert people("backup", "create").code == 0
    return copy


def put_back(root: Path, copy: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        (root / f"dcor.sqlite{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, root / "dcor.sqlite")


@pytest.mark.parametrize("further", [0, 100])
def test_an_older_copy_of_the_database_is_found_by_the_backup(
    people: Dcor, root: Path, kept: Path, further: int
) -> None:
    assert people("audit", "verify").code == 0
    put_back(root, kept)
    log_in(root / "dcor.sqlite", further)
    said = people("audit", "verify")
    assert said.code == 1
    assert "The backup" in said.out
    assert inspected(root)[0] == {Level.PROBLEM}
    assert people("backup", "create").code in (0, 1)
    assert people("audit", "verify").code == 1, "a later backup must not make it good"


def test_a_manifest_of_another_signer_says_nothing(people: Dcor, root: Path, kept: Path) -> None:
    settings = settings_module.load(root, env={})
    folder = root / "backups"
    found = manifests.find(folder)
    assert found.audit is not None
    stranger = manifests.Seal(b"somebody else")
    path = manifests.set_path(folder, found.name) / manifests.MANIFEST
    path.unlink()
    manifests.write(path, found, stranger)
    put_back(root, kept)
    with closing(Database(settings.database)) as db:
        assert audit_log.verify(db, settings).anchors == 0


def test_a_restore_on_purpose_is_explained(people: Dcor, root: Path, kept: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.txt"
    assert people("backup", "keys", "--replace", "--out", str(sheet)).code == 0
    older = people("backup", "create", "--json").json["name"]
    log_in(root / "dcor.sqlite", 10)
    newer = people("backup", "create", "--json").json["name"]
    assert older != newer
    target = tmp_path / "restored"
    arguments = ["backup", "restore", "--from", str(root / "backups"), "--key", str(sheet), "--backup", older]
    assert run(["--data", str(target), *arguments]) in (0, 1)
    shutil.copytree(root / "backups", target / "backups", dirs_exist_ok=True)
    state = CliState(target)
    verdict = audit_log.verify(state.db, state.settings)
    state.close()
    assert verdict.problems == []
    assert len(verdict.explained) == 1
    assert newer in verdict.explained[0]


def test_the_journal_is_a_witness_and_nobody_else_writes_in_it(people: Dcor, root: Path) -> None:
    settings = settings_module.load(root, env={})
    log_in(settings.database, 5)
    with closing(Database(settings.database)) as db, db.read() as conn:
        code = lambda text: audit_chain.authenticate(conn, text)  # noqa: E731
        true = audit_anchors.line(audit_chain.state(conn), "2026-01-31T02:00:00.000000", code)
        false = audit_anchors.line(LogState(999_999, "ab" * 32), "2026-01-31T02:00:00.000000", lambda _text: "00" * 32)

        def journal(message: str) -> str:
            return logs.JsonFormatter().format(logging.LogRecord("x", logging.INFO, "", 0, message, (), None))

        text = "\n".join(["Started.", journal(false), journal(true), "{audit.anchor", journal("audit.anchor a=b")])
        anchors = list(audit_anchors.of_lines(text, code))
        assert [one.state for one in anchors] == [audit_chain.state(conn)]
        assert audit_chain.verify(conn, anchors).problems == []
    with closing(as_thief(settings.database)) as thief:
        cut(thief)
    with closing(Database(settings.database)) as db, db.read() as conn:
        assert any("The journal of 2026-01-31" in text for text in audit_chain.verify(conn, anchors).problems)


def test_what_the_mail_said_can_be_compared(people: Dcor, root: Path) -> None:
    with closing(Database(root / "dcor.sqlite")) as db, db.read() as conn:
        noted = str(audit_chain.state(conn))
    assert people("audit", "verify", "--anchor", noted).code == 0
    log_in(root / "dcor.sqlite", 2)
    assert people("audit", "verify", "--anchor", noted).code == 0
    number, _, head = noted.partition(":")
    assert people("audit", "verify", "--anchor", f"{number}:{head[::-1]}").code == 1
    assert people("audit", "verify", "--anchor", f"{int(number) + 9}:{head}").code == 1
    assert people("audit", "verify", "--anchor", "nonsense").code == 2


def test_entries_from_before_the_key_hold_the_old_way(tmp_path: Path) -> None:
    path = tmp_path / "dcor.sqlite"
    with closing(Database(path)) as db:
        db.create()
    with closing(as_thief(path)) as conn:  # as the release before left it
        conn.execute("DROP TABLE audit_chain")
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'm0011_audit_key'")
        for number in range(1, 6):
            old_audit.add(conn, Viewer(name="ada"), "old", "thing", str(number))
    with closing(Database(path)) as db:
        assert db.migrate() == ["m0011_audit_key"]
    log_in(path, 3)
    with closing(Database(path)) as db, db.read() as conn:
        verdict = audit_chain.verify(conn)
    assert (verdict.entries, verdict.problems) == (8, [])
    with closing(as_thief(path)) as conn:
        conn.execute("UPDATE audit SET actor = 'eve' WHERE seq = 3")
        chain_anew(conn, 3)
    with closing(Database(path)) as db, db.read() as conn:
        assert audit_chain.verify(conn).problems
    (tmp_path / "secrets" / "audit.key").unlink()
    with closing(Database(path)) as db, db.read() as conn:
        assert "audit.key, is missing" in audit_chain.verify(conn).problems[0]
    assert not (tmp_path / "secrets" / "audit.key").exists()


def test_the_key_is_private_and_goes_into_the_backup(people: Dcor, root: Path) -> None:
    key = root / "secrets" / "audit.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "secrets/audit.key" in backups.source(settings_module.load(root, env={})).system


def test_the_daily_look_raises_an_alarm(people: Dcor, root: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_module.load(root, env={})
    with closing(Database(settings.database)) as db:
        with caplog.at_level("INFO"):
            assert audit_log.note_state(db, settings).problems == []
        (line,) = [record.getMessage() for record in caplog.records if audit_anchors.EVENT in record.getMessage()]
        with db.read() as conn:
            assert f"head={audit_chain.state(conn).head}" in line
            assert alarms.open_(conn) == []
        with closing(as_thief(settings.database)) as conn:
            falsify(conn)
        audit_log.note_state(db, settings)
        with db.read() as conn:
            assert [row["kind"] for row in alarms.open_(conn)] == [audit_log.ALARM]
