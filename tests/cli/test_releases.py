"""`dcor update`: what a bundle may hold, and which releases are taken."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from appliance import settings as settings_module
from appliance.actions import release_journal
from appliance.cli import releases as program
from appliance.cli import units
from appliance.cli.releases import Releases, Step, require_newer
from appliance.health import units as health_units
from appliance.model.problem import Problem
from tests.installer.bundles import make_keys, sign


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


@pytest.mark.parametrize(
    "unlisted",
    [
        "SHA256SUMS.new",
        "installer/SHA256SUMS",
        "wheelhouse/SHA256SUMS.sig",
        "wheelhouse/SHA256SUMS",
        "wheelhouse/.hidden.whl",
        "appliance/__init__.py\nSHA256SUMS",
        "with blanks  ./SHA256SUMS",
    ],
)
def test_every_file_but_the_list_and_its_signature_is_on_the_list(
    releases: Releases, tmp_path: Path, unlisted: str
) -> None:
    """Also one that is named like them, in another folder (those were left out of the comparison before)."""
    top = tmp_path / "top"
    (top / "appliance").mkdir(parents=True)
    (top / "appliance" / "__init__.py").write_text('__version__ = "0.3.0"\n')
    digest = hashlib.sha256((top / "appliance" / "__init__.py").read_bytes()).hexdigest()
    (top / "SHA256SUMS").write_text(f"{digest}  appliance/__init__.py\n")
    make_keys(tmp_path)
    sign(top, tmp_path / "release.pem")
    (releases.prefix / "release.pub").write_bytes((tmp_path / "release.pub").read_bytes())
    packed = tmp_path / "bundle.tar"

    def install() -> str:
        subprocess.run(["tar", "-cf", packed, "top"], cwd=tmp_path, check=True)
        with pytest.raises(Problem) as refused:
            releases.install_bundle(packed)
        return str(refused.value)

    assert "lacks pip" in install(), "signed and whole, only nothing to install"
    (top / unlisted).parent.mkdir(exist_ok=True, parents=True)
    (top / unlisted).write_bytes(b"import os\n")
    assert "files that are not on its list" in install()
    assert releases.installed() == []


def test_what_is_no_tar_is_refused(releases: Releases, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no tar")
    with pytest.raises(Problem, match="not a bundle"):
        releases.install_bundle(tmp_path / "x.tar")


def test_an_older_release_is_refused(releases: Releases, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"0\.1\.9 is older than 0\.2\.0"):
        releases.install_bundle(bundle(tmp_path / "old.tar", "0.1.9"))
    with pytest.raises(Problem, match="already in use"):
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


@pytest.fixture
def machine(releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two releases with units of their own, the older one's installed, and a stand-in for systemctl that writes down what it is asked."""
    for version in ("0.2.0", "0.3.0"):
        folder = releases.prefix / version / "share" / "systemd"
        (folder / "dcor-.service.d").mkdir(parents=True)
        (folder / "dcor.service").write_text(f"service of {version}\n")
        (folder / "dcor-backup.timer").write_text("timer\n")
        (folder / "dcor-.service.d" / "50-sandbox.conf").write_text(f"sandbox of {version}\n")
        (releases.prefix / version / ".complete").touch()
    (releases.prefix / "0.3.0" / "share" / "systemd" / "dcor-watch.timer").write_text("new\n")
    installed = tmp_path / "units"
    installed.mkdir()
    monkeypatch.setattr(health_units, "UNITS", installed)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/said\n')
    (tools / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    return installed


def test_another_release_brings_its_units(releases: Releases, machine: Path, tmp_path: Path) -> None:
    assert units.install(releases.prefix / "0.2.0") == [], "nothing is put where systemd never had the service"
    (machine / "dcor.service").write_text("service of 0.1.0\n")
    assert units.install(releases.prefix / "0.2.0") == [
        "dcor.service",
        "dcor-backup.timer",
        "dcor-.service.d/50-sandbox.conf",
    ]
    (tmp_path / "said").unlink()
    assert units.install(releases.prefix / "0.3.0") == [
        "dcor.service",
        "dcor-watch.timer",
        "dcor-.service.d/50-sandbox.conf",
    ]
    assert (machine / "dcor.service").read_text() == "service of 0.3.0\n"
    assert (machine / "dcor-.service.d" / "50-sandbox.conf").read_text() == "sandbox of 0.3.0\n"
    assert (tmp_path / "said").read_text().splitlines() == ["daemon-reload", "enable --now dcor-watch.timer"]
    assert units.install(releases.prefix / "0.3.0") == []
    assert units.install(releases.prefix / "0.2.0") == ["dcor.service", "dcor-.service.d/50-sandbox.conf"]


def test_an_update_puts_them_there(releases: Releases, machine: Path, tmp_path: Path) -> None:
    (machine / "dcor.service").write_text("service of 0.2.0\n")
    settings = settings_module.load(tmp_path / "data", env={})
    (tmp_path / "data" / "rollback").mkdir(parents=True)
    entry_ = release_journal.begin(settings, release_journal.UPDATE, "0.2.0", "0.3.0")
    program._switch(releases, settings, entry_)
    assert releases.current == "0.3.0"
    assert (machine / "dcor.service").read_text() == "service of 0.3.0\n"


@pytest.mark.parametrize("finished", [True, False])
def test_the_journal_is_open_until_the_service_starts(releases: Releases, tmp_path: Path, finished: bool) -> None:
    """A command that is killed after its last change, before the start: whoever comes next has to start it; the start closes the journal."""
    settings = settings_module.load(tmp_path / "data", env={})
    (tmp_path / "data" / "rollback").mkdir(parents=True)
    with release_journal.at_work(settings):
        entry_ = release_journal.begin(settings, release_journal.UPDATE, "0.2.0", "0.3.0")
        assert release_journal.settle_at_start(settings, "0.2.0") == ""
        assert release_journal.read(settings) is not None, (
            "the service that runs may be started again before it is stopped"
        )
        if finished:
            program._switch(releases, settings, entry_)
        else:
            release_journal.take_back(settings, entry_)
        assert release_journal.read(settings) is not None
        assert release_journal.settle_at_start(settings, releases.current) == ""
        assert release_journal.read(settings) is None
