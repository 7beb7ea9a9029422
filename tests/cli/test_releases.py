"""`dcor update`: what a bundle may hold, and which releases are taken."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from appliance.cli.releases import Releases, Step, require_newer
from appliance.model.problem import Problem


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """An installation of 0.2.0."""
    prefix = tmp_path / "prefix"
    (prefix / "0.2.0").mkdir(parents=True)
    (prefix / "current").symlink_to("0.2.0")
    return Releases(prefix)


def bundle(path: Path, version: str, *extra: tarfile.TarInfo) -> Path:
    """A tar with a version and further entries."""
    with tarfile.open(path, "w") as archive:
        text = f'__version__ = "{version}"\n'.encode()
        info = tarfile.TarInfo("top/appliance/__init__.py")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
        for one in extra:
            archive.addfile(one)
    return path


def entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """An entry of a tar that is no file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "extra",
    [
        entry("top/wheelhouse", tarfile.SYMTYPE, "/etc"),
        entry("top/passwd", tarfile.LNKTYPE, "/etc/passwd"),
        entry("top/pipe", tarfile.FIFOTYPE),
        entry("top/disk", tarfile.BLKTYPE),
        entry("top/../../out", tarfile.REGTYPE),
        entry("/top/out", tarfile.REGTYPE),
    ],
    ids=lambda info: info.name,
)
def test_a_bundle_with_anything_but_files_and_folders_is_refused_before_unpacking(
    releases: Releases, tmp_path: Path, extra: tarfile.TarInfo
) -> None:
    before = sorted(tmp_path.rglob("*"))
    path = bundle(tmp_path / "bundle.tar", "0.3.0", extra)
    with pytest.raises(Problem, match="neither a file nor a folder"):
        releases.install_bundle(path)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, path])


def test_what_is_no_tar_is_refused(releases: Releases, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no tar")
    with pytest.raises(Problem, match="no bundle"):
        releases.install_bundle(tmp_path / "x.tar")


def test_an_older_release_is_refused(releases: Releases, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"0\.1\.9 is older than 0\.2\.0"):
        releases.install_bundle(bundle(tmp_path / "old.tar", "0.1.9"))
    with pytest.raises(Problem, match="one in use"):
        releases.install_bundle(bundle(tmp_path / "same.tar", "0.2.0"))
    require_newer("0.10.0", "0.9.9")


def test_two_old_releases_stay_and_halves_go(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    versions = ["0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0"]
    for number, version in enumerate(versions):
        (tmp_path / version).mkdir()
        (tmp_path / version / ".complete").touch()
        os.utime(tmp_path / version / ".complete", (number, number))
    (tmp_path / "0.6.0").mkdir()
    (tmp_path / "0.6.0" / "pyvenv.cfg").touch()  # an installation that was interrupted
    (tmp_path / ".incoming-abc").mkdir()
    (tmp_path / "notes").mkdir()  # somebody's own
    releases.switch("0.5.0")
    releases.remember([Step("0.2.0", "0.5.0", 1.0, "before-0.5.0.sqlite")])
    assert releases.clean() == ["0.1.0", "0.3.0"]
    left = sorted(path.name for path in tmp_path.iterdir() if path.is_dir() and not path.is_symlink())
    assert left == ["0.2.0", "0.4.0", "0.5.0", "notes"]  # the way back of `dcor rollback` among them
    assert releases.clean() == []


def test_the_history_leaves_out_what_did_not_happen(releases: Releases) -> None:
    done, broken_off = Step("0.1.0", "0.2.0", 1.0, "a"), Step("0.2.0", "0.3.0", 2.0, "b")
    releases.remember([done, broken_off])
    assert releases.history() == [done]
