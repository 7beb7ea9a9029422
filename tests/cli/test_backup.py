"""`dcor backup`: from the first key to a restored machine."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import pyzipper

from appliance import settings as settings_module
from appliance.actions import backup_trials, backups
from appliance.backup import gpg
from appliance.backup import key_sheet as backup_sheet
from appliance.cli.common import CliState
from appliance.cli.root import run
from appliance.model.problem import Problem
from appliance.service import Service
from appliance.store import backup_source, jobs
from tests.cli.conftest import Dcor
from tests.support.samples import synthetic
from tests.support.server import Appliance, Person, wait_for


@pytest.fixture
def sheet(people: Dcor, tmp_path: Path) -> Path:
    """The key sheet of a data root with people, whose backups are set up."""
    path = tmp_path / "sheet.txt"
    assert people("backup", "keys", "--out", str(path)).code == 0
    return path


def test_keys_are_printed_once_and_not_kept(people: Dcor, root: Path) -> None:
    made = people("backup", "keys")
    secret = next(line for line in made.out.splitlines() if line.startswith("AGE-SECRET-KEY-1"))
    assert max(map(len, made.out.splitlines())) <= 80
    assert backup_sheet.signer_of(made.out) == backups.seal(CliState(root).settings).public
    assert not any(secret in path.read_text(errors="replace") for path in root.rglob("*") if path.is_file())
    assert people("config", "show", "backup.recipient").out.count("age1") == 1
    again = people("backup", "keys")
    assert (again.code, again.out) == (1, "")
    assert "--replace" in again.err
    assert people("backup", "keys", "--recipient", "age1nonsense", "--replace").code == 1


def test_the_key_sheet_is_private(sheet: Path) -> None:
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600


def test_without_a_key_there_is_no_backup(people: Dcor) -> None:
    refused = people("backup", "create")
    assert refused.code == 1
    assert "dcor backup keys" in refused.err
    assert "dcor backup keys" in people("encrypted-database-backup").err
    alarms = people("alarm", "list", "--json").json
    assert [alarm["kind"] for alarm in alarms] == ["backup"]


def test_create_list_verify_prune(people: Dcor, sheet: Path, root: Path) -> None:
    made = people("backup", "create", "--json")
    assert made.code == 0
    assert made.json["trial"]["ok"]  # the first one of the month
    listed = people("backup", "list", "--json").json
    assert [(row["name"], row["own"], row["problem"]) for row in listed] == [(made.json["name"], True, "")]
    checked = people("backup", "verify", "--json")
    assert (checked.code, checked.json["opened"]) == (0, False)
    opened = people("backup", "verify", "--key", str(sheet), "--json")
    assert (opened.code, opened.json["opened"], opened.json["problems"]) == (0, True, [])
    assert people("backup", "prune", "--dry-run", "--json").json["removed"] == []
    assert people("inspect", "--check", "backup", "--json").json["healthy"]
    actions = [row["action"] for row in people("audit", "list", "--json").json]
    assert {"backup.keys", "backup.create"} <= set(actions)


def test_damage_and_wrong_keys_end_with_exit_code_1(people: Dcor, sheet: Path, tmp_path: Path) -> None:
    made = people("backup", "create", "--json").json
    wrong = tmp_path / "wrong.txt"
    assert people("backup", "keys", "--replace", "--out", str(wrong)).code == 0
    refused = people("backup", "verify", "--key", str(wrong))
    assert (refused.code, "wrong key" in refused.err) == (1, True)
    victim = Path(made["path"]) / "database.age"
    victim.chmod(0o600)
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    assert people("backup", "verify").code == 1
    assert "database.age differs from what was written" in people("backup", "verify", "--key", str(sheet)).out


def test_a_forged_backup_is_not_restored_with_the_private_key_alone(
    people: Dcor, sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The public key is no secret: anybody can make a backup that the private key opens."""
    recipient = people("config", "show", "backup.recipient", "--json").json["backup.recipient"]
    forger = tmp_path / "forger"
    assert (
        run(["--data", str(forger), "init", "--hostname", "evil.example", "--admin", "boss", "--email", "e@x.example"])
        == 0
    )
    assert run(["--data", str(forger), "config", "set", "backup.recipient", recipient]) == 0
    assert run(["--data", str(forger), "backup", "create"]) == 0
    forged, bare = forger / "backups", tmp_path / "bare.txt"
    bare.write_text(next(line for line in sheet.read_text().splitlines() if line.startswith("AGE-SECRET-KEY-1")))
    signer = backup_sheet.signer_of(sheet.read_text())
    assert signer is not None
    for number, (key, options, reason) in enumerate(
        [
            (bare, [], "does not say which server signed"),
            (sheet, [], "was not written by this server"),
            (bare, ["--signer", signer], "was not written by this server"),
            (bare, ["--signer", "nonsense"], "64 hexadecimal digits"),
        ]
    ):
        target = tmp_path / f"target{number}"
        command = ["--data", str(target), "backup", "restore", "--from", str(forged), "--key", str(key), *options]
        capsys.readouterr()
        assert run(command) == 1
        assert reason in capsys.readouterr().err
        assert not (target / "dcor.sqlite").exists()
    command = ["--data", str(tmp_path / "any"), "backup", "restore", "--from", str(forged), "--key", str(bare)]
    assert run([*command, "--any-signer"]) == 0


def test_restore_on_a_bare_machine_with_the_printed_sheet(people: Dcor, sheet: Path, tmp_path: Path) -> None:
    made = people("backup", "create", "--json").json
    usb = tmp_path / "usb"
    shutil.copytree(Path(made["path"]).parents[1], usb)
    target = tmp_path / "new"
    assert run(["--data", str(target), "backup", "restore", "--from", str(usb), "--key", str(sheet)]) == 0
    with CliState(target).db.read() as conn:
        assert [row[0] for row in conn.execute("SELECT name FROM user ORDER BY name")] == ["ada", "boss"]
    assert CliState(target).settings.backup.recipient.startswith("age1")
    assert backups.verify(CliState(target).settings, place=usb, key=sheet.read_text()).ok


def test_a_fresh_installation_makes_room_one_in_use_does_not(
    people: Dcor, sheet: Path, root: Path, tmp_path: Path
) -> None:
    people("backup", "create")
    usb = tmp_path / "usb"
    shutil.copytree(root / "backups", usb)
    fresh = people("backup", "restore", "--from", str(usb), "--key", str(sheet), "--json")
    assert fresh.code == 0
    aside = next((root / "quarantine").glob("before-restore-*"))
    assert (aside / "dcor.sqlite").exists()
    with CliState(root).db.write() as tx:
        values = ("d1", "d1", 1, "draft", "u", "2026", "2026")
        circle = tx.execute("SELECT id FROM community").fetchone()[0]
        tx.execute(
            "INSERT INTO dataset (id, name, private, state, creator_id, created, modified, circle_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, circle),
        )
    used = people("backup", "restore", "--from", str(usb), "--key", str(sheet))
    assert (used.code, "it contains datasets" in used.err) == (1, True)
    assert people("backup", "restore", "--from", str(usb), "--key", str(sheet), "--replace", "--yes").code == 0
    assert len(list((root / "quarantine").glob("before-restore-*"))) == 2


def test_a_running_service_is_not_restored_over(appliance: Appliance, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert run(["--data", str(appliance.root), "backup", "keys", "--out", str(key)]) == 0
    assert run(["--data", str(appliance.root), "backup", "create"]) == 0
    copy = tmp_path / "usb"
    shutil.copytree(appliance.root / "backups", copy)
    before = (appliance.root / "dcor.sqlite").stat().st_ino
    assert run(["--data", str(appliance.root), "backup", "restore", "--from", str(copy), "--key", str(key)]) == 1
    assert (appliance.root / "dcor.sqlite").stat().st_ino == before


def test_the_service_burns_and_comes_back_elsewhere(tmp_path: Path) -> None:
    first = Appliance(tmp_path / "first")
    ada = first.person("ada")
    ada.circle("lab")
    draft = ada.draft("lab")
    notes = tmp_path / "notes.txt"
    notes.write_text("some notes about the blood " * 1000)
    resource = ada.add(draft["id"], notes)
    first.jobs_done(resource["id"])
    key, place = tmp_path / "key", tmp_path / "disk"
    place.mkdir()
    assert run(["--data", str(first.root), "backup", "keys", "--out", str(key)]) == 0
    assert run(["--data", str(first.root), "config", "set", "backup.folder", str(place)]) == 0
    assert run(["--data", str(first.root), "backup", "create"]) == 0  # while it serves
    lost = first.context.depot.path(resource["id"])
    lost.unlink()
    assert run(["--data", str(first.root), "backup", "restore", "--files", "--key", str(key)]) == 0
    assert lost.read_text() == notes.read_text()
    first.stop()
    shutil.rmtree(first.root)
    assert run(["--data", str(tmp_path / "second"), "backup", "restore", "--from", str(place), "--key", str(key)]) == 0
    settings = settings_module.load(tmp_path / "second", env={})
    second = Service(settings)
    second.start()
    again = Person(SimpleNamespace(url=settings.site_url, certificate=settings.certificate), "ada", ada.token)  # type: ignore[arg-type]
    assert again.get("package_show", id=draft["id"]).result["resources"][0]["sha256"] == sha256_of(notes)
    fetched = again.fetch(f"/dataset/{draft['id']}/resource/{resource['id']}/download/notes.txt")
    assert fetched.text == notes.read_text()
    second.stop(grace=2.0)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_one_zip_opens_with_a_passphrase_and_restores(people: Dcor, root: Path, tmp_path: Path) -> None:
    path, secret = tmp_path / "all.zip", "correct horse battery staple\n"
    assert people("backup", "create", "--zip", str(path), "--password-stdin", stdin="short\n").code == 1
    assert people("backup", "create", "--zip", str(path), "--with-files", "--password-stdin", stdin=secret).code == 0
    assert (
        people("backup", "create", "--zip", str(path), "--password-stdin", stdin=secret).code == 1
    )  # never overwrites
    with pyzipper.AESZipFile(path) as archive:
        assert all(member.wz_aes_strength == 3 for member in archive.infolist())  # AES-256
        archive.setpassword(secret.strip().encode())
        assert archive.testzip() is None
        assert "secrets/signing.key" in archive.namelist()
    if seven := shutil.which("7zz") or shutil.which("7z"):
        subprocess.run([seven, "t", f"-p{secret.strip()}", path], check=True, capture_output=True)
    subprocess.run(["sha256sum", "--check", "--quiet", path.name + ".sha256"], cwd=tmp_path, check=True)
    assert people("backup", "verify", "--from", str(path)).code == 0
    assert people("backup", "verify", "--from", str(path), "--password-stdin", stdin=secret).code == 0
    wrong = people("backup", "verify", "--from", str(path), "--password-stdin", stdin="another passphrase\n")
    assert (wrong.code, "passphrase of the backup is wrong" in wrong.err) == (1, True)
    target = tmp_path / "new"
    arguments = ["backup", "restore", "--from", str(path), "--password-stdin", "--json", "--data", str(target)]
    assert people(*arguments, stdin=secret).json["problems"] == []
    assert (target / "secrets" / "signing.key").read_text() == (root / "secrets" / "signing.key").read_text()
    assert stat.S_IMODE((target / "dcor.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize("place", [0, 40, 0.3, 0.5, 0.9, -1, -30])
def test_every_changed_byte_of_a_zip_is_found(people: Dcor, tmp_path: Path, place: float) -> None:
    path, secret = tmp_path / "all.zip", "correct horse battery staple\n"
    people("backup", "create", "--zip", str(path), "--password-stdin", stdin=secret)
    data = bytearray(path.read_bytes())
    data[int(place * len(data)) if isinstance(place, float) else place] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    assert people("backup", "verify", "--from", str(path)).code == 1


@pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed")
def test_encrypted_database_backup_to_a_gpg_key(people: Dcor, root: Path, tmp_path: Path, gpg_home: Path) -> None:
    gpg = ["gpg", "--homedir", str(gpg_home), "--batch", "--quiet", "--passphrase", ""]
    subprocess.run(
        [*gpg, "--quick-generate-key", "backup@clinic.example", "default", "default", "never"],
        check=True,
        capture_output=True,
    )
    public = tmp_path / "public.asc"
    public.write_bytes(subprocess.run([*gpg, "--export", "--armor"], check=True, capture_output=True).stdout)
    unknown = people("encrypted-database-backup", "--key-id", "backup@clinic.example")
    assert (unknown.code, "gpg --export" in unknown.err) == (1, True)
    assert people("encrypted-database-backup", "--key-id", "--output=/etc/x").code == 1
    made = people("encrypted-database-backup", "--key-id", "backup@clinic.example", "--import", str(public))
    assert made.code == 0
    path = Path(made.out.removeprefix("Created ").strip())
    assert path.relative_to(root / "backups" / "encrypted_db_dumps").parts[0] == path.parent.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    plain = subprocess.run([*gpg, "--decrypt", str(path)], check=True, capture_output=True).stdout
    assert plain.startswith(b"SQLite format 3\0")
    assert [entry.name for entry in (root / "tmp").iterdir() if entry.name.startswith(("backup", "import"))] == []
    secret = tmp_path / "secret.asc"
    secret.write_bytes(
        subprocess.run([*gpg, "--export-secret-keys", "--armor"], check=True, capture_output=True).stdout
    )

    # … and back, after somebody has left who had been there.
    assert people("user", "remove", "ada", "--yes").code == 0
    wrong = people("backup", "restore", "--from", str(path), "--key", str(public), "--replace", "--yes")
    assert (wrong.code, "cannot be decrypted" in wrong.err) == (1, True), wrong.err
    assert "ada" not in [user["name"] for user in people("user", "list", "--json").json]
    back = people("backup", "restore", "--from", str(path), "--key", str(secret), "--replace", "--yes", "--json")
    assert (back.code, back.json["problems"]) == (0, []), back.err
    assert "ada" in [user["name"] for user in people("user", "list", "--json").json]
    (aside,) = (root / "quarantine").glob("before-restore-*/dcor.sqlite")
    assert stat.S_IMODE(aside.parent.stat().st_mode) == 0o700
    assert not (root / "dcor.sqlite.part").exists()


@pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed")
def test_a_private_key_with_a_passphrase_opens_a_dump(people: Dcor, tmp_path: Path, gpg_home: Path) -> None:
    gpg = [
        "gpg",
        "--homedir",
        str(gpg_home),
        "--batch",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "long and secret",
    ]
    subprocess.run(
        [*gpg, "--quick-generate-key", "b@clinic.example", "default", "default", "never"],
        check=True,
        capture_output=True,
    )
    keys = {"--export": tmp_path / "public.asc", "--export-secret-keys": tmp_path / "secret.asc"}
    for verb, path in keys.items():
        path.write_bytes(subprocess.run([*gpg, verb, "--armor"], check=True, capture_output=True).stdout)
    made = people("encrypted-database-backup", "--key-id", "b@clinic.example", "--import", str(keys["--export"]))
    restore = (
        "backup",
        "restore",
        "--from",
        made.out.removeprefix("Created ").strip(),
        "--key",
        str(keys["--export-secret-keys"]),
    )
    assert people(*restore, "--password-stdin", stdin="wrong\n").code == 1
    assert people(*restore, "--password-stdin", stdin="long and secret\n").code == 0


def test_a_decrypted_dump_comes_back_and_says_which_files_are_missing(people: Dcor, root: Path, tmp_path: Path) -> None:
    measured = tmp_path / "study" / "blood"
    measured.mkdir(parents=True)
    (measured / "notes.txt").write_text("some text")
    shutil.copy(synthetic(), measured / "blood.rtdc")
    assert (
        people("import", str(tmp_path / "study"), "--user", "ada", "--circle", "lab", "--authors", "Ada L.").code == 0
    )
    dump = tmp_path / "dump.sqlite"
    backup_source.snapshot(root / "dcor.sqlite", dump)
    refused = people("backup", "restore", "--from", str(dump))
    assert (refused.code, "--replace" in refused.err) == (1, True)
    assert people("backup", "restore", "--from", str(dump), "--replace", "--yes").code == 0
    for path in (root / "depot" / "resources").rglob("*"):
        if path.is_file():
            path.unlink()
    partly = people("backup", "restore", "--from", str(dump), "--replace", "--yes", "--json")
    assert partly.code == 1
    assert partly.json["files"] == 2
    assert "2 uploaded files are not in the depot" in partly.json["problems"][0]
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(dump.read_bytes()[:20_000])
    assert people("backup", "restore", "--from", str(damaged), "--replace", "--yes").code == 1
    assert len(people("dataset", "list", "--json").json) == 1
    (tmp_path / "empty").mkdir()
    assert run(["--data", str(tmp_path / "empty"), "backup", "restore", "--from", str(dump)]) == 1


def test_encrypted_database_backup_without_gpg_key(people: Dcor, sheet: Path) -> None:
    made = people("encrypted-database-backup")
    assert made.out.startswith("Created ")
    assert people("backup", "list", "--json").json[0]["kind"] == "database"


def test_an_unmounted_disk_is_told_apart_from_an_empty_one(people: Dcor, sheet: Path, tmp_path: Path) -> None:
    people("config", "set", "backup.folder", str(tmp_path / "mnt" / "disk"))
    refused = people("backup", "create")
    assert (refused.code, "Is its disk mounted?" in refused.err) == (1, True)
    assert not (tmp_path / "mnt").exists()


def test_trials_read_the_stored_part_and_report_damage(people: Dcor, sheet: Path, root: Path) -> None:
    people("backup", "create")
    done = people("backup", "trial", "--json")
    assert (done.code, done.json["opened"]) == (0, False)
    assert people("backup", "trial", "--key", str(sheet), "--json").json["opened"]
    stored = json.loads((root / "log" / "trial-restores.json").read_text())
    assert [row["ok"] for row in stored] == [True] * 3
    database = next((root / "backups").glob("*/*/database.age"))
    database.chmod(0o600)
    database.write_bytes(b"x" + database.read_bytes()[1:])
    assert people("backup", "trial").code == 1
    assert people("alarm", "list", "--json").json[0]["kind"] == "backup"


def test_what_verify_finds_damaged_the_next_backup_stores_again(people: Dcor, sheet: Path, root: Path) -> None:
    content = b"a measurement" * 1000
    resource = "11111111-2222-4333-8444-555555555555"
    state = CliState(root)
    path = state.depot.path(resource)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with state.db.write() as tx:
        circle = tx.execute("SELECT id FROM community").fetchone()[0]
        tx.execute(
            "INSERT INTO dataset (id, name, private, state, creator_id, created, modified, circle_id) VALUES ('d', 'd', 1, 'draft', 'u', '', '', ?)",
            (circle,),
        )
        tx.execute(
            "INSERT INTO resource (id, dataset_id, position, name, size, sha256, created, last_modified, metadata_modified)"
            " VALUES (?, 'd', 0, 'a.txt', ?, ?, '', '', '')",
            (resource, len(content), hashlib.sha256(content).hexdigest()),
        )
    assert people("backup", "create", "--json").json["new_files"] == 1
    stored = next((root / "backups" / "files").rglob("*.age"))
    stored.chmod(0o600)
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")
    assert people("backup", "verify").code == 1
    assert people("backup", "create", "--json").json["new_files"] == 1
    for row in people("backup", "list", "--json").json:
        assert people("backup", "verify", row["name"], "--key", str(sheet)).code == 0
    assert not list((root / "backups" / "files").rglob("*.damaged"))


def test_the_job_backs_up_once_a_day(appliance: Appliance, tmp_path: Path) -> None:
    assert run(["--data", str(appliance.root), "backup", "keys", "--out", str(tmp_path / "key")]) == 0
    db = appliance.context.db

    def result(**arguments: object) -> dict[str, object]:
        with db.write() as tx:
            job_id = jobs.enqueue(tx, "backup", arguments=arguments)
        appliance.context.wake_jobs()

        def ended() -> sqlite3.Row | None:
            with db.read() as conn:
                row = jobs.get(conn, job_id)
            return row if row["state"] in ("done", "failed") else None

        row = wait_for(ended)
        assert row["state"] == "done", row["error"]
        return dict(json.loads(row["result"]))

    assert result()["problems"] == []
    assert "skipped" in result()
    assert result(now=True)["new_files"] == 0
    assert len(backups.listed(backups.folder(appliance.settings))) == 2


@pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed")
def test_a_keyring_may_lie_deep(tmp_path: Path, gpg_home: Path) -> None:
    """GnuPG wants a socket beside its keys, and the path of a socket has at most 107 bytes."""
    command = ["gpg", "--homedir", str(gpg_home), "--batch", "--quiet", "--passphrase", ""]
    subprocess.run([*command, "--quick-generate-key", "deep@clinic.example"], check=True, capture_output=True)
    public = tmp_path / "public.asc"
    public.write_bytes(subprocess.run([*command, "--export", "--armor"], check=True, capture_output=True).stdout)
    home = tmp_path / ("deep" * 25) / "gnupg"
    gpg.import_key(home, public)
    assert gpg.has_key(home, "deep@clinic.example")
    source, target = tmp_path / "plain", tmp_path / "sealed"
    source.write_text("data")
    gpg.encrypt(home, source, target, "deep@clinic.example")
    assert subprocess.run([*command, "--decrypt", str(target)], check=True, capture_output=True).stdout == b"data"


def test_the_worst_hour_a_damaged_backup_then_a_good_one(people: Dcor, sheet: Path, root: Path, tmp_path: Path) -> None:
    good = people("backup", "create", "--json").json["name"]
    damaged = people("backup", "create", "--json").json
    usb = tmp_path / "usb"
    shutil.copytree(root / "backups", usb)
    part = usb / damaged["name"][:7] / damaged["name"] / "database.age"
    part.chmod(0o600)
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    given = ("backup", "restore", "--from", str(usb), "--key", str(sheet), "--replace", "--yes")
    before = (root / "dcor.sqlite").stat().st_ino
    refused = people(*given)
    assert (refused.code, "Use another backup" in refused.err) == (1, True)
    assert (root / "dcor.sqlite").stat().st_ino == before
    assert people("user", "list").code == 0  # nothing was changed
    # One that was begun by somebody else, of a backup that is gone: every good one is taken with --replace.
    (root / ".restoring").write_text("2020-01-01_000000\n")
    with pytest.raises(Problem, match="was not finished"):
        Service(settings_module.load(root))
    without = people(*(word for word in given if word not in ("--replace", "--yes")), "--backup", good)
    assert (without.code, "or --replace to start over" in without.err) == (1, True)
    done = people(*given, "--backup", good)
    assert (done.code, f"Started over with {good}" in done.err) == (0, True)
    assert people("user", "list").code == 0
    Service(settings_module.load(root)).stop(0)


def test_kinds_are_told_apart_everywhere(people: Dcor, sheet: Path, root: Path, tmp_path: Path) -> None:
    bare = people("backup", "create", "--database-only")
    assert "the database only, without files" in bare.out
    found = people("inspect", "--check", "backup")
    assert "no complete backup" in found.out
    assert "only some of the database" in found.out
    assert "database only" in people("backup", "list").out
    assert "database only" in people("backup", "verify").out
    assert not backups.is_fresh(CliState(root).settings)
    assert not backup_trials.trial_is_due(CliState(root).settings)
    assert people("backup", "trial").code == 1
    usb = tmp_path / "usb"
    shutil.copytree(root / "backups", usb)
    target = tmp_path / "new"
    restore = ["--data", str(target), "backup", "restore", "--from", str(usb), "--key", str(sheet)]
    assert run(restore) == 1
    assert not (target / "dcor.sqlite").exists()
    assert "contains no files" in people("backup", "restore", "--files", "--key", str(sheet), "--backup",
                                      people("backup", "list", "--json").json[0]["name"]).err  # fmt: skip
    complete = people("backup", "create", "--json").json
    assert complete["kind"] == "full"
    assert backups.is_fresh(CliState(root).settings)
