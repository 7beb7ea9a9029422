"""Folders of the data root: there, ours, writable, with room left, and all on one volume."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from appliance import durable, root_marker
from appliance.actions import backups, provider_login
from appliance.backup import manifest as backup_manifest
from appliance.health.base import Finding, Level, Premises, check
from appliance.model import messages
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.security import secrets, totp
from appliance.store import provider_sessions, second_factors
from appliance.store.data_root import FOLDERS

_DEEPEST = 8


@check("data root", "the data root is whole, and the one that belongs to this machine")
def data_root(premises: Premises) -> Iterator[Finding]:
    """The marker inside against what this machine has noted; no empty mount point, foreign volume or half-finished restore."""
    try:
        root_marker.require(premises.data_root)
        marker = root_marker.read(premises.data_root)
    except Problem as problem:
        yield Finding(
            "data root",
            Level.PROBLEM,
            str(problem),
            Message("The service does not start."),
            Message("See the message."),
        )
        return
    if marker is None:
        yield Finding(
            "data root",
            Level.NOTE,
            Message("it has no marker yet"),
            "",
            Message("The service writes one when it next starts."),
        )
    else:
        yield Finding(
            "data root",
            Level.OK,
            Message(
                "%(data_root)s of %(hostname)s, %(id)s",
                data_root=premises.data_root,
                hostname=marker.hostname,
                id=marker.id[:8],
            ),
        )


@check("folders", "every folder of the data root exists with the right mode and can be written by the service")
def folders(premises: Premises) -> Iterator[Finding]:
    """Missing folders are made, modes that are too open are narrowed."""
    good = True
    for name, mode in FOLDERS.items():
        path = premises.data_root / name
        if not path.is_dir():
            good = False
            yield Finding(
                "folders",
                Level.PROBLEM,
                Message("%(path)s is missing", path=path),
                Message("Uploads or jobs fail."),
                f"mkdir -m {mode:o} {path}",
                _make(path, mode),
            )
            continue
        found = stat.S_IMODE(path.stat().st_mode)
        if found & ~mode & 0o077:
            good = False
            yield Finding(
                "folders",
                Level.PROBLEM,
                Message("%(path)s has mode %(found)s", path=path, found=f"{found:04o}"),
                Message("Other accounts on this machine could read patients' data or keys."),
                f"chmod {mode:o} {path}",
                _narrow(path, mode),
            )
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            good = False
            yield Finding(
                "folders",
                Level.PROBLEM,
                Message("the volume of %(path)s is mounted read-only", path=path),
                Message("Nothing can be uploaded or changed."),
                Message(
                    "`dmesg` says whether the disk failed; then: sudo mount -o remount,rw $(findmnt -nT %(path)s -o TARGET)",
                    path=path,
                ),
            )
        elif found & mode & 0o700 != 0o700:
            good = False
            yield Finding(
                "folders",
                Level.PROBLEM,
                Message("%(path)s has mode %(found)s", path=path, found=f"{found:04o}"),
                Message("Uploads or jobs fail."),
                f"chmod {mode:o} {path}",
                _narrow(path, mode),
            )
        elif not os.access(path, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
            good = False
            yield Finding(
                "folders",
                Level.PROBLEM,
                Message("%(path)s is not writable", path=path),
                Message("Uploads or jobs fail."),
                f"sudo chown -R --reference={premises.data_root} {premises.data_root}",
            )
    if good:
        yield Finding(
            "folders",
            Level.OK,
            Message("%(data_root)s: %(folders)s folders", data_root=premises.data_root, folders=len(FOLDERS)),
        )


@check("owner", "settings, database, keys and certificate belong to the account of the service")
def owner(premises: Premises) -> Iterator[Finding]:
    """A file that root made by hand, or put back, is one that the service cannot read or write."""
    root = premises.data_root
    names = [root_marker.DATABASE, root_marker.SETTINGS, root_marker.MARKER, *FOLDERS]
    paths = [root / name for name in names]
    paths += [path for name in ("secrets", "certificates") for path in (root / name).glob("*")]
    paths += root.glob(f"{root_marker.DATABASE}-*")
    expected = root.stat().st_uid
    foreign = sorted({path for path in paths if path.exists() and path.lstat().st_uid != expected})
    if foreign:
        yield Finding(
            "owner",
            Level.PROBLEM,
            Message(
                "%(number)s files belong to a different account than the data root (UID %(expected)s), for example "
                "%(example)s to UID %(uid)s",
                number=len(foreign),
                expected=expected,
                example=foreign[0],
                uid=foreign[0].lstat().st_uid,
            ),
            Message("The service may not be able to read or change that."),
            f"sudo chown -R --no-dereference --reference={root} {root}",
        )
    else:
        yield Finding("owner", Level.OK, Message("UID %(expected)s", expected=expected))


@check("secrets", "every key is there and whole, and can be read by the service alone")
def secret_files(premises: Premises) -> Iterator[Finding]:
    """Every file below secrets/ and the private key of the certificate: nobody else may read it."""
    yield from _lost_secrets(premises)
    files = [path for path in (premises.data_root / "secrets").rglob("*") if path.is_file()]
    key = premises.settings.certificate_key
    files += [key] if key.exists() else []
    opened = [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in opened:
        yield Finding(
            "secrets",
            Level.PROBLEM,
            Message("%(path)s is open to other accounts", path=path),
            Message("Anyone who reads it can impersonate this server."),
            f"chmod 600 {path}",
            _narrow(path, 0o600),
        )
    if not opened:
        yield Finding("secrets", Level.OK, Message("%(files)s files", files=len(files)))


_SECRETS = {
    "signing.key": Message("Links and sessions that people have end."),
    "audit.key": Message("Nobody can tell any more whether the audit log was changed."),
    backups.BACKUP_KEY: Message("Backups that are there do not count as this server's own, and no new one is made."),
    totp.KEY: Message("Who needs a code to sign in gets in with a recovery code only."),
    provider_login.KEY: Message("People who have signed in at the OpenID provider have to do so anew."),
}


def _lost_secrets(premises: Premises) -> Iterator[Finding]:
    """Keys that are missing or damaged; some are made with the first thing that needs them."""
    for name, why in _SECRETS.items():
        path = premises.settings.secrets / name
        if not path.exists():
            if not _is_needed(premises, name):
                continue
            what, first = Message("%(path)s is missing", path=path), ""
        elif not _is_secret(path):
            what, first = Message("%(path)s is damaged", path=path), Message("sudo rm %(path)s; then: ", path=path)
        else:
            continue
        fix = messages.joined([first, "sudo dcor backup restore --system --key key-sheet.txt."], "")
        if name == "signing.key":
            fix = messages.joined([fix, Message("Without a backup `sudo dcor init` makes a new one.")])
        yield Finding(
            "secrets",
            Level.PROBLEM,
            what,
            why,
            fix,
        )


def _is_needed(premises: Premises, name: str) -> bool:
    """Is there something that was made with this key?"""
    if name == backups.BACKUP_KEY:
        return bool(backup_manifest.names(backups.folder(premises.settings)))
    if name not in (totp.KEY, provider_login.KEY):
        return True
    if not premises.settings.database.is_file():
        return False  # a check of its own says so
    with premises.db.read() as conn:
        return second_factors.any_(conn) if name == totp.KEY else provider_sessions.any_sealed(conn)


def _is_secret(path: Path) -> bool:
    try:
        return len(bytes.fromhex(path.read_text(encoding="ascii").strip())) == secrets.SIZE
    except (OSError, ValueError):
        return False


@check("free space", "the data volume has room for uploads, the system volume for logs")
def free_space(premises: Premises) -> Iterator[Finding]:
    """Below the reserve uploads are refused (507); below 10 % it is time to order a disk."""
    usage = shutil.disk_usage(premises.data_root)
    text = Message(
        "%(free)s GB of %(total)s GB free on the volume of %(data_root)s",
        free=f"{usage.free / 1000000000.0:.1f}",
        total=f"{usage.total / 1000000000.0:.1f}",
        data_root=premises.data_root,
    )
    if usage.free < premises.settings.depot.reserve:
        yield Finding(
            "free space",
            Level.PROBLEM,
            text,
            Message("Uploads are refused until there is space."),
            Message(
                "Add a disk, or remove datasets with `dcor dataset purge`; `dcor prune --help` lists what else can go."
            ),
        )
    elif usage.free < usage.total / 10:
        yield Finding(
            "free space",
            Level.WARNING,
            text,
            Message("Uploads will be refused soon."),
            Message("Plan to get a larger disk."),
        )
    else:
        yield Finding("free space", Level.OK, text)
    root = shutil.disk_usage("/")
    if root.free < min(1 << 30, root.total / 20):
        yield Finding(
            "free space",
            Level.WARNING,
            Message("%(free)s GB free on the system volume", free=f"{root.free / 1000000000.0:.1f}"),
            Message("Logs and updates need space there."),
            "journalctl --vacuum-size=200M; apt-get clean",
        )


@check("inodes", "the data volume can hold more files")
def inodes(premises: Premises) -> Iterator[Finding]:
    """File systems with a fixed number of inodes fill up with many small files before the bytes run out."""
    found = os.statvfs(premises.data_root)
    if found.f_files and found.f_favail < found.f_files / 50:
        yield Finding(
            "inodes",
            Level.PROBLEM,
            Message("%(f_favail)s of %(f_files)s inodes free", f_favail=found.f_favail, f_files=found.f_files),
            Message("No new files can be created although there is free space."),
            Message("Use XFS, or ext4 created with more inodes."),
        )
    else:
        yield Finding(
            "inodes",
            Level.OK,
            Message("%(f_favail)s left", f_favail=found.f_favail) if found.f_files else Message("not limited"),
        )


@check("one volume", "temporary files lie on the volume of the depot, so that publishing a file is a rename")
def one_volume(premises: Premises) -> Iterator[Finding]:
    """A tmp/ elsewhere would copy each upload a second time, or fill the system volume."""
    devices = {name: (premises.data_root / name).stat().st_dev for name in ("depot/resources", "tmp")}
    if len(set(devices.values())) > 1:
        yield Finding(
            "one volume",
            Level.PROBLEM,
            Message("tmp/ and depot/ are on different volumes"),
            Message("Uploads cannot be published atomically."),
            Message("Mount one volume at the data root instead of at folders in it."),
        )
    else:
        yield Finding("one volume", Level.OK, Message("tmp/ and depot/ share a volume"))


@check("leftovers", "no temporary file is older than a day")
def leftovers(premises: Premises) -> Iterator[Finding]:
    """Parts of uploads that nobody will finish; the sweeper removes them by itself while the service runs."""
    import time

    limit = time.time() - max(86400, premises.settings.depot.part_lifetime) - 3600
    old = [path for path in _files_below(premises.data_root / "tmp") if path.lstat().st_mtime < limit]
    if old:
        total = sum(path.stat().st_size for path in old)
        yield Finding(
            "leftovers",
            Level.WARNING,
            Message(
                "%(old)s old files (%(total)s MB) in %(tmp)s",
                old=len(old),
                total=f"{total / 1000000.0:.1f}",
                tmp=premises.data_root / "tmp",
            ),
            Message("They only take up space."),
            Message("They are moved to quarantine/."),
            lambda: _quarantine(premises.data_root, old),
        )
    else:
        yield Finding("leftovers", Level.OK, Message("none"))


def _files_below(top: Path) -> Iterator[Path]:
    """Plain files, not deeper than ours lie: what a job made of a crafted file may be as deep as the file system allows."""
    pending = [(top, 0)]
    while pending:
        folder, depth = pending.pop()
        with suppress(OSError):
            for entry in list(os.scandir(folder)):
                if entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)
                elif depth < _DEEPEST and entry.is_dir(follow_symlinks=False):
                    pending.append((Path(entry.path), depth + 1))


def _make(path: Path, mode: int) -> Callable[[], str]:
    """A repair: makes a folder and says so."""

    def repair() -> str:
        """Make the folder; returns what was done."""
        path.mkdir(mode=mode, parents=True)
        path.chmod(mode)
        return f"made {path}"

    return repair


def _narrow(path: Path, mode: int) -> Callable[[], str]:
    """A repair: takes rights away and says so."""

    def repair() -> str:
        """Set the mode; returns what was done."""
        path.chmod(mode)
        return Message("mode %(mode)s for %(path)s", mode=f"{mode:o}", path=path)

    return repair


def _quarantine(root: Path, files: list[Path]) -> str:
    folder = root / "quarantine" / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(files):
        durable.replace(path, folder / f"{path.name}.{int(path.stat().st_mtime)}.{number}")
    return Message("moved %(files)s files to %(folder)s", files=len(files), folder=folder)
