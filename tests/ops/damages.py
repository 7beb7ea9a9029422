"""What an appliance may suffer, each as one function: the check that has to find it, a piece of its text, and the remedy it has to name.

A remedy is a list of commands that stand in the advice as written here ({root} and the like filled in), or a function that does
what the advice says in words. The test runs it and looks again.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import ssl
import threading
import time
from collections import namedtuple
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance import root_marker, service
from appliance.actions import backups
from appliance.backup import create as backup
from appliance.health import units
from appliance.model import times
from appliance.security import sealing, totp
from appliance.store import alarms, audit, inspection, jobs, second_factors, users
from appliance.store.database import Database
from appliance.tls import certificate
from appliance.tls import names as certificate_names
from tests.ops.place import HOST, Place

Remedy = str | Callable[[Place], None]
REPAIR = "dcor inspect --assume-yes"
RESTART = "systemctl restart dcor"
WHOLE = "dcor backup restore --replace --key key-sheet.txt"
SYSTEM = "dcor backup restore --system --key key-sheet.txt"
FILE = "dcor backup restore --file {resource} --key key-sheet.txt"


@dataclass(frozen=True)
class Damage:
    """:ivar check: the check that finds it; "" where no command works and every one says why. :ivar deep: only `--deep` finds it.

    :ivar text: in the finding or message. :ivar advice: words of the advice where the remedy is a function.
    :ivar root_only: needs the rights of root to be done.
    """

    name: str
    do: Callable[[Place], None]
    check: str
    text: str
    remedy: tuple[Remedy, ...]
    advice: str = ""
    deep: bool = False
    root_only: bool = False


DAMAGES: list[Damage] = []


def damage(
    check: str, text: str, *remedy: Remedy, advice: str = "", deep: bool = False, root_only: bool = False
) -> Callable[[Callable[[Place], None]], Callable[[Place], None]]:
    """Enter a function into the table."""

    def enter(do: Callable[[Place], None]) -> Callable[[Place], None]:
        DAMAGES.append(Damage(do.__name__, do, check, text, remedy, advice, deep, root_only))
        return do

    return enter


def jobs_run(place: Place) -> None:
    """The service has done its jobs."""
    place.done("jobs", "run")
    assert place.dcor("inspect", "--check", "derived files", "--json").json["findings"][0]["level"] == "ok"


def mounted(place: Place) -> None:
    """The volume is back where it belongs."""
    shutil.rmtree(place.root)
    place.root.with_name("away").rename(place.root)


# --- the data root --------------------------------------------------------------------------------------------------


@damage("", "Is its volume mounted", mounted, advice="sudo mount {root}")
def volume_not_mounted(place: Place) -> None:
    place.root.rename(place.root.with_name("away"))
    place.root.mkdir()


@damage(
    "",
    "dcor.sqlite is missing",
    "dcor --data {root} backup restore --replace --from {root}/backups --key key-sheet.txt",
)
def database_missing(place: Place) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{place.database}{suffix}").unlink(missing_ok=True)


@damage(
    "", "dcor.toml is missing", "dcor --data {root} backup restore --system --from {root}/backups --key key-sheet.txt"
)
def settings_missing(place: Place) -> None:
    (place.root / "dcor.toml").unlink()


@damage("data root", "one without a marker", "dcor --data {root} init --adopt")
def marker_missing(place: Place) -> None:
    (place.root / ".dcor-root").unlink()


@damage("data root", "is damaged", "rm {root}/.dcor-root", "dcor --data {root} init --adopt")
def marker_damaged(place: Place) -> None:
    (place.root / ".dcor-root").write_text("{")


@damage("data root", "is not the data root of this machine", "dcor --data {root} init --adopt")
def marker_of_another(place: Place) -> None:
    marker = root_marker.read(place.root)
    assert marker is not None
    root_marker.write(place.root, root_marker.Marker("0" * 36, "other.lab.example", marker.release))


@damage("data root", "cannot be read", "dcor --data {root} init --adopt")
def machine_record_damaged(place: Place) -> None:
    place.record.write_text("[]")


@damage(
    "data root",
    "was not finished",
    "dcor --data {root} backup restore --replace --from {root}/backups --key key-sheet.txt",
)
def restore_interrupted(place: Place) -> None:
    (place.root / root_marker.RESTORING).write_text(f"{place.newest_backup().name}\n")


# --- folders and rights ---------------------------------------------------------------------------------------------


def _missing(name: str) -> None:
    def lose(place: Place) -> None:
        path = place.root / name
        path.rename(place.top / "lost")

    lose.__name__ = f"folder_{name.replace('/', '_')}_missing"
    damage("folders", f"{name} is missing", REPAIR)(lose)


def _open(name: str, mode: int, check: str = "folders") -> None:
    def widen(place: Place) -> None:
        (place.root / name).chmod(mode)

    widen.__name__ = f"{name.replace('/', '_').replace('.', '_')}_open_to_others"
    damage(check, name, REPAIR)(widen)


for _name in ("depot/users", "tmp", "quarantine", "rollback", "log"):
    _missing(_name)
for _name, _mode in (("secrets", 0o755), ("depot", 0o777), ("tmp", 0o777), ("quarantine", 0o750), ("backups", 0o755)):
    _open(_name, _mode)
_open("secrets/signing.key", 0o644, "secrets")
_open("certificates/server.key", 0o640, "secrets")
_open("dcor.sqlite", 0o644, "database")


@damage("folders", "has mode 0500", REPAIR)
def folder_not_writable(place: Place) -> None:
    (place.root / "tmp").chmod(0o500)


@damage("folders", "is mounted read-only", lambda place: place.patches.pop().stop(), advice="mount -o remount,rw")
def volume_read_only(place: Place) -> None:
    found = os.statvfs(place.root)
    flags = list(found)
    flags[8] |= os.ST_RDONLY
    place.replace(os, "statvfs", lambda _path: os.statvfs_result(flags))


@damage("owner", "to UID 12345", "chown -R --no-dereference --reference={root} {root}", root_only=True)
def database_of_another_account(place: Place) -> None:
    os.chown(place.database, 12345, 12345)


@damage("secrets", "signing.key is missing", SYSTEM)
def signing_key_missing(place: Place) -> None:
    (place.root / "secrets" / "signing.key").unlink()


@damage("secrets", "signing.key is damaged", "rm {root}/secrets/signing.key", "dcor init")
def signing_key_damaged(place: Place) -> None:
    (place.root / "secrets" / "signing.key").write_text("abc\n")


@damage("secrets", "backup.key is missing", SYSTEM)
def backup_key_missing(place: Place) -> None:
    (place.root / "secrets" / "backup.key").unlink()


@damage("secrets", "audit.key is missing", SYSTEM)
def audit_key_missing(place: Place) -> None:
    (place.root / "secrets" / "audit.key").unlink()


@damage("secrets", "audit.key is damaged", "rm {root}/secrets/audit.key", SYSTEM)
def audit_key_damaged(place: Place) -> None:
    (place.root / "secrets" / "audit.key").write_bytes(b"\0" * 65)


@damage("secrets", "totp.key is missing", SYSTEM)
def totp_key_missing(place: Place) -> None:
    key = place.root / "secrets" / totp.KEY
    with closing(Database(place.database)) as db, db.write() as tx:
        boss = users.find(tx, "boss")
        assert boss is not None
        second_factors.begin(tx, boss["id"], sealing.seal(key, b"of the telephone", boss["id"]))
    place.done("backup", "create")
    key.unlink()


@damage("leftovers", "old files", REPAIR)
def leftover_part(place: Place) -> None:
    path = place.root / "tmp" / "parts" / "old.part"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half")
    os.utime(path, (1e9, 1e9))


# --- the machine ----------------------------------------------------------------------------------------------------

_Usage = namedtuple("_Usage", "total used free")


def room(place: Place) -> None:
    """There is room again."""
    place.patches.pop().stop()


@damage("free space", "0.1 GB of 100.0 GB free", room, advice="Add a disk")
def volume_full(place: Place) -> None:
    place.set("depot.reserve", "1000000000")
    place.replace(shutil, "disk_usage", lambda _path: _Usage(100e9, 0, 1e8))


@damage("clock", "UTC", lambda place: os.utime(place.database), advice="timedatectl set-ntp true")
def clock_behind(place: Place) -> None:
    ahead = time.time() + 86400
    os.utime(place.database, (ahead, ahead))


@damage("", "surver", lambda place: _settings(place, "surver", "server"), advice="server")
def setting_misspelt(place: Place) -> None:
    _settings(place, "server", "surver")


@damage("", "dcor.toml", lambda place: _settings(place, "[server", "[server]"), advice="dcor.toml")
def settings_no_toml(place: Place) -> None:
    _settings(place, "[server]", "[server")


@damage("settings", "capital letters", f"dcor config set server.hostname {HOST}")
def host_name_in_capitals(place: Place) -> None:
    _settings(place, f'"{HOST}"', f'"{HOST.upper()}"')


def _settings(place: Place, old: str, new: str) -> None:
    path = place.root / "dcor.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# --- systemd (a stand-in: what the real one does is tried on the booted machine) -------------------------------------

_SYSTEMCTL = """#!/bin/sh
# is-enabled|is-active UNIT, enable --now UNIT, daemon-reload: state in files beside this script
here=$(dirname "$0")
case $1 in
    is-enabled) [ -e "$here/$2.off" ] && echo disabled || echo enabled ;;
    is-active) [ -e "$here/$2.off" ] && echo inactive || echo active ;;
    enable) rm -f "$here/$3.off" ;;
esac
"""


def with_systemd(place: Place) -> Path:
    """Let the machine look as if it ran with systemd and the units of this release; → the folder of the stand-in."""
    tools = place.top / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(_SYSTEMCTL)
    (tools / "systemctl").chmod(0o755)
    installed, released = place.top / "installed", Path(__file__).parents[2] / "systemd"
    shutil.copytree(released, installed)
    for name, value in (("SYSTEMD", tools), ("UNITS", installed), ("RELEASED", released)):
        place.replace(units, name, value)
    place.replace(os, "environ", os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"})
    return tools


def _switched_off(unit: str) -> None:
    def switch_off(place: Place) -> None:
        (with_systemd(place) / f"{unit}.off").touch()

    switch_off.__name__ = f"{unit.replace('.', '_').replace('-', '_')}_off"
    damage("units", f"{unit} does not start at boot", f"systemctl enable --now {unit}")(switch_off)


for _name in (units.SERVICE, *units.TIMERS):
    _switched_off(_name)


@damage("units", "is not the one of this release", "install -m 644 {released}/dcor.service {installed}/dcor.service")
def unit_changed(place: Place) -> None:
    with_systemd(place)
    path = place.top / "installed" / "dcor.service"
    path.write_text(path.read_text().replace("NoNewPrivileges=yes\n", ""))


@damage("units", "cannot be read", "install -m 644 {released}/dcor-backup.timer {installed}/dcor-backup.timer")
def unit_missing(place: Place) -> None:
    with_systemd(place)
    (place.top / "installed" / "dcor-backup.timer").unlink()


# --- the service ----------------------------------------------------------------------------------------------------


@damage("service", "it is not running", "systemctl start dcor")
def service_stopped(place: Place) -> None:
    place.stop()


@damage("service", "another program answers", lambda place: (room(place), place.start())[0], advice="ss -ltnp")
def port_taken(place: Place) -> None:
    _listen(place, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


@damage("service", "there is no answer", RESTART)
def service_hangs(place: Place) -> None:
    place.start()
    assert place.service is not None
    assert place.service._gateway is not None
    place.service._gateway.stop(0.0)  # the process is there, and holds its data root, but nobody answers


@damage("service", "was moved or replaced", RESTART)
def database_replaced_while_it_runs(place: Place) -> None:
    place.start()
    copy = place.root / "dcor.copy"
    with closing(sqlite3.connect(place.database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.rename(place.database)


@damage("service", "cannot be written", lambda place: place.patches.pop().stop(), advice="findmnt")
def service_cannot_write(place: Place) -> None:
    place.start()
    tmp = os.fspath(place.root / "tmp")
    true = os.access
    place.replace(os, "access", lambda path, *a, **k: os.fspath(path) != tmp and true(path, *a, **k))


@damage("service", "is full", room, advice="prune uploads")
def service_without_room(place: Place) -> None:
    place.set("depot.reserve", "1000000000")
    place.start()
    assert place.service is not None
    place.replace(type(place.service.context.depot), "free", lambda _self: 1000)


@damage("service", "'jobs' has stalled", RESTART)
def thread_of_the_service_hangs(place: Place) -> None:
    place.start()
    place.replace(service, "STALL_SECONDS", -1.0)  # whatever it does takes longer than this


@damage("service", "0.0.1 runs", RESTART)
def service_of_another_release(place: Place) -> None:
    from appliance.web import monitoring_routes

    place.replace(monitoring_routes, "__version__", "0.0.1")
    place.start()


def _listen(place: Place, answer: bytes) -> None:
    """Another program at the port of the service."""
    from appliance import settings as settings_module

    server = socket.create_server(("127.0.0.1", settings_module.load(place.root, env={}).server.port))

    def speak() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.sendall(answer)

    threading.Thread(target=speak, daemon=True).start()

    class _Closing:
        def stop(self) -> None:
            server.shutdown(socket.SHUT_RDWR)
            server.close()

    place.patches.append(_Closing())


# --- certificates ---------------------------------------------------------------------------------------------------


def _certificate(place: Place, host: str = HOST, days: int = 3650) -> None:
    pair = certificate.create_self_signed(certificate_names.names_for(host), days=days)
    certificate.store(pair, place.root / "certificates" / "server.cert", place.root / "certificates" / "server.key")


@damage("certificate", f"not valid for '{HOST}'", "dcor certificate create")
def certificate_of_another_host(place: Place) -> None:
    _certificate(place, "other.lab.example")


@damage("certificate", "expires on", "dcor certificate create")
def certificate_near_its_end(place: Place) -> None:
    _certificate(place, days=5)


@damage("certificate", "certificate", "dcor certificate create")
def certificate_damaged(place: Place) -> None:
    (place.root / "certificates" / "server.cert").write_text("-----BEGIN CERTIFICATE-----\nabc\n")


@damage("certificate", "certificate", "dcor certificate create")
def certificate_missing(place: Place) -> None:
    (place.root / "certificates" / "server.cert").unlink()


@damage("certificate", "key", "dcor certificate create")
def certificate_with_another_key(place: Place) -> None:
    pair = certificate.create_self_signed(certificate_names.names_for(HOST))
    (place.root / "certificates" / "server.key").write_bytes(pair.key)


@damage("certificate", "key", "dcor certificate create")
def certificate_without_key(place: Place) -> None:
    (place.root / "certificates" / "server.key").unlink()


@damage("served certificate", "a different one is served", RESTART)
def another_certificate_served(place: Place) -> None:
    pair = certificate.create_self_signed(certificate_names.names_for(HOST))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain = place.top / "other.pem"
    chain.write_bytes(pair.chain + pair.key)
    context.load_cert_chain(chain)
    _serve_tls(place, context)


def _serve_tls(place: Place, context: ssl.SSLContext) -> None:
    from appliance import settings as settings_module

    server = socket.create_server(("127.0.0.1", settings_module.load(place.root, env={}).server.port))

    def speak() -> None:
        while True:
            try:
                peer, _ = server.accept()
                with context.wrap_socket(peer, server_side=True) as tls:
                    tls.recv(1)
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=speak, daemon=True).start()

    class _Closing:
        def stop(self) -> None:
            server.shutdown(socket.SHUT_RDWR)
            server.close()

    place.patches.append(_Closing())


# --- the database ---------------------------------------------------------------------------------------------------


def _sql(place: Place, *statements: str) -> None:
    with closing(sqlite3.connect(place.database)) as conn:
        conn.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            conn.execute(statement)
        conn.commit()


def _settled(place: Place) -> None:
    """Everything in the one file, without a log beside it."""
    with closing(sqlite3.connect(place.database)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        conn.execute("PRAGMA journal_mode = DELETE")


@damage("database", "cannot be read", WHOLE)
def database_no_database(place: Place) -> None:
    _settled(place)
    place.database.write_bytes(b"garbage " * 4096)


@damage("database", "", WHOLE)
def database_cut_short(place: Place) -> None:
    _settled(place)
    os.truncate(place.database, place.database.stat().st_size // 2 // 4096 * 4096)


@damage("database", "", WHOLE)
def database_pages_zeroed(place: Place) -> None:
    _settled(place)
    with place.database.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(bytes(4096 * 20))


@damage("database", "refers to a missing row", WHOLE)
def database_row_torn_off(place: Place) -> None:
    _sql(place, "PRAGMA foreign_keys = OFF", "DELETE FROM community WHERE name = 'lab'")


@damage(
    "database",
    "schema 999",
    lambda place: _sql(place, f"PRAGMA user_version = {inspection.newest_schema()}"),
    advice="install the newer release",
)
def database_of_a_newer_release(place: Place) -> None:
    _sql(place, "PRAGMA user_version = 999")


@damage("audit log", "chain is broken", WHOLE)
def audit_entry_changed(place: Place) -> None:
    _sql(place, "DROP TRIGGER audit_no_update", "UPDATE audit SET actor = 'somebody' WHERE seq = 2")


@damage("audit log", "chain is broken", WHOLE)
def audit_entry_removed(place: Place) -> None:
    _sql(place, "DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE seq = 2")


@damage("audit log", "the newest entries are missing", WHOLE)
def audit_log_cut_short(place: Place) -> None:
    _sql(place, "DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")


@damage("audit log", "missing", WHOLE)
def audit_log_emptied(place: Place) -> None:
    _sql(place, "DROP TRIGGER audit_no_delete", "DELETE FROM audit")


@damage("audit log", "replaced by an older copy", WHOLE)
def database_of_before(place: Place) -> None:
    """The file is whole, and of this server, and from before the last backup."""
    with closing(sqlite3.connect(place.database)) as conn, closing(sqlite3.connect(place.top / "old")) as old:
        conn.backup(old)
    with Database(place.database).write() as tx:
        from appliance.model.viewer import OPERATOR

        audit.add(tx, OPERATOR, "test", "thing", "later")
    place.done("backup", "create")
    for suffix in ("-wal", "-shm"):
        Path(f"{place.database}{suffix}").unlink(missing_ok=True)
    (place.top / "old").chmod(0o600)
    (place.top / "old").rename(place.database)


@damage("search index", "not in the index", REPAIR)
def dataset_not_indexed(place: Place) -> None:
    _sql(place, "DELETE FROM search_dataset")


@damage("search index", "index of words is damaged", "dcor inspect --assume-yes --deep", advice="--deep", deep=True)
def index_of_words_damaged(place: Place) -> None:
    _sql(place, "DELETE FROM search_text_content")


# --- files ----------------------------------------------------------------------------------------------------------


@damage("files", "original of resource", FILE)
def original_missing(place: Place) -> None:
    place.file().unlink()


@damage("files", "bytes instead of", FILE)
def original_cut_short(place: Place) -> None:
    path = place.file()
    path.chmod(0o640)
    os.truncate(path, 100)


@damage("files", "its content has changed", FILE, deep=True)
def byte_of_an_original_flipped(place: Place) -> None:
    path = place.file()
    path.chmod(0o640)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@damage("files", "not a file", FILE)
def folder_in_the_place_of_an_original(place: Place) -> None:
    path = place.file()
    path.unlink()
    path.mkdir()


@damage("files", "may not read it", "chmod u+r {original}")
def original_not_readable(place: Place) -> None:
    place.file().chmod(0o000)


def _derived(kind: str) -> None:
    def lose(place: Place) -> None:
        place.file(kind).unlink()

    lose.__name__ = f"{kind}_missing"
    damage("files", f"{kind} of resource", REPAIR, jobs_run, advice="has the service create it again")(lose)


for _name in ("condensed", "preview", "thumbnail"):
    _derived(_name)


@damage("files", "bytes instead of", REPAIR, jobs_run, advice="has the service create it again")
def condensed_cut_short(place: Place) -> None:
    path = place.file("condensed")
    path.chmod(0o640)
    os.truncate(path, 10)


@damage("orphans", "unknown files", REPAIR)
def unknown_file_in_the_depot(place: Place) -> None:
    path = place.root / "depot" / "resources" / "abc" / "def" / "0123456789"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"whose?")
    place.replace(time, "time", lambda true=time.time: true() + 3 * 86400)


@damage("derived files", "are missing", "dcor jobs run-missing", jobs_run)
def derived_rows_lost(place: Place) -> None:
    _sql(place, "DELETE FROM artefact WHERE kind = 'condensed'", "DELETE FROM job")


# --- backups --------------------------------------------------------------------------------------------------------


@damage("backup", "no backup encryption key is set up", "dcor backup keys")
def backups_without_key(place: Place) -> None:
    place.set("backup.recipient", "")
    shutil.rmtree(place.root / "backups")
    (place.root / "backups").mkdir(mode=0o700)


@damage("backup", "no complete backup", "dcor backup create")
def no_backup_yet(place: Place) -> None:
    shutil.rmtree(place.root / "backups")
    (place.root / "backups").mkdir(mode=0o700)


@damage("backup", "only some of the database", "dcor backup create")
def only_backups_of_the_database(place: Place) -> None:
    no_backup_yet(place)
    place.done("backup", "create", "--database-only")


@damage("backup", "days old", "dcor backup create")
def backup_too_old(place: Place) -> None:
    no_backup_yet(place)
    settings = place.settings
    backup.create(
        backups.source(settings),
        backups.folder(settings),
        [settings.backup.recipient],
        backups.seal(settings),
        workdir=settings.tmp,
        now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


@damage("backup", "does not exist", lambda place: (place.top / "disk").mkdir(), advice="mounted")
def backup_disk_absent(place: Place) -> None:
    place.set("backup.folder", str(place.top / "disk"))


@damage("backup", "database.age", "dcor backup create")
def backup_database_missing(place: Place) -> None:
    (place.newest_backup() / "database.age").rename(place.top / "lost")


@damage("backup", "missing or incomplete", "dcor backup create")
def backup_file_cut_short(place: Place) -> None:
    path = next(place.root.glob("backups/files/*/*.age"))
    path.chmod(0o600)
    os.truncate(path, 20)


@damage(
    "backup",
    "was changed",
    "dcor backup create",
    lambda place: shutil.rmtree(_oldest(place)),
    advice="move {oldest} away",
)
def backup_list_changed(place: Place) -> None:
    path = place.newest_backup() / "manifest.json"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"created"', b'"Created"'))


def _oldest(place: Place) -> Path:
    return min(path.parent for path in place.root.glob("backups/*/*/manifest.json"))


@damage("backup", "signed with a different key", "mv {root}/secrets/backup.key {top}/", SYSTEM, advice="sudo mv")
def backup_key_replaced(place: Place) -> None:
    (place.root / "secrets" / "backup.key").write_text("ab" * 32)


@damage(
    "backup",
    "unencrypted",
    lambda place: (place.root / "backups" / "dump.sqlite").unlink(),
    advice="move others yourself",
)
def plain_copy_among_the_backups(place: Place) -> None:
    (place.root / "backups" / "dump.sqlite").write_bytes(b"plain")


# --- work that should happen ----------------------------------------------------------------------------------------


@damage("jobs", "jobs are waiting", "dcor jobs run")
def job_waits_too_long(place: Place) -> None:
    with Database(place.database).write() as tx:
        waiting = jobs.enqueue(tx, "statistics")
        tx.execute("UPDATE job SET available = ? WHERE id = ?", (times.ahead(-timedelta(hours=1)), waiting))


@damage("jobs", "statistics failed", "dcor jobs retry {failed}", jobs_run)
def job_failed(place: Place) -> None:
    with Database(place.database).write() as tx:
        failed = jobs.enqueue(tx, "statistics")
        tx.execute("UPDATE job SET state = 'failed', error = 'no room' WHERE id = ?", (failed,))


@damage("alarms", "a file is bad", "dcor alarm resolve {alarm}")
def alarm_open(place: Place) -> None:
    with Database(place.database).write() as tx:
        alarms.raise_(tx, "scrub", "x", "a file is bad")


def facts(place: Place) -> dict[str, str]:
    """What stands in braces in the table."""
    found = {
        "root": str(place.root),
        "top": "/root",
        "resource": place.resource,
        "released": str(units.RELEASED),
        "installed": str(units.UNITS),
        "failed": "",
        "alarm": "",
        "oldest": "",
    }
    if place.resource:
        found["original"] = str(place.file())
    for name, query in (
        ("failed", "SELECT id FROM job WHERE state = 'failed'"),
        ("alarm", "SELECT id FROM alarm WHERE resolved IS NULL"),
    ):
        try:
            with closing(sqlite3.connect(f"file:{place.database}?mode=ro", uri=True)) as conn:
                row = conn.execute(query).fetchone()
            found[name] = row[0] if row else ""
        except sqlite3.DatabaseError:
            pass
    if list(place.root.glob("backups/*/*/manifest.json")):
        found["oldest"] = str(_oldest(place))
    return found


def of_record(place: Place) -> dict[str, str]:
    """The machine's record of the data root."""
    return dict(json.loads(place.record.read_text()))
