"""A second machine takes over from increments: everything up to the last one, and never beside a server that still answers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance import root_marker
from appliance import settings as settings_module
from appliance.actions import reserve
from appliance.backup import manifest as backup_manifest
from tests.ops.place import Place, Said


@pytest.fixture
def share(place: Place, tmp_path: Path) -> Path:
    """The folder of the increments, with one of them."""
    folder = tmp_path / "share"
    folder.mkdir()
    place.set("reserve.folder", str(folder))
    place.done("reserve", "update")
    return folder


@pytest.fixture
def other(tmp_path: Path) -> Place:
    """The other machine: a data root to be."""
    return Place(tmp_path / "other")


def take_over(other: Place, share: Path, sheet: Path, *options: str) -> Said:
    return other.dcor("reserve", "take-over", "--from", str(share), "--key", str(sheet), "--yes", *options)


def names(place: Place, table: str) -> set[str]:
    with closing(sqlite3.connect(place.database)) as conn:
        return {row[0] for row in conn.execute(f"SELECT name FROM {table}")}


def test_the_other_machine_is_what_the_first_was_at_its_last_increment(place: Place, other: Place, share: Path) -> None:
    token = place.done("token", "create", "ada", "--json").json["token"]
    place.done("user", "add", "eve", "--email", "eve@lab.example")
    said = place.done("reserve", "update", "--json").json
    assert said["new_files"] == 0, "what an earlier increment holds is not written again"
    place.done("user", "add", "late", "--email", "late@lab.example")
    done = take_over(other, share, place.sheet, "--json")
    assert done.code == 0, done
    assert done.json["increment"] == said["name"]
    assert names(other, "user") == names(place, "user") - {"late"}
    for name in ("certificates/server.cert", "secrets/signing.key", "dcor.toml"):
        assert (other.root / name).read_bytes() == (place.root / name).read_bytes()
    moved = Place(other.top, place.resource, place.dataset)
    assert moved.file().read_bytes() == place.file().read_bytes()
    moved.start()
    try:
        assert moved.dcor("status").code == 0
        import requests

        answer = requests.get(
            f"https://127.0.0.1:{moved.settings.server.port}/api/3/action/package_show",
            params={"id": place.dataset},
            headers={"Authorization": token, "Host": moved.settings.server.hostname},
            verify=False,
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
    finally:
        moved.stop()


def test_while_the_old_server_answers_nothing_is_taken_over(place: Place, other: Place, share: Path) -> None:
    place.start()
    refused = take_over(other, share, place.sheet, "--address", "127.0.0.1")
    assert refused.code == 1
    assert "still answers" in refused.err
    assert not other.database.exists()
    assert not (share / reserve.TAKEN).exists()
    place.stop()
    assert take_over(other, share, place.sheet, "--address", "127.0.0.1").code == 0


def test_told_that_it_is_off_it_does_not_ask(place: Place, other: Place, share: Path) -> None:
    place.start()
    assert take_over(other, share, place.sheet, "--address", "127.0.0.1", "--old-is-off").code == 0


def test_the_old_machine_makes_no_more_increments_and_says_why(place: Place, other: Place, share: Path) -> None:
    assert take_over(other, share, place.sheet).code == 0
    refused = place.dcor("reserve", "update")
    assert refused.code == 1
    assert "has taken over" in refused.err
    assert any("has taken over" in one["message"] for one in place.dcor("alarm", "list", "--json").json)
    assert other.dcor("reserve", "update").code == 0, "the new one goes on"
    (share / reserve.TAKEN).unlink()
    place.done("reserve", "update")
    assert place.done("alarm", "list", "--json").json == []


def test_a_damaged_increment_is_passed_over(place: Place, other: Place, share: Path) -> None:
    place.done("user", "add", "late", "--email", "late@lab.example")
    place.done("reserve", "update")
    newest, older = backup_manifest.names(share)
    path = backup_manifest.set_path(share, newest) / "database.age"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = take_over(other, share, place.sheet, "--json")
    assert done.code == 0
    assert done.json["increment"] == older
    assert newest in done.err
    assert "late" not in names(other, "user")


def test_a_machine_with_datasets_is_not_overwritten(place: Place, share: Path) -> None:
    refused = take_over(place, share, place.sheet)
    assert refused.code == 1
    assert "is in use" in refused.err
    assert take_over(place, share, place.sheet, "--replace").code == 0
    assert any((place.root / "quarantine").iterdir())


def test_a_wrong_key_or_an_empty_folder_changes_nothing(
    place: Place, other: Place, share: Path, tmp_path: Path
) -> None:
    from appliance.backup import crypto

    sheet = tmp_path / "other-sheet.txt"
    sheet.write_text(place.sheet.read_text().replace(key_of(place), crypto.new_keys().identity))
    assert "age1" in take_over(other, share, sheet).err
    (tmp_path / "empty").mkdir()
    assert "no complete increment" in take_over(other, tmp_path / "empty", place.sheet).err
    assert not other.database.exists()


def key_of(place: Place) -> str:
    """The private key on the sheet."""
    return next(word for word in place.sheet.read_text().split() if word.startswith("AGE-SECRET-KEY-"))


def test_the_newest_three_stay(place: Place, share: Path) -> None:
    for _ in range(4):
        place.done("reserve", "update")
    assert len(backup_manifest.names(share)) == reserve.KEPT


def test_the_timer_makes_what_is_due(place: Place, share: Path) -> None:
    settings = settings_module.load(place.root, env={})
    made = reserve.newest(settings)
    assert made is not None
    assert not reserve.is_due(settings, made + timedelta(minutes=2))
    assert reserve.is_due(settings, made + timedelta(minutes=5))
    assert place.done("reserve", "update", "--due", "--json").json["name"] is None
    place.set("reserve.minutes", "15")
    settings = settings_module.load(place.root, env={})
    assert not reserve.is_due(settings, made + timedelta(minutes=10))
    assert reserve.is_due(settings, made + timedelta(minutes=15))


def test_without_a_folder_the_timer_does_nothing_and_a_person_is_told(place: Place) -> None:
    assert place.done("reserve", "update", "--due").err == ""
    assert "reserve.folder" in place.dcor("reserve", "update").err
    assert "reserve.folder" in place.dcor("reserve", "status").err


def test_an_absent_share_is_an_alarm_and_a_check(place: Place, share: Path) -> None:
    assert place.done("reserve", "status").out.startswith("The newest increment")
    assert place.done("inspect", "--check", "reserve").code == 0
    share.rename(share.with_name("away"))
    refused = place.dcor("reserve", "update")
    assert "mounted" in refused.err
    assert any("mounted" in one["message"] for one in place.dcor("alarm", "list", "--json").json)
    found = place.dcor("inspect", "--check", "reserve")
    assert (found.code, "dcor reserve update" in found.out) == (1, True)
    assert place.dcor("reserve", "status").code == 1


def test_an_old_increment_is_found(place: Place, share: Path) -> None:
    (made,) = share.glob("*/*/manifest.json")
    old = backup_manifest.name_of(datetime.now(UTC) - timedelta(hours=1))
    made.parent.rename(made.parent.with_name(old))
    found = place.dcor("inspect", "--check", "reserve")
    assert found.code == 1
    assert "minutes old" in found.out


def test_the_root_is_the_new_machines_own(place: Place, other: Place, share: Path) -> None:
    assert take_over(other, share, place.sheet).code == 0
    mine, theirs = root_marker.read(other.root), root_marker.read(place.root)
    assert mine is not None
    assert theirs is not None
    assert mine.id != theirs.id
