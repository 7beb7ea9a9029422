"""The location of the database file: on a local disk, even if the data root is not.

SQLite in WAL mode uses shared memory between processes; on a network file system that memory is not shared, and locks may not
work: sooner or later the file is damaged. Files of the depot are written once and may be there. With the setting
`depot.database_folder` the file is in that folder, and `dcor.sqlite` in the data root is a link to it.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from appliance import durable
from appliance.model.problem import invalid

#: The kernel's list of mounted file systems.
MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "9p", "beegfs", "orangefs",
    "pvfs2", "davfs", "davfs2", "gpfs", "wekafs", "virtiofs", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse",
})  # fmt: skip
#: FUSE file systems on local disks; all others count as network file systems.
_LOCAL_FUSE = frozenset(
    {"fuseblk", "fuse.ntfs-3g", "fuse.ext2", "fuse.mergerfs", "fuse.gocryptfs", "fuse.encfs", "fuse.fuse-overlayfs"}
)
_LOGS = ("-wal", "-shm")


def network_file_system(path: Path) -> tuple[str, str] | None:
    """(type, mount point) of the network file system that contains `path` (existing or not); None on a local disk."""
    real = Path(os.path.realpath(path))
    found = ("", Path())
    for kind, point in _mounts():
        if real.is_relative_to(point) and len(point.parts) >= len(found[1].parts):
            found = kind, point
    kind = found[0]
    return (kind, str(found[1])) if kind in _NETWORK or (kind.startswith("fuse") and kind not in _LOCAL_FUSE) else None


def require_local(database: Path) -> None:
    """Raise Problem 409, with what to do, when a database lies on a network file system."""
    found = network_file_system(database)
    if found is not None:
        kind, point = found
        raise invalid(
            message=f"{database} is on a network file system ({kind}, {point}), where SQLite loses data. Keep the database on a local disk; "
            "the files of the depot may stay: sudo install -d -m 700 -o dcor /var/lib/dcor; sudo dcor config set depot.database_folder "
            "/var/lib/dcor; sudo dcor init"
        )


def is_settled(database: Path, folder: str) -> bool:
    """Whether the database is where the setting says, so that `settle` has nothing to do."""
    target = Path(folder) / database.name
    return not folder or (database.is_symlink() and Path(os.path.realpath(database)) == Path(os.path.realpath(target)))


def settle(database: Path, folder: str) -> Path | None:
    """Move the database of a stopped service to where the setting says, and leave a link; → its new path, None when nothing was
    done.

    :param database: `dcor.sqlite` in the data root. :param folder: what the setting says; "": it stays where it is.
    :raises Problem: 409 when the folder is not there or on a network file system itself.
    """
    if is_settled(database, folder):
        return None
    target = Path(folder) / database.name
    if not target.parent.is_dir():
        raise invalid(
            message=f"{folder}, the folder for the database, does not exist: sudo install -d -m 700 -o dcor {folder}"
        )
    require_local(target)
    _put_aside(target)
    if database.exists():
        _close(database)
        draft = durable.new_draft(target, b"", 0o600)
        shutil.copyfile(database, draft)
        durable.replace(draft, target)
    link = database.with_name(f".{database.name}.link")
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    durable.replace(link, database)
    for suffix in _LOGS:  # empty since the file was closed
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    return target


def logs_of(database: Path) -> list[Path]:
    """SQLite's log and its index, beside the file itself."""
    real = Path(os.path.realpath(database))
    return [real.with_name(real.name + suffix) for suffix in _LOGS]


def _close(database: Path) -> None:
    """Checkpoint the WAL and remove it; with exclusive locking, so that no shared memory is needed."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as conn:
        conn.execute("PRAGMA locking_mode = EXCLUSIVE")
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        conn.execute("PRAGMA journal_mode = DELETE")


def _put_aside(target: Path) -> None:
    """Keep another database that is already there, beside it."""
    if not target.exists():
        return
    stamp = time.strftime("%Y%m%dT%H%M%S")
    for path in (target, *logs_of(target)):
        if path.exists():
            durable.replace(path, path.with_name(f"before-{stamp}-{path.name}"))


def _mounts() -> list[tuple[str, Path]]:
    """(type, mount point) in mount order."""
    found = []
    for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        head, _, tail = line.partition(" - ")
        fields, kind = head.split(), tail.split()
        if len(fields) >= 5 and kind:
            point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
            found.append((kind[0], Path(point)))
    return found
