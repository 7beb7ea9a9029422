"""A folder that somebody else has prepared decides nothing about the machine that imports it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.cli.folders import plan_folder
from appliance.model.problem import Problem

DEFAULTS = {"owner_org": "lab", "authors": "A"}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """(what is imported, a secret beside it)."""
    top, secret = tmp_path / "stick" / "monday", tmp_path / "signing.key"
    top.mkdir(parents=True)
    (top / "good.rtdc").write_bytes(b"measurement")
    secret.write_bytes(b"secret")
    return top.parent, secret


def _task(folder: Path, path: str) -> None:
    task = {"dataset_dict": {"title": "x"}, "upload_job": {"resource_paths": [path], "resource_names": ["notes.txt"]}}
    (folder / "x.dcoraid-task").write_text(json.dumps(task))


def test_links_to_files_elsewhere_are_refused(folders: tuple[Path, Path]) -> None:
    top, secret = folders
    (top / "monday" / "notes.txt").symlink_to(secret)
    with pytest.raises(Problem, match="leads out of the folder"):
        list(plan_folder(top, DEFAULTS))


def test_links_to_folders_elsewhere_are_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "other.rtdc").write_bytes(b"another's")
    (folders[0] / "tuesday").symlink_to(elsewhere)
    with pytest.raises(Problem, match="leads out of the folder"):
        list(plan_folder(folders[0], DEFAULTS))


@pytest.mark.parametrize("absolute", [True, False])
def test_task_files_name_only_files_of_their_folder(folders: tuple[Path, Path], absolute: bool) -> None:
    top, secret = folders
    _task(top / "monday", str(secret) if absolute else "../../signing.key")
    with pytest.raises(Problem, match="leads out of the folder"):
        list(plan_folder(top, DEFAULTS))


def test_what_lies_in_the_folder_is_imported_also_by_links_and_tasks(folders: tuple[Path, Path]) -> None:
    top, _ = folders
    (top / "tuesday").mkdir()
    (top / "tuesday" / "again.rtdc").symlink_to(top / "monday" / "good.rtdc")
    _task(top / "monday", "good.rtdc")
    found = [file.path.name for plan in plan_folder(top, DEFAULTS) for file in plan.files]
    assert found == ["good.rtdc", "again.rtdc"]
