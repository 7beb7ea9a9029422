"""One thing comes back, from the trash or from a backup, while the service runs; nothing else changes."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from appliance.actions import draft_files, sharing
from appliance.cli.common import CliState
from appliance.model.viewer import OPERATOR
from tests.ops.place import Place


def restore(place: Place, *options: str) -> dict[str, object]:
    """Bring one thing back from a backup; it has to come."""
    said = place.done("backup", "restore", *options, "--key", str(place.sheet), "--json")
    return dict(said.json)


def refused(place: Place, *arguments: str) -> str:
    """The sentence with which a command refuses."""
    said = place.dcor(*arguments)
    assert said.code in (1, 2), said
    assert "Traceback" not in said.err
    return said.err


def rows(place: Place, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(place.database)) as conn:
        return conn.execute(query).fetchall()


def everything(place: Place) -> dict[str, list[tuple[object, ...]]]:
    """What the catalogue says of the dataset, without moments and numbers of rows."""
    return {
        "dataset": rows(
            place, "SELECT id, name, title, authors, state, private, circle_id, creator_id, num_resources FROM dataset"
        ),
        "resource": rows(
            place,
            "SELECT id, dataset_id, position, name, size, sha256, etag, supplements, dc, event_count FROM resource",
        ),
        "artefact": rows(place, "SELECT resource_id, kind, size, sha256 FROM artefact ORDER BY kind"),
        "rtdc": rows(place, "SELECT resource_id, config, features, logs, tables, statistics, sane FROM rtdc"),
        "tag": rows(place, "SELECT dataset_id, tag_id FROM dataset_tag"),
        "search": rows(place, "SELECT title_key, num_tags, num_events, size FROM search_dataset"),
    }


def test_a_purged_dataset_comes_back_whole_while_the_service_runs(place: Place) -> None:
    place.start()
    before, content = everything(place), place.file().read_bytes()
    place.done("dataset", "purge", place.dataset, "--yes")
    assert rows(place, "SELECT id FROM dataset") == []
    assert not place.file().exists()
    done = restore(place, "--dataset", place.dataset)
    assert (done["kind"], done["name"]) == ("dataset", place.dataset)
    assert everything(place) == before
    assert place.file().read_bytes() == content
    assert place.file().stat().st_uid == place.root.stat().st_uid
    found = place.done(
        "inspect", "--deep", "--check", "files", "--check", "search index", "--check", "database", "--json"
    )
    assert found.json["healthy"]
    assert rows(place, "SELECT count(*) FROM audit WHERE action = 'dataset.bring_back'") == [(1,)]
    assert "already exists" in refused(
        place, "backup", "restore", "--dataset", place.dataset, "--key", str(place.sheet)
    )


def test_a_deleted_dataset_comes_back_from_a_backup_as_it_was(place: Place) -> None:
    before = everything(place)
    place.done("dataset", "delete", place.dataset, "--yes")
    restore(place, "--dataset", place.dataset)
    assert everything(place) == before


def test_sharing_that_ended_before_the_deletion_stays_ended(place: Place) -> None:
    site = CliState(place.root).site
    place.done("user", "add", "guest", "--email", "guest@lab.example")
    sharing.share(site, OPERATOR, place.dataset, "guest", "editor")
    place.done("backup", "create")
    sharing.unshare(site, OPERATOR, place.dataset, "guest")
    place.done("dataset", "delete", place.dataset, "--yes")
    restore(place, "--dataset", place.dataset)
    assert rows(place, "SELECT count(*) FROM collaborator") == [(0,)]


def test_an_administrator_comes_back_as_an_ordinary_user(place: Place) -> None:
    place.done("user", "add", "chief", "--email", "chief@lab.example")
    place.done("user", "promote", "chief")
    place.done("backup", "create")
    place.done("user", "demote", "chief")
    place.done("user", "remove", "chief", "--yes")
    notes = restore(place, "--user", "chief")["notes"]
    assert "dcor user promote chief" in str(notes)
    assert rows(place, "SELECT sysadmin FROM user WHERE name = 'chief'") == [(0,)]


def test_a_dataset_whose_name_is_taken_gets_another(place: Place, tmp_path: Path) -> None:
    place.done("dataset", "purge", place.dataset, "--yes")
    with closing(sqlite3.connect(place.database)) as conn:
        assert conn.execute("SELECT count(*) FROM dataset").fetchone() == (0,)
    shutil.copytree(place.top / "in", tmp_path / "in")
    place.done("import", str(tmp_path / "in"), "--user", "ada", "--circle", "lab")
    done = restore(place, "--dataset", place.dataset)
    assert done["name"] != place.dataset
    assert len(rows(place, "SELECT id FROM dataset")) == 2


def test_the_circle_of_a_dataset_comes_back_with_it(place: Place) -> None:
    place.done("dataset", "purge", place.dataset, "--yes")
    with closing(sqlite3.connect(place.database)) as conn:
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute("DELETE FROM community WHERE name = 'lab'")
        conn.commit()
    notes = restore(place, "--dataset", place.dataset)["notes"]
    assert "lab" in str(notes)
    assert rows(place, "SELECT u.name, m.role FROM member m JOIN user u ON u.id = m.user_id") == [("ada", "admin")]


def test_a_damaged_file_is_put_back_and_kept_aside(place: Place) -> None:
    content = place.file().read_bytes()
    place.file().chmod(0o640)
    place.file().write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert restore(place, "--file", place.resource)["files"] == 1
    assert place.file().read_bytes() == content
    assert len([path for path in (place.root / "quarantine").rglob("*") if path.is_file()]) == 1
    again = restore(place, "--file", place.resource)
    assert (again["files"], "intact" in str(again["notes"])) == (0, True)


def test_a_file_that_was_taken_out_of_its_dataset_comes_back(place: Place) -> None:
    before = everything(place)
    draft_files.remove(CliState(place.root).site, OPERATOR, place.dataset, [place.resource])
    for path in (place.root / "quarantine").iterdir():
        path.unlink()
    assert rows(place, "SELECT id FROM resource") == []
    restore(place, "--file", place.resource)
    assert everything(place) == before


def test_a_file_of_a_lost_dataset_says_which_one(place: Place) -> None:
    place.done("dataset", "purge", place.dataset, "--yes")
    said = refused(place, "backup", "restore", "--file", place.resource, "--key", str(place.sheet))
    assert f"--dataset {place.dataset}" in said


def test_a_removed_user_comes_back_with_memberships_but_without_tokens(place: Place) -> None:
    place.done("token", "create", "ada")
    place.done("backup", "create")
    before = rows(place, "SELECT * FROM user WHERE name = 'ada'")
    member = rows(place, "SELECT community_id, user_id, role FROM member")
    place.done("circle", "member", "lab", "boss", "--role", "admin")
    place.done("user", "remove", "ada", "--yes")
    assert rows(place, "SELECT * FROM user WHERE name = 'ada'") == []
    restore(place, "--user", "ada")
    assert rows(place, "SELECT * FROM user WHERE name = 'ada'") == before
    assert set(member) < set(rows(place, "SELECT community_id, user_id, role FROM member"))
    assert rows(place, "SELECT t.id FROM token t JOIN user u ON u.id = t.user_id WHERE u.name = 'ada'") == []


def test_a_user_whose_name_is_taken_is_refused(place: Place) -> None:
    place.done("circle", "member", "lab", "boss", "--role", "admin")
    place.done("user", "remove", "ada", "--yes")
    place.done("user", "add", "ada", "--email", "other@lab.example")
    assert "belongs to another user" in refused(place, "backup", "restore", "--user", "ada", "--key", str(place.sheet))


def test_an_older_backup_is_taken_when_the_newest_lacks_it(place: Place) -> None:
    place.done("dataset", "purge", place.dataset, "--yes")
    place.done("backup", "create")
    first = min(path.parent.name for path in place.root.glob("backups/*/*/manifest.json"))
    assert restore(place, "--dataset", place.dataset)["backup"] == first


def test_what_no_backup_has_is_told(place: Place) -> None:
    for options in (("--dataset", "nothing"), ("--user", "nobody"), ("--circle", "none"), ("--file", "0" * 36)):
        said = refused(place, "backup", "restore", *options, "--key", str(place.sheet))
        assert options[1] in said
    assert "cannot be combined" in refused(
        place, "backup", "restore", "--user", "a", "--circle", "b", "--key", str(place.sheet)
    )
    assert "is not the ID of a file" in refused(
        place, "backup", "restore", "--file", "M1.rtdc", "--key", str(place.sheet)
    )


def test_a_damaged_backup_changes_nothing(place: Place) -> None:
    place.done("dataset", "purge", place.dataset, "--yes")
    for path in place.root.glob("backups/files/*/*.age"):
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert "damaged" in refused(place, "backup", "restore", "--dataset", place.dataset, "--key", str(place.sheet))
    assert rows(place, "SELECT id FROM dataset") == []
    assert not (place.root / "tmp" / f"backup-{os.getpid()}").exists()


def test_the_contents_of_a_backup_are_listed(place: Place) -> None:
    data = place.done("backup", "contents", "--key", str(place.sheet), "--json").json
    assert [one["name"] for one in data["datasets"]] == [place.dataset]
    assert [one["id"] for one in data["files"]] == [place.resource]
    assert {one["name"] for one in data["users"]} == {"ada", "boss"}
    assert [one["name"] for one in data["circles"]] == ["lab"]
    only = place.done("backup", "contents", "--only", "users", "--key", str(place.sheet)).out
    assert "ada" in only
    assert "lab" not in only.split("Backup")[1].splitlines()[2]


def test_lost_keys_come_back_and_what_is_there_stays(place: Place) -> None:
    key, cert = place.root / "secrets" / "backup.key", place.root / "certificates" / "server.cert"
    held = key.read_bytes()
    key.unlink()
    cert.write_bytes(b"changed")
    assert restore(place, "--system")["put_back"] == ["secrets/backup.key"]
    assert (key.read_bytes(), key.stat().st_mode & 0o777) == (held, 0o600)
    assert cert.read_bytes() == b"changed"
    assert restore(place, "--system")["put_back"] == []


@pytest.mark.parametrize("state", ["draft", "active"])
def test_a_dataset_in_the_trash_comes_back_as_it_was(place: Place, state: str) -> None:
    if state == "active":
        place.done("dataset", "activate", place.dataset)
    before = everything(place)
    place.done("dataset", "delete", place.dataset, "--yes")
    assert [(one["kind"], one["name"]) for one in place.done("trash", "list", "--json").json] == [
        ("dataset", place.dataset)
    ]
    place.done("trash", "restore", "dataset", place.dataset)
    assert everything(place) == before
    assert place.done("trash", "list", "--json").json == []
    assert "not in the trash" in refused(place, "trash", "restore", "dataset", place.dataset)


def test_after_thirty_days_the_trash_is_emptied_into_the_quarantine(place: Place) -> None:
    place.done("dataset", "delete", place.dataset, "--yes")
    assert place.done("prune", "trash", "--json", "--yes").json["removed"] == []
    with closing(sqlite3.connect(place.database)) as conn:
        conn.execute("UPDATE dataset SET modified = '2026-01-01T00:00:00Z'")
        conn.commit()
    assert place.done("prune", "trash", "--dry-run", "--json").json["found"] == [place.dataset]
    assert rows(place, "SELECT state FROM dataset") == [("deleted",)]
    assert place.done("prune", "trash", "--json", "--yes").json["removed"] == [place.dataset]
    assert rows(place, "SELECT state FROM dataset") == []
    assert any(path.name.endswith(place.resource) for path in (place.root / "quarantine").iterdir())


def test_a_file_a_circle_and_a_user_in_the_trash_come_back(place: Place) -> None:
    from appliance.actions import accounts
    from appliance.cli.common import CliState

    site = CliState(place.root).site
    draft_files.remove(site, OPERATOR, place.dataset, [place.resource])
    (listed,) = place.done("trash", "list", "--json").json
    assert (listed["kind"], listed["id"], listed["of"]) == ("file", place.resource, place.dataset)
    place.done("trash", "restore", "file", place.resource)
    assert rows(place, "SELECT id FROM resource") == [(place.resource,)]
    assert place.file().is_file()

    place.done("circle", "create", "empty", "--title", "Empty")
    from appliance.actions import communities

    communities.delete(site, OPERATOR, "circle", "empty")
    place.done("trash", "restore", "circle", "empty")
    assert [one["name"] for one in place.done("circle", "list", "--json").json] == ["empty", "lab"]

    place.done("user", "add", "eve", "--email", "eve@lab.example")
    accounts.set_state(site, OPERATOR, "eve", "deleted")
    assert [one["name"] for one in place.done("trash", "list", "--json").json] == ["eve"]
    place.done("trash", "restore", "user", "eve")
    assert rows(place, "SELECT state FROM user WHERE name = 'eve'") == [("active",)]
    place.done("user", "remove", "eve", "--yes")
    assert place.done("trash", "list", "--json").json == []


def test_settings_that_were_changed_on_a_page_come_back_with_a_restore(place: Place) -> None:
    changed = place.root / "page-settings.toml"
    changed.write_text("[policy]\npublic_datasets = false\n")
    place.done("backup", "create")
    changed.unlink()
    source = ("--from", str(place.root / "backups"), "--key", str(place.sheet))
    place.done("backup", "restore", *source, "--replace", "--yes")
    assert "public_datasets = false" in changed.read_text()
    assert (place.root / "dcor.toml").is_file()
