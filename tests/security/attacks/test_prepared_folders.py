"""A folder that somebody else has prepared decides nothing about the machine that imports it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.cli.folders import plan_folder

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


def test_links_to_files_elsewhere_are_left_out(folders: tuple[Path, Path]) -> None:
    top, secret = folders
    (top / "monday" / "notes.txt").symlink_to(secret)
    _assert_only_the_good_one(top, "notes.txt", "leads outside the folder")


def test_links_to_folders_elsewhere_are_left_out(folders: tuple[Path, Path], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "other.rtdc").write_bytes(b"another's")
    (folders[0] / "tuesday").symlink_to(elsewhere)
    _assert_only_the_good_one(folders[0], "tuesday", "leads outside the folder")


def test_a_link_in_a_circle_is_left_out(folders: tuple[Path, Path]) -> None:
    (folders[0] / "monday" / "round").symlink_to(folders[0] / "monday")
    _assert_only_the_good_one(folders[0], "round", "not to a file")


def _assert_only_the_good_one(top: Path, left_out: str, why: str) -> None:
    plans = list(plan_folder(top, DEFAULTS))
    assert [file.path.name for plan in plans for file in plan.files] == ["good.rtdc"]
    (lost,) = [one for plan in plans for one in plan.left_out]
    assert (lost.path.name, why in lost.reason) == (left_out, True)


@pytest.mark.parametrize("absolute", [True, False])
def test_task_files_name_only_files_of_their_folder(folders: tuple[Path, Path], absolute: bool) -> None:
    top, secret = folders
    _task(top / "monday", str(secret) if absolute else "../../signing.key")
    (plan,) = plan_folder(top, DEFAULTS)
    assert (plan.files, "leads outside the folder" in plan.error) == ([], True)


def test_what_lies_in_the_folder_is_imported_also_by_links_and_tasks(folders: tuple[Path, Path]) -> None:
    top, _ = folders
    (top / "tuesday").mkdir()
    (top / "tuesday" / "again.rtdc").symlink_to(top / "monday" / "good.rtdc")
    _task(top / "monday", "good.rtdc")
    found = [file.path.name for plan in plan_folder(top, DEFAULTS) for file in plan.files]
    assert found == ["good.rtdc", "again.rtdc"]
