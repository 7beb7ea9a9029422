"""`dcor update`: what a bundle may hold, and which releases are taken."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from appliance.cli.releases import Releases, require_newer
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
