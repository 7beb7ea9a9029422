"""Backups: made while the service runs, incremental, private, whole, and restorable."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest

from appliance import root_marker
from appliance.backup import create as backup
from appliance.backup import crypto as backup_crypto
from appliance.backup import manifest as backup_manifest
from appliance.backup import restore as backup_restore
from appliance.backup import verify as backup_verify
from appliance.backup.manifest import Seal
from appliance.model.problem import Problem
from appliance.store import backup_source

START = datetime(2026, 5, 1, 0, 2, 3, tzinfo=UTC)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Site:
    """A small data root with a running database, and the keys of its backups."""

    root: Path
    keys: backup_crypto.Keys = field(default_factory=backup_crypto.new_keys)
    seal: Seal = field(default_factory=lambda: Seal(b"s" * 32))
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in ("depot", "tmp", "backups", "secrets", "certificates"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "dcor.toml").write_text("[server]\n")
        (self.root / "secrets" / "signing.key").write_text("ab" * 32)
        (self.root / "certificates" / "server.cert").write_text("certificate")
        (self.root / "certificates" / "server.cert").chmod(0o644)
        self.live = sqlite3.connect(self.root / "dcor.sqlite")
        self.live.execute("PRAGMA journal_mode = WAL")
        self.live.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, text TEXT)")
        self.write("first")

    @property
    def folder(self) -> Path:
        return self.root / "backups"

    def write(self, text: str) -> None:
        self.live.execute("INSERT INTO thing (text) VALUES (?)", (text,))
        self.live.commit()

    def put(self, name: str, data: bytes) -> None:
        path = self.root / "depot" / "resources" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.files[f"depot/resources/{name}"] = data

    def source(self) -> backup.Source:
        names = ["dcor.toml", "secrets/signing.key", "certificates/server.cert"]
        return backup.Source(
            snapshot=lambda target: backup_source.snapshot(self.root / "dcor.sqlite", target),
            files=lambda _copy: [
                backup.SourceFile(name, self.root / name, len(data), sha256(data)) for name, data in self.files.items()
            ],
            system={name: self.root / name for name in names},
            hostname="dcor.clinic.example",
            version="1.0.0",
        )

    def backup(self, day: int = 0, **options: object) -> backup.Created:
        arguments = {"workdir": self.root / "tmp", "now": START + timedelta(days=day), **options}
        return backup.create(self.source(), self.folder, [self.keys.recipient], self.seal, **arguments)  # type: ignore[arg-type]

    @property
    def identities(self) -> list[object]:
        return backup_crypto.parse_identities(self.keys.identity)

    def verify(self, **options: object) -> backup_verify.Verified:
        options = {"signer": self.seal.public, "examine": backup_source.examine, "workdir": self.root / "tmp"} | options
        return backup_verify.verify(self.folder, **options)  # type: ignore[arg-type]

    def restore(self, target: Path, **options: object) -> backup_restore.Restored:
        options = {"identities": self.identities, "examine": backup_source.examine} | options
        return backup_restore.restore(self.folder, target, **options)  # type: ignore[arg-type]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "data")
    for number in range(4):
        site.put(f"{number}ab/cde/f-{number}", random.Random(number).randbytes(3000 + number * 40_000))
    site.put("0ab/cde/f-0.condensed.rtdc", b"condensed" * 100)
    yield site
    site.live.close()


def things(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as conn:
        return [row[0] for row in conn.execute("SELECT text FROM thing ORDER BY id")]


def test_a_restored_site_is_the_same(site: Site, tmp_path: Path) -> None:
    site.write("in the log only")  # not yet in the database's main file
    made = site.backup()
    assert (made.new_files, made.total_files, made.problems) == (5, 5, [])
    site.write("after the backup")
    target = tmp_path / "new machine"
    restored = site.restore(target)
    assert (restored.files, restored.problems) == (5, [])
    assert things(target / "dcor.sqlite") == ["first", "in the log only"]
    for name, data in site.files.items():
        assert (target / name).read_bytes() == data
    assert (target / "secrets" / "signing.key").read_text() == "ab" * 32
    modes = {
        name: stat.S_IMODE((target / name).stat().st_mode)
        for name in ("dcor.sqlite", "secrets", "secrets/signing.key", "dcor.toml")
    }
    assert modes == {"dcor.sqlite": 0o600, "secrets": 0o700, "secrets/signing.key": 0o600, "dcor.toml": 0o600}
    assert stat.S_IMODE((target / "certificates" / "server.cert").stat().st_mode) == 0o644
    assert not [path for path in target.rglob("*") if path.name.endswith(".part") or path.name == ".restoring"]


def test_the_depot_is_backed_up_by_content_and_only_once(site: Site) -> None:
    site.backup()
    site.put("9ab/cde/f-9", b"new measurement")
    site.put("8ab/cde/f-8", site.files["depot/resources/1ab/cde/f-1"])  # the same content under another name
    second = site.backup(1)
    assert (second.new_files, second.new_bytes, second.total_files) == (1, 15, 7)
    assert len(list((site.folder / "files").rglob("*.age"))) == 6
    assert site.verify(identities=site.identities).ok
    assert site.verify(name=backup_manifest.names(site.folder)[1]).ok


def test_a_lost_or_cut_stored_file_is_stored_again(site: Site) -> None:
    site.backup()
    first, second, *_ = sorted((site.folder / "files").rglob("*.age"))
    first.unlink()
    second.chmod(0o600)
    second.write_bytes(second.read_bytes()[:-1])
    assert site.backup(1).new_files == 2
    assert site.verify().ok


def test_nothing_is_readable_without_the_key_and_modes_are_private(site: Site) -> None:
    site.put("7ab/cde/f-7", b"Jane Doe, born 1970" * 50)
    site.write("Jane Doe")
    site.backup()
    for path in site.folder.rglob("*"):
        if path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        elif path.name != ".lock":
            assert stat.S_IMODE(path.stat().st_mode) == 0o400, path
            assert b"Jane" not in path.read_bytes()
            # names do not tell whether a known file is in the backup
            assert not any(sha256(data).encode() in path.read_bytes() for data in site.files.values())
    assert list((site.root / "tmp").iterdir()) == []


def test_one_flipped_byte_anywhere_is_detected_without_the_key(site: Site) -> None:
    made = site.backup()
    chance = random.Random(7)
    for path in [*made.path.iterdir(), *(site.folder / "files").rglob("*.age")]:
        original = path.read_bytes()
        path.chmod(0o600)
        places = {0, len(original) - 1, *(chance.randrange(len(original)) for _ in range(40))}
        for place in places:
            damaged = bytearray(original)
            damaged[place] ^= 1 << chance.randrange(8)
            path.write_bytes(damaged)
            try:
                assert not site.verify().ok, (path, place)
            except Problem:
                assert path.name == "manifest.json"
        path.write_bytes(original)
    assert site.verify().ok


def test_damage_spares_the_rest_and_a_damaged_database_is_never_restored(site: Site, tmp_path: Path) -> None:
    made = site.backup()
    victim = min((site.folder / "files").rglob("*.age"))
    victim.chmod(0o600)
    victim.write_bytes(victim.read_bytes()[:-20] + bytes(20))
    report = site.verify(identities=site.identities)
    assert len(report.problems) == 1
    assert "damaged" in report.problems[0]
    restored = site.restore(tmp_path / "one")
    assert restored.files == 4
    assert len(restored.problems) == 1
    database = made.path / "database.age"
    database.chmod(0o600)
    database.write_bytes(database.read_bytes()[:-20] + bytes(20))
    with pytest.raises(Problem, match=r"database\.age is damaged"):
        site.restore(tmp_path / "two")
    assert not (tmp_path / "two" / "dcor.sqlite").exists()


def test_a_wrong_key_is_named(site: Site, tmp_path: Path) -> None:
    site.backup()
    other = backup_crypto.new_keys()
    wrong = backup_crypto.parse_identities(other.identity)
    for call in (lambda: site.restore(tmp_path / "x", identities=wrong), lambda: site.verify(identities=wrong)):
        with pytest.raises(Problem, match="This is the wrong key") as refused:
            call()
        assert site.keys.recipient in str(refused.value)
        assert other.recipient in str(refused.value)
    for text, reason in (
        ("", "no private key"),
        ("AGE-SECRET-KEY-1QQQQ", "mistyped"),
        (other.recipient, "no private key"),
    ):
        with pytest.raises(Problem, match=reason):
            backup_crypto.parse_identities(text)


def test_backups_of_another_server_are_not_taken_for_ours(site: Site) -> None:
    site.backup()
    with pytest.raises(Problem, match="not written by this server"):
        site.verify(signer=Seal(b"x" * 32).public)


def test_an_interrupted_restore_goes_on_and_a_full_folder_is_refused(site: Site, tmp_path: Path) -> None:
    site.backup()
    target = tmp_path / "target"
    target.mkdir()
    (target / "precious").write_text("do not overwrite")
    with pytest.raises(Problem, match="not empty"):
        site.restore(target)
    (target / "precious").unlink()
    calls = 0

    def stop(done: int, total: int, what: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        site.restore(target, progress=stop)
    assert not (target / "dcor.sqlite").exists()
    site.backup(1)
    with pytest.raises(Problem, match=r"A restore of .* from another backup"):
        site.restore(target)
    assert site.restore(target, name=backup_manifest.names(site.folder)[1]).files == 5
    with pytest.raises(Problem, match="not empty"):
        site.restore(target)


def test_lost_files_come_back_and_present_ones_stay(site: Site) -> None:
    site.backup()
    lost, changed = (site.root / name for name in list(site.files)[:2])
    lost.unlink()
    changed.write_bytes(b"somebody's work")
    done = backup_restore.restore_files(site.folder, site.root, site.identities, lambda name: name in site.files)
    assert (done.files, done.problems) == (1, [])
    assert lost.read_bytes() == next(iter(site.files.values()))
    assert changed.read_bytes() == b"somebody's work"


def test_missing_and_silently_changed_files_of_the_depot_are_reported(site: Site) -> None:
    names = list(site.files)
    (site.root / names[0]).unlink()
    (site.root / names[1]).write_bytes(b"rotten")
    made = site.backup()
    assert sorted(made.problems) == [
        f"{names[0]} is missing in the depot.",
        f"{names[1]} has changed since it was uploaded: its checksum differs.",
    ]
    assert made.total_files == 4
    assert site.verify(identities=site.identities).ok


def test_a_damaged_database_replaces_no_backup(site: Site) -> None:
    site.backup()
    site.live.execute("CREATE INDEX thing_text ON thing(text)")
    site.live.execute("PRAGMA writable_schema = ON")
    site.live.execute("UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'thing_text'")
    site.live.commit()
    with pytest.raises(Problem, match="damaged and was not backed up"):
        site.backup(1)
    assert len(backup_manifest.names(site.folder)) == 1
    assert list((site.root / "tmp").iterdir()) == []


def test_what_stops_a_backup_before_it_begins(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Problem, match="no key to encrypt"):
        backup.create(site.source(), site.folder, [], site.seal, workdir=site.root / "tmp")
    with pytest.raises(Problem, match="not an age public key"):
        backup.create(site.source(), site.folder, ["age1nonsense"], site.seal, workdir=site.root / "tmp")
    with pytest.raises(Problem, match="Is its disk mounted"):
        backup.create(site.source(), site.root / "gone", [site.keys.recipient], site.seal, workdir=site.root / "tmp")
    with (site.folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Problem, match="Another backup is already running"):
            site.backup()
    full = shutil.disk_usage(site.folder)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)
    with pytest.raises(Problem, match=r"has only 0\.0 GB left") as refused:
        site.backup()
    assert refused.value.status == 507


def test_an_interrupted_backup_is_none_and_gets_swept(site: Site) -> None:
    def stop(done: int, total: int, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        site.backup(progress=stop)
    assert backup_manifest.names(site.folder) == []
    left = next(site.folder.glob("2026-05/*"))
    os.utime(left, (0, 0))
    site.backup(1)
    assert not left.exists()
    assert len(backup_manifest.names(site.folder)) == 1


def test_database_backups_leave_the_depot_out(site: Site, tmp_path: Path) -> None:
    made = site.backup(kind="database")
    assert (made.total_files, made.manifest.objects) == (0, {})
    checked = site.verify(identities=site.identities)
    assert (checked.ok, checked.kind) == (True, "database")
    with pytest.raises(Problem, match=f"no complete backup .* Use it with --backup {made.manifest.name}"):
        site.restore(tmp_path / "x")
    assert site.restore(tmp_path / "x", name=made.manifest.name).files == 0
    assert things(tmp_path / "x" / "dcor.sqlite") == ["first"]


def test_a_newer_database_backup_does_not_hide_the_files(site: Site, tmp_path: Path) -> None:
    complete = site.backup().manifest.name
    site.write("later")
    bare = site.backup(1, kind="database").manifest.name
    assert [backup_manifest.kind_of(site.folder, name) for name in (complete, bare)] == ["full", "database"]
    done = site.restore(tmp_path / "x")
    assert (done.manifest.name, done.files) == (complete, 5)
    assert done.notes == [f"Newer, but of the database only: {bare}."]
    lost = site.root / next(iter(site.files))
    lost.unlink()
    found = backup_restore.restore_files(site.folder, site.root, site.identities, lambda name: name in site.files)
    assert (found.manifest.name, found.files, lost.exists()) == (complete, 1, True)
    with pytest.raises(Problem, match=f"{bare} is of the database only: it contains no files"):
        backup_restore.restore_files(site.folder, site.root, site.identities, lambda _name: True, name=bare)


def test_a_new_backup_is_the_newest_also_where_one_of_this_second_was_removed(site: Site) -> None:
    made = [site.backup() for _ in range(3)]
    shutil.rmtree(made[0].path)  # as pruning does
    last = site.backup().manifest.name
    assert backup_manifest.names(site.folder) == [last, made[2].manifest.name, made[1].manifest.name]


def test_the_kind_stands_in_the_head_of_every_manifest(site: Site) -> None:
    """However long the names before it are: the quick answer is the one that the signed manifest gives."""
    source = replace(site.source(), hostname='x"\n "kind": "database"' * 5, version="v" * 60)
    made = backup.create(source, site.folder, [site.keys.recipient], site.seal, workdir=site.root / "tmp", now=START)
    assert backup_manifest.kind_of(site.folder, made.manifest.name) == made.manifest.kind == "full"


def test_a_damaged_backup_changes_nothing_and_any_good_one_is_taken_afterwards(site: Site, tmp_path: Path) -> None:
    good = site.backup().manifest.name
    damaged = site.backup(1).path
    (damaged / "database.age").chmod(0o600)
    (damaged / "database.age").write_bytes((damaged / "database.age").read_bytes()[:-1] + b"x")
    target = tmp_path / "x"
    with pytest.raises(Problem, match="damaged"):
        site.restore(target)
    assert list(target.iterdir()) == []
    assert site.restore(target, name=good).files == 5


def test_a_restore_that_broke_off_is_gone_on_with_or_started_over_with_any_backup(site: Site, tmp_path: Path) -> None:
    first = site.backup().manifest.name
    target = tmp_path / "x"

    def stop(_done: int, _total: int, _what: str) -> None:
        raise KeyboardInterrupt

    def broken_off(**options: object) -> None:
        with pytest.raises(KeyboardInterrupt):
            site.restore(target, progress=stop, **options)
        with pytest.raises(Problem, match="was not finished"):
            root_marker.require(target)

    broken_off()
    done = site.restore(target, replace=True)
    assert done.notes == [f"Went on with the unfinished restore of {first}."]
    shutil.rmtree(target)
    broken_off()
    site.write("later")
    second = site.backup(1).manifest.name
    with pytest.raises(Problem, match=f"Use --backup {first} to resume it, or --replace to start over with {second}"):
        site.restore(target)
    done = site.restore(target, replace=True)
    assert done.notes[0] == f"Started over with {second}; the restore of {first} was not finished."
    assert (target / "quarantine").is_dir()  # what the first had written
    assert things(target / "dcor.sqlite") == ["first", "later"]
    root_marker.require(target)


def test_progress_adds_up(site: Site) -> None:
    seen: list[tuple[int, int]] = []
    site.backup(progress=lambda done, total, _what: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.skipif(shutil.which("age") is None, reason="the age program is not installed")
def test_the_age_program_opens_it(site: Site, tmp_path: Path) -> None:
    made = site.backup()
    key = tmp_path / "key"
    key.write_text(site.keys.identity)
    done = subprocess.run(["age", "-d", "-i", key, made.path / "database.age"], capture_output=True, check=True)
    assert done.stdout[:2] == b"\x1f\x8b"


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "depot/../../evil", "depot/.hidden", "dcor.sqlite", "depot//x", "secrets"]
)
def test_names_that_lead_elsewhere_are_never_written(site: Site, tmp_path: Path, name: str) -> None:
    site.files.clear()
    (site.root / "stray").write_bytes(b"evil")
    source = site.source()
    strange = backup.SourceFile(name, site.root / "stray", 4, sha256(b"evil"))
    source = backup.Source(source.snapshot, lambda _copy: [strange], source.system, source.hostname, source.version)
    backup.create(source, site.folder, [site.keys.recipient], site.seal, workdir=site.root / "tmp", now=START)
    with pytest.raises(Problem, match="unexpected name"):
        site.restore(tmp_path / "x")
    assert not (tmp_path / "evil").exists()


def test_ctrl_c_and_full_disks_are_not_taken_for_damage(site: Site, tmp_path: Path) -> None:
    class Stop:
        def __init__(self, error: type[BaseException], *arguments: object) -> None:
            self.error, self.arguments = error, arguments

        def write(self, _data: bytes) -> int:
            raise self.error(*self.arguments)

        def read(self, _size: int = -1) -> bytes:
            raise self.error(*self.arguments)

    made = site.backup()
    for stop, error in (
        (Stop(KeyboardInterrupt), KeyboardInterrupt),
        (Stop(OSError, 28, "No space left on device"), OSError),
    ):
        with pytest.raises(error) as read:
            backup_crypto.unseal(made.path / "database.age", site.identities, stop)
        with pytest.raises(error) as written:
            backup_crypto.seal(stop, tmp_path / "x.age", [site.keys.recipient])
        assert [getattr(one.value, "errno", None) for one in (read, written)] == [28 if error is OSError else None] * 2
    assert list(tmp_path.glob("x.age*")) == []


def test_a_file_that_was_sealed_afresh_is_good_for_older_backups_too(site: Site) -> None:
    site.backup()
    victim = min((site.folder / "files").rglob("*.age"))
    victim.unlink()
    assert site.verify().damaged == {victim.stem}
    site.backup(1)
    for name in backup_manifest.names(site.folder):
        assert site.verify(name=name).ok
        assert site.verify(name=name, identities=site.identities).ok


@pytest.mark.parametrize("part", ["index.age", "system.age", "database.age"])
def test_what_was_sealed_by_others_is_never_restored(site: Site, tmp_path: Path, part: str) -> None:
    """The public key stands in the manifest, so whoever can write the folder can seal to it."""
    made = site.backup()
    other = io.BytesIO()
    backup_crypto.unseal(made.path / part, site.identities, other)
    content = gzip.decompress(other.getvalue())
    (tmp_path / "forged").write_bytes(gzip.compress(content[:-1] + b"?"))
    (made.path / part).chmod(0o600)
    recipients = backup_manifest.find(site.folder).recipients
    (made.path / part).write_bytes(
        pyrage.encrypt(
            (tmp_path / "forged").read_bytes(), [pyrage.x25519.Recipient.from_str(one) for one in recipients]
        )
    )
    target = tmp_path / "restored"
    with pytest.raises(Problem, match="is damaged; nothing was changed"):
        site.restore(target)
    assert not (target / "dcor.sqlite").exists()
    assert not (target / "secrets").exists()
    if part == "index.age":
        with pytest.raises(Problem, match="differs from what was written"):
            backup_restore.restore_files(site.folder, site.root, site.identities, lambda name: True)


def test_an_older_backup_is_not_taken_under_a_newer_name(site: Site, tmp_path: Path) -> None:
    made = site.backup()
    newer = made.path.with_name(made.path.name[:-2] + "59")
    made.path.rename(newer)
    with pytest.raises(Problem, match="contains a different backup than its name says"):
        site.restore(tmp_path / "restored")
    with pytest.raises(Problem, match="contains a different backup than its name says"):
        site.verify(name=newer.name)


def test_what_is_dated_in_the_future_is_not_the_newest_backup(site: Site) -> None:
    made = site.backup()
    ahead = site.folder / "2099-01" / "2099-01-01_000000"
    ahead.mkdir(parents=True)
    (ahead / "manifest.json").write_text('{\n "kind": "full"\n}')
    assert backup_manifest.newest(site.folder, backup_manifest.FULL) == made.path.name
    assert backup_manifest.dated_ahead(site.folder) == [ahead.name]


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_backup_folder_of_somebody_else_is_told_with_the_remedy() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        os.seteuid(65534)
        try:
            with (
                pytest.raises(Problem, match=r"may not write into the backup folder .*: sudo chown nobody "),
                backup.locked(Path(folder)),
            ):
                pass
            with (
                pytest.raises(Problem, match="sudo install -d -m 700 -o nobody "),
                backup.locked(Path(folder) / "none"),
            ):
                pass
        finally:
            os.seteuid(0)
