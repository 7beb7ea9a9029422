"""Circles, datasets, resources, imports, pruning: the commands that change the catalogue."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from appliance.actions import ingest
from appliance.cli import figshare
from appliance.cli.common import CliState
from appliance.model import names
from appliance.store import uploads
from tests.cli.conftest import Dcor
from tests.support.samples import synthetic


@pytest.fixture
def study(people: Dcor, tmp_path: Path) -> Dcor:
    """A folder tree imported as drafts: `blood` with a measurement and a text, `beads` with a task file."""
    tree(tmp_path / "study")
    assert (
        people("import", str(tmp_path / "study"), "--user", "ada", "--circle", "lab", "--authors", "Ada L.").code == 0
    )
    return people


def tree(top: Path) -> Path:
    (top / "blood" / "notes only").mkdir(parents=True)
    shutil.copy(synthetic(), top / "blood" / "run 1.RTDC")
    (top / "blood" / "protocol.txt").write_text("washed twice\n")
    (top / "blood" / "secret.docx").write_text("not allowed, left out\n")
    (top / "beads").mkdir()
    shutil.copy(synthetic(), top / "beads" / "beads.rtdc")
    task = {
        "dataset_dict": {
            "title": "Beads of the year",
            "authors": "Ada L., Bob",
            "license_id": "CC-BY-4.0",
            "owner_org": "lab",
            "private": True,
        },
        "upload_job": {
            "task_id": "beads",
            "resource_paths": ["beads.rtdc"],
            "resource_names": ["beads.rtdc"],
            "resource_supplements": [{"chip": {"channel width": 21.0}}],
        },
    }
    (top / "beads" / "upload.dcoraid-task").write_text(json.dumps(task))
    return top


def titles(dcor: Dcor, *options: str) -> list[str]:
    return sorted(row["title"] for row in dcor("dataset", "list", "--json", *options).json)


def test_import_makes_a_dataset_of_each_folder(study: Dcor) -> None:
    assert titles(study) == ["Beads of the year", "blood"]
    beads = study("dataset", "show", "beads-of-the-year", "--json").json
    assert (beads["private"], beads["license_id"], beads["authors"], beads["state"]) == (
        True,
        "CC-BY-4.0",
        "Ada L., Bob",
        "draft",
    )
    assert beads["resources"][0]["sp:chip:channel width"] == 21.0
    assert {job["kind"] for job in beads["jobs"]} == {"metadata", "condense", "preview"}
    blood = study("dataset", "show", "blood", "--json").json
    assert [one["name"] for one in blood["resources"]] == ["protocol.txt", "run_1.rtdc"]
    assert blood["creator_user_id"] == study("user", "show", "ada", "--json").json["id"]


def test_import_again_skips_and_a_dry_run_plans(study: Dcor, tmp_path: Path) -> None:
    again = study("import", str(tmp_path / "study"), "--user", "ada", "--circle", "lab", "--json").json
    assert [row["state"] for row in again] == ["skipped", "skipped"]
    (tmp_path / "study" / "blood").rename(tmp_path / "study" / "plasma")
    planned = study("import", str(tmp_path / "study"), "--user", "ada", "--circle", "lab", "--dry-run", "--json").json
    assert [row["state"] for row in planned] == ["skipped", "planned"]
    assert titles(study) == ["Beads of the year", "blood"]


def test_import_again_names_what_an_interrupted_one_left(study: Dcor, tmp_path: Path) -> None:
    text = study("dataset", "show", "blood", "--json").json["resources"][0]
    assert study("resource", "remove", text["id"], "--yes").code == 0
    said = study("import", str(tmp_path / "study"), "--user", "ada", "--circle", "lab", "--json")
    assert (said.code, sorted(row["state"] for row in said.json)) == (1, ["failed", "skipped"])
    assert "dcor dataset purge blood" in next(row["error"] for row in said.json if row["state"] == "failed")


def test_import_reports_what_fails_and_goes_on(people: Dcor, tmp_path: Path) -> None:
    tree(tmp_path / "study")
    said = people(
        "import", str(tmp_path / "study"), "--user", "ada", "--authors", "Ada", "--json"
    )  # no circle for `blood`
    assert said.code == 1
    assert sorted(row["state"] for row in said.json) == ["draft", "failed"]
    (tmp_path / "study" / "beads" / "upload.dcoraid-task").write_text("{}")
    said = people("import", str(tmp_path / "study"), "--user", "ada", "--circle", "lab")
    assert said.code == 1
    assert "is not a task file" in said.out
    assert "draft    blood" in said.out


def test_import_takes_the_measurements_and_says_what_it_leaves_out(people: Dcor, tmp_path: Path) -> None:
    """A folder that was on a Mac and on a Windows share."""
    top = tmp_path / "day 1"
    (top / "report").mkdir(parents=True)
    (top / "__MACOSX").mkdir()
    shutil.copy(synthetic(), top / "M1.rtdc")
    shutil.copy(synthetic(), top / "M 2.rtdc")
    shutil.copy(synthetic(), top / "M_2.rtdc")
    (top / "._M1.rtdc").write_bytes(b"\x00\x05\x16\x07" + bytes(4092))
    (top / "__MACOSX" / "M1.rtdc").write_bytes(b"\x00\x05\x16\x07")
    (top / "link.rtdc").symlink_to(synthetic())
    (top / "report" / "plan.docx").write_text("x")
    for name in (".DS_Store", "Thumbs.db", "notes.docx"):
        (top / name).write_text("x")
    command = ("import", str(top), "--user", "ada", "--circle", "lab")
    planned = people(*command, "--dry-run", "--json").json
    assert [row["state"] for row in planned] == ["planned", "left out"]
    row, other = people(*command, "--json").json
    assert (row["state"], sorted(row["files"])) == ("draft", ["M1.rtdc", "M_2.rtdc", "M_2_2.rtdc"])
    assert [Path(one["file"]).name for one in row["renamed"]] == ["M 2.rtdc"]
    left_out = {Path(one["file"]).name: one["reason"] for one in [*row["left_out"], *other["left_out"]]}
    assert left_out.keys() == {
        "._M1.rtdc",
        ".DS_Store",
        "Thumbs.db",
        "__MACOSX",
        "link.rtdc",
        "notes.docx",
        "plan.docx",
    }
    assert "file manager" in left_out["._M1.rtdc"]
    assert ".docx" in left_out["notes.docx"]
    said = people(*command)
    assert "Left out:" in said.out
    assert "notes.docx: files of the kind .docx" in said.out


def test_the_stored_file_is_the_imported_one(study: Dcor, root: Path) -> None:
    resource = study("dataset", "show", "blood", "--json").json["resources"][1]
    shown = study("resource", "show", resource["id"], "--json").json
    stored = Path(shown["files"]["original"]).read_bytes()
    assert stored == synthetic().read_bytes()
    assert resource["sha256"] == hashlib.sha256(stored).hexdigest()
    assert resource["etag"] == hashlib.md5(stored).hexdigest()
    assert list((root / "tmp" / "parts").iterdir()) == []


def test_activate_needs_a_valid_measurement(study: Dcor, tmp_path: Path) -> None:
    assert study("dataset", "activate", "blood").code == 0
    assert titles(study, "--state", "active") == ["blood"]
    text = tmp_path / "more.txt"
    text.write_text("later remark\n")
    assert study("resource", "append", str(text), "blood").code == 0  # the operator may, also when active
    assert study("resource", "append", str(text), "blood").code == 1  # the name is taken
    (tmp_path / "text only").mkdir()
    (tmp_path / "text only" / "fake.rtdc").write_text("no HDF5\n")
    assert study("import", str(tmp_path / "text only"), "--user", "ada", "--circle", "lab", "--activate").code == 1


def test_move_between_circles(study: Dcor) -> None:
    assert study("circle", "create", "archive").code == 0
    assert study("dataset", "move", "blood", "archive", "--json").json == {"moved": True}
    assert study("dataset", "move", "blood", "archive", "--json").json == {"moved": False}
    assert titles(study, "--circle", "archive") == ["blood"]
    assert study("dataset", "move", "blood", "nowhere").code == 1


def test_delete_and_purge_ask_and_keep_the_files(study: Dcor, root: Path) -> None:
    assert study("dataset", "purge", "blood").code == 1  # nobody to ask
    assert study("dataset", "purge", "blood", "--dry-run").code == 0
    assert len(titles(study)) == 2
    assert study("dataset", "delete", "blood", "--yes").code == 0
    assert titles(study, "--state", "deleted") == ["blood"]
    assert study("dataset", "purge", "blood", "beads-of-the-year", "--yes").code == 0
    assert titles(study) == []
    assert len([path for path in (root / "quarantine").rglob("*") if path.is_file()]) == 3


def test_circles_and_collections(study: Dcor) -> None:
    assert study("collection", "create", "best", "--admin", "ada").code == 0
    assert study("collection", "add", "best", "blood").code == 0
    assert study("collection", "show", "best", "--json").json["datasets"] == ["blood"]
    assert len(study("collection", "resources", "best", "--json").json) == 2
    assert study("circle", "member", "lab", "boss", "--role", "editor").code == 0
    assert study("circle", "show", "lab", "--json").json["members"] == {"ada": "admin", "boss": "editor"}
    assert study("circle", "member", "lab", "boss", "--remove").code == 0
    assert study("circle", "resources", "nothing").code == 1
    assert study("circle", "purge", "lab", "--yes").code == 1  # it holds datasets
    assert study("collection", "purge", "best", "--yes").code == 0
    assert study("collection", "list", "--json").json == []
    assert [row["name"] for row in study("circle", "list", "--json").json] == ["lab"]


def test_prune_drafts(study: Dcor) -> None:
    assert study("prune", "drafts", "--yes", "--json").json == {"found": [], "removed": [], "ignored": 2}
    assert sorted(study("prune", "drafts", "--older-than-days", "0", "--dry-run", "--json").json["found"]) == [
        "beads-of-the-year",
        "blood",
    ]
    assert len(titles(study)) == 2
    assert len(study("prune", "drafts", "--older-than-days", "0", "--yes", "--json").json["removed"]) == 2
    assert titles(study) == []


def test_prune_communities_leaves_what_holds_a_draft(study: Dcor) -> None:
    study("circle", "create", "empty")
    said = study("prune", "communities", "--modified-before-months", "0", "--yes", "--json").json
    assert said["removed"] == ["empty"]
    assert [row["name"] for row in study("circle", "list", "--json").json] == ["lab"]


def test_prune_uploads_playground_and_all(study: Dcor, state: CliState) -> None:
    with state.depot.new_part() as part:
        assert study("prune", "uploads", "--json").json["found"] == []
        dry = study("prune", "uploads", "--initiated-before-days", "0", "--dry-run", "--json").json
        assert (dry["found"], dry["removed"], part.path.exists()) == ([part.path.stem], [], True)
        assert study("prune", "uploads", "--initiated-before-days", "0", "--json").json["removed"] == [part.path.stem]
        assert not part.path.exists()
    assert study("prune", "playground", "--yes").code == 2
    assert study("prune", "all", "--yes").code == 0
    assert len(titles(study)) == 2


def test_prune_uploads_ends_what_the_catalogue_knows_and_keeps_complete_files(study: Dcor, state: CliState) -> None:
    made = {}
    with state.db.read() as conn:
        owner = conn.execute("SELECT id FROM user WHERE name = 'ada'").fetchone()["id"]
    for name in ("broken-off", "complete"):
        part = state.depot.new_part()
        part.close()
        part.path.write_bytes(b"content")
        made[name] = part_id = part.path.stem
        with state.db.write() as tx:
            uploads.create(tx, part_id, names.new_id(), user_id=owner, kind="browser", size=7, lifetime=86400)
            if name == "complete":
                uploads.complete_whole(tx, part_id, "00", "00")
    assert study("prune", "uploads", "--json").json["found"] == []
    said = study("prune", "uploads", "--initiated-before-days", "0", "--json").json
    assert (said["removed"], said["put_aside"]) == ([made["broken-off"]], [made["complete"]])
    assert [path.read_bytes() for path in (state.data_root / "quarantine").glob(f"*{made['complete']}*")] == [
        b"content"
    ]
    with state.db.read() as conn:
        assert {row["state"] for row in conn.execute("SELECT state FROM upload")} == {"aborted"}


def test_reset_copies_the_database_first(study: Dcor, root: Path) -> None:
    assert study("reset").code == 2
    assert study("reset", "--datasets").code == 1  # nobody to ask
    assert study("reset", "--datasets", "--dry-run", "--json").json["datasets"] == 2
    assert study("reset", "--zombie-users", "--keep-user", "adda", "--yes").code == 1  # nobody is called so
    said = study(
        "reset",
        "--datasets",
        "--zombie-users",
        "--weeks",
        "0",
        "--keep-user",
        "ada",
        "--search-index",
        "--yes",
        "--json",
    ).json
    assert Path(said["copy"]).stat().st_mode & 0o777 == 0o600
    assert (titles(study), said["users"]) == ([], [])


def test_figshare_offline(people: Dcor, tmp_path: Path) -> None:
    article = figshare.ARTICLES[0]
    folder = tmp_path / "mirror" / article.name
    folder.mkdir(parents=True)
    shutil.copy(synthetic(), folder / "beads.rtdc")
    md5 = hashlib.md5((folder / "beads.rtdc").read_bytes()).hexdigest()
    metadata = {
        "title": "Reference data", "authors": [{"full_name": "Ada L."}], "license": {"name": "CC0"}, "tags": ["beads"], "references": ["10.1/2", "https://x.example/y"],
        "description": "<p>Some <b>beads</b> &amp; more</p><p><a href=\"https://x.example\">here</a></p>", "files": [{"name": "beads.rtdc", "supplied_md5": md5}],
    }  # fmt: skip
    (folder / "metadata.json").write_text(json.dumps(metadata))
    said = people("import-figshare", "--from", str(tmp_path / "mirror"), "--limit", "1", "--json")
    assert said.json == [{"name": "figshare-7771184-v2", "state": "active", "files": 1}]
    shown = people("dataset", "show", "figshare-7771184-v2", "--json").json
    assert shown["id"] == ingest.id_from(article.doi, article.name)
    assert (shown["doi"], shown["references"], shown["private"]) == (
        article.doi,
        "doi:10.1/2, https://x.example/y",
        False,
    )
    assert shown["notes"] == "Some **beads** & more\n[here](https://x.example)"
    assert (
        people("import-figshare", "--from", str(tmp_path / "mirror"), "--limit", "1", "--json").json[0]["state"]
        == "skipped"
    )


def test_figshare_refuses_damaged_files(people: Dcor, tmp_path: Path) -> None:
    folder = tmp_path / figshare.ARTICLES[0].name
    folder.mkdir()
    (folder / "a.txt").write_text("broken")
    metadata = {
        "title": "T",
        "authors": [{"full_name": "A"}],
        "license": {"name": "CC0"},
        "files": [{"name": "a.txt", "supplied_md5": "0" * 32}],
    }
    (folder / "metadata.json").write_text(json.dumps(metadata))
    said = people("import-figshare", "--from", str(tmp_path), "--limit", "1")
    assert said.code == 1
    assert "damaged" in said.err
    assert people("import-figshare", "--from", str(tmp_path / "none")).code == 2
