"""The database never lies on a network file system; a setting keeps it on a local disk while the depot lies there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from appliance import root_marker
from appliance import settings as settings_module
from appliance.cli.root import run
from appliance.model.problem import Problem
from appliance.service import Service
from appliance.store import database_place
from tests.ops.place import Place
from tests.support.memory_folder import memory_folder


def mounted(place: Place, kind: str, point: Path | None = None) -> None:
    """Let the kernel say that the data root is a mount point of this kind."""
    table = place.top / "mountinfo"
    where = str(point or place.root).replace(" ", "\\040")
    table.write_text(
        "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        f"40 22 0:45 / {where} rw,relatime shared:1 - {kind} server:/export rw,vers=4.2\n"
    )
    place.replace(database_place, "MOUNTS", table)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.glusterfs", "ceph"])
def test_a_database_on_a_network_is_refused_everywhere(place: Place, kind: str) -> None:
    mounted(place, kind)
    settings = settings_module.load(place.root, env={})
    with pytest.raises(Problem, match=r"network file system .* depot\.database_folder"):
        Service(settings)
    for arguments in (("user", "list"), ("backup", "create"), ("init",)):
        said = place.dcor(*arguments)
        assert said.code == 1
        assert f"network file system ({kind}, {place.root})" in said.err
    said = place.dcor("inspect", "--check", "database")
    assert said.code == 1
    assert kind in said.out


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "fuseblk", "tmpfs", "overlay"])
def test_local_disks_are_fine(place: Place, kind: str) -> None:
    mounted(place, kind)
    assert place.dcor("user", "list").code == 0


def test_a_local_disk_below_a_network_mount_and_odd_names(place: Place) -> None:
    point = place.top / "a share"
    point.mkdir()
    mounted(place, "nfs4", point)
    found = database_place.network_file_system(point / "x" / "dcor.sqlite")
    assert found == ("nfs4", str(point))
    assert database_place.network_file_system(place.top / "a" / "dcor.sqlite") is None


def test_the_setting_moves_the_database_to_a_local_disk(place: Place) -> None:
    mounted(place, "nfs4")
    local = place.top / "local"
    said = place.dcor("config", "set", "depot.database_folder", str(local))
    assert said.code == 0
    refused = place.dcor("init")
    assert refused.code == 1
    assert f"{local}, the folder for the database, does not exist" in refused.err
    local.mkdir(mode=0o700)
    place.done("init")
    assert (place.root / "dcor.sqlite").readlink() == local / "dcor.sqlite"
    assert (local / "dcor.sqlite").stat().st_mode & 0o777 == 0o600
    assert [one["name"] for one in place.done("user", "list", "--json").json] == ["ada", "boss"]
    place.start()
    place.done("user", "add", "eve", "--email", "eve@lab.example")
    assert {path.name for path in local.iterdir()} >= {"dcor.sqlite", "dcor.sqlite-wal"}
    assert not list(place.root.glob("dcor.sqlite-*"))
    assert not (local / "secrets").exists()
    found = place.dcor("inspect", "--check", "database", "--check", "audit log", "--check", "owner", "--json")
    assert found.json["healthy"], found
    assert place.done("status", "--json").json["running"]
    place.stop()
    assert place.done("init", "--json").json["done"] == []


def test_the_service_itself_moves_it_at_its_start(place: Place) -> None:
    local = place.top / "local"
    local.mkdir()
    place.set("depot.database_folder", str(local))
    place.start()
    assert (local / "dcor.sqlite").is_file()
    place.done("token", "create", "ada")
    assert place.done("audit", "verify", "--json").code == 0


def test_a_new_data_root_on_a_share(place: Place, tmp_path: Path) -> None:
    new, local = tmp_path / "share" / "data", tmp_path / "local"
    local.mkdir()
    mounted(place, "nfs4", tmp_path / "share")
    arguments = ["--data", str(new), "init", "--hostname", "dcor.lab.example"]
    assert run(arguments) == 1
    assert not (new / "dcor.sqlite").exists()
    assert run([*arguments, "--database-folder", str(local)]) == 0
    assert (local / "dcor.sqlite").is_file()
    assert (new / "dcor.sqlite").is_symlink()


def test_a_restore_puts_the_database_where_it_belongs_and_keeps_the_former(place: Place) -> None:
    local = place.top / "local"
    local.mkdir()
    place.set("depot.database_folder", str(local))
    place.done("init")
    place.done("backup", "create")
    place.done("user", "add", "eve", "--email", "eve@lab.example")
    place.done("backup", "restore", "--replace", "--yes", "--key", str(place.sheet))
    assert (place.root / "dcor.sqlite").is_symlink()
    assert [one["name"] for one in place.done("user", "list", "--json").json] == ["ada", "boss"]
    (former,) = local.glob("before-*-dcor.sqlite")
    with closing(sqlite3.connect(former)) as conn:
        assert conn.execute("SELECT count(*) FROM user").fetchone() == (3,)


def test_a_power_cut_while_it_moves_loses_nothing(place: Place) -> None:
    """Before the link is made, the file in the data root is the database; what was copied by then is put aside."""
    local = place.top / "local"
    local.mkdir()
    (local / "dcor.sqlite").write_bytes(b"half of a copy")
    place.set("depot.database_folder", str(local))
    place.done("init")
    assert [one["name"] for one in place.done("user", "list", "--json").json] == ["ada", "boss"]
    assert len(list(local.glob("before-*"))) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the rights of root")
def test_what_root_moves_belongs_to_the_owner_of_the_data_root(place: Place) -> None:
    owner = 12345
    with memory_folder() as name:
        folder = Path(name)
        folder.chmod(0o755)
        local, root = folder / "local", folder / "data"
        place.set("depot.database_folder", str(local))
        shutil.copytree(place.root, root, symlinks=True)
        local.mkdir(mode=0o700)
        for path in (local, root, *root.rglob("*")):
            os.chown(path, owner, owner, follow_symlinks=False)
        command = [sys.executable, "-m", "appliance", "--data", str(root), "init"]
        environment = os.environ | {root_marker.MACHINE_VARIABLE: str(folder / "machine")}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        assert (local / "dcor.sqlite").is_file()
        assert {path.lstat().st_uid for path in (local, *local.rglob("*"), *root.rglob("*"))} == {owner}
