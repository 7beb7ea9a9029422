"""What `durable` promises: at no moment is a half-written file under its name, and every name is synced after it was given."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from appliance import durable


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What reaches the disk and which names change, in the order in which it happens."""
    events: list[tuple[str, str]] = []
    sync, rename, link = os.fsync, os.rename, os.link

    def noting_sync(handle: int) -> None:
        """Note whose content is synced."""
        events.append(("sync", Path(f"/proc/self/fd/{handle}").readlink().name))
        sync(handle)

    def noting_rename(source: Path, target: Path) -> None:
        """Note the new name."""
        events.append(("name", Path(target).name))
        rename(source, target)

    def noting_link(source: Path, target: Path) -> None:
        """Note the second name."""
        events.append(("name", Path(target).name))
        link(source, target)

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(os, "replace", noting_rename)
    monkeypatch.setattr(os, "link", noting_link)
    return events


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of one file system."""
    for name in ("from", "to"):
        (tmp_path / name).mkdir()
    return tmp_path / "from", tmp_path / "to"


def test_replace_syncs_content_then_names(folders: tuple[Path, Path], log: list[tuple[str, str]]) -> None:
    source, target = folders[0] / "draft", folders[1] / "file"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    durable.replace(source, target)
    assert log == [("sync", "draft"), ("name", "file"), ("sync", "to"), ("sync", "from")]
    assert (target.read_bytes(), source.exists()) == (b"new", False)


def test_a_link_is_replaced_itself(folders: tuple[Path, Path], log: list[tuple[str, str]]) -> None:
    link = folders[0] / ".new"
    link.symlink_to("0.2.0")  # leads nowhere, which does not matter
    durable.replace(link, folders[0] / "current")
    assert (folders[0] / "current").readlink() == Path("0.2.0")
    assert log == [("name", "current"), ("sync", "from")]


def test_add_name_refuses_a_name_in_use(folders: tuple[Path, Path], log: list[tuple[str, str]]) -> None:
    source, target = folders[0] / "draft", folders[1] / "file"
    source.write_bytes(b"new")
    durable.add_name(source, target)
    assert log == [("sync", "draft"), ("name", "file"), ("sync", "to")]
    assert source.samefile(target)
    with pytest.raises(FileExistsError):
        durable.add_name(source, target)


def test_write_is_whole_private_and_leaves_nothing_beside(tmp_path: Path, log: list[tuple[str, str]]) -> None:
    path = tmp_path / "secret"
    durable.write(path, b"first")
    durable.write(path, b"second", 0o640)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"second", 0o640)
    assert [kind for kind, _name in log] == ["sync", "name", "sync"] * 2
    assert [one.name for one in tmp_path.iterdir()] == ["secret"]


def test_a_disk_that_fails_leaves_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings"
    durable.write(path, b"former")

    def full(_handle: int) -> None:
        """A disk without room."""
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable.write(path, b"newer")
    assert path.read_bytes() == b"former"
    assert [one.name for one in tmp_path.iterdir()] == ["settings"]


def test_move_copies_beside_the_target_where_it_cannot_rename(
    folders: tuple[Path, Path], log: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = folders[0] / "made", folders[1] / "file"
    source.write_bytes(b"content")
    source.chmod(0o640)
    rename = os.replace

    def other_disk(one: Path, other: Path) -> None:
        """`from` and `to` are different file systems."""
        if Path(one).parent != Path(other).parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(one, other)

    monkeypatch.setattr(os, "replace", other_disk)
    durable.move(source, target)
    assert (target.read_bytes(), target.stat().st_mode & 0o777, source.exists()) == (b"content", 0o640, False)
    names = [name for kind, name in log if kind == "sync"]
    assert names[0] == "made"
    assert names[1].startswith(".file.")
    assert names[2:] == ["to"]
    assert [one.name for one in folders[1].iterdir()] == ["file"]
