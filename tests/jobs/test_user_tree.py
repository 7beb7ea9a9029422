"""The tree of links that admins browse."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.jobs.user_tree import UserTree, safe_name
from appliance.store import datasets, resources

from .conftest import Appliance


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("content")
    return path


def links(appliance: Appliance) -> dict[str, str]:
    """Path below depot/users → what it leads to."""
    top = appliance.root / "depot" / "users"
    return {str(path.relative_to(top)): path.read_text() for path in top.rglob("*") if path.is_symlink()}


def test_follows_uploads_renames_and_removals(appliance: Appliance, text: Path) -> None:
    tree = UserTree(appliance.db, appliance.depot)
    assert tree.follow()
    dataset_id = appliance.dataset("cells")
    first = appliance.add(dataset_id, text)
    appliance.add(dataset_id, text, "b.txt")
    assert tree.follow()
    assert not tree.follow(), "nothing new"
    assert links(appliance) == {"lab/cells/a.txt": "content", "lab/cells/b.txt": "content"}
    with appliance.db.write() as tx:
        datasets.update(tx, dataset_id, name="renamed")
        datasets.touch(tx, dataset_id)
        resources.remove(tx, first)
    tree.follow()
    assert links(appliance) == {"lab/renamed/b.txt": "content"}
    with appliance.db.write() as tx:
        datasets.purge(tx, dataset_id)
    tree.follow()
    assert links(appliance) == {}
    assert not list((appliance.root / "depot" / "users").iterdir()), "empty folders go as well"


def test_links_are_relative_so_that_the_data_root_can_move(appliance: Appliance, text: Path, tmp_path: Path) -> None:
    appliance.add(appliance.dataset(), text)
    UserTree(appliance.db, appliance.depot).rebuild()
    appliance.root.rename(tmp_path / "moved")
    assert (tmp_path / "moved/depot/users/lab/cells/a.txt").read_text() == "content"


def test_rebuild_mends_and_touches_no_plain_files(appliance: Appliance, text: Path) -> None:
    dataset_id = appliance.dataset()
    appliance.add(dataset_id, text)
    top = appliance.root / "depot" / "users"
    (top / "old" / "set").mkdir(parents=True)
    (top / "old" / "set" / "gone.txt").symlink_to("nowhere")
    (top / "lab" / "cells").mkdir(parents=True)
    (top / "lab" / "cells" / "a.txt").symlink_to("wrong")
    (top / "lab" / "README").write_text("an admin's note")
    assert UserTree(appliance.db, appliance.depot).rebuild() == (1, 1)
    assert links(appliance) == {"lab/cells/a.txt": "content"}
    assert (top / "lab" / "README").read_text() == "an admin's note"
    assert not (top / "old").exists()
    assert UserTree(appliance.db, appliance.depot).rebuild() == (0, 0)


def test_deleted_datasets_leave_the_tree(appliance: Appliance, text: Path) -> None:
    dataset_id = appliance.dataset()
    appliance.add(dataset_id, text)
    tree = UserTree(appliance.db, appliance.depot)
    tree.follow()
    with appliance.db.write() as tx:
        datasets.mark_deleted(tx, dataset_id)
    tree.follow()
    assert links(appliance) == {}


@given(st.text(max_size=300))
def test_names_stay_names(name: str) -> None:
    safe = safe_name(name)
    assert "/" not in safe
    assert not safe.startswith(".")
    assert 1 <= len(safe.encode("utf-8", "replace")) <= 201
