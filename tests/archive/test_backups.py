"""Backups know what is in the archive: they leave it there, and a restored server goes on reading it."""

from __future__ import annotations

from pathlib import Path

from appliance import file_locks
from tests.archive.conftest import Archived, Dcor


def test_a_restored_server_reads_its_archive(archived: Archived, noise: bytes, dcor: Dcor, tmp_path: Path) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    here = archived.file(noise[:100_000], "here.tif")
    root, sheet = archived.appliance.root, tmp_path / "sheet.txt"
    assert dcor(root, "backup", "keys", "--out", str(sheet)).code == 0
    made = dcor(root, "backup", "create", "--json")
    assert (made.code, made.json["problems"]) == (0, [])
    archived.appliance.service.stop(grace=2.0)
    target = tmp_path / "restored"
    restored = dcor(target, "backup", "restore", "--from", str(root / "backups"), "--key", str(sheet), "--json")
    assert restored.code == 0, restored.err
    assert restored.json["problems"] == []
    assert (target / _below(archived, here)).read_bytes() == noise[:100_000]
    assert not (target / _below(archived, one)).exists()
    said = dcor(target, "archive", "recall", "--file", one, "--json")
    assert said.json == {"recalled": [one]}, said.err
    assert (target / _below(archived, one)).read_bytes() == noise


def test_nothing_leaves_while_a_backup_is_made(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    with file_locks.shared(archived.appliance.settings.tmp / "archive-removal.lock"):
        assert archived.mover.run().moved == 2
        assert archived.here(one), "its copy of the database may say that it is here"
    assert archived.mover.run().finished == 2
    assert not archived.here(one)


def test_only_one_run_at_a_time(archived: Archived, noise: bytes, dcor: Dcor) -> None:
    archived.file(noise, "noise.tif")
    with file_locks.held(archived.appliance.settings.tmp / "archive.lock") as mine:
        assert mine
        said = dcor(archived.appliance.root, "archive", "run")
    assert said.code == 1
    assert "being moved to the archive already" in said.err


def _below(archived: Archived, resource_id: str) -> Path:
    return archived.appliance.context.depot.path(resource_id).relative_to(archived.appliance.root)
