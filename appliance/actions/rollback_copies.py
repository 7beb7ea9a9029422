"""Copies of the database from before updates and rollbacks: plain, like the database, so they lie apart from the backups.

The folder `rollback/` of the data root is for the service's account alone and never leaves the machine, unlike `backups/`, which
people copy to other disks.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from appliance import durable
from appliance.security.secrets import private_folder
from appliance.settings import Settings
from appliance.store import backup_source

FOLDER = "rollback"

_KEPT = 2
#: A copy among the backups that is younger may be needed by an update at work [s].
_IN_USE = 3600
_PATTERN = "before-*.sqlite"


def take(settings: Settings, name: str) -> Path:
    """Copy the database, durably (owner as the original's); only the latest copies are kept. → the copy."""
    folder = _folder(settings)
    path = folder / f"before-{name}-{time.strftime('%Y%m%dT%H%M%S')}.sqlite"
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    backup_source.copy(settings.database, part)
    _give(part, settings.database)
    durable.replace(part, path)
    for old in sorted(folder.glob(_PATTERN), key=lambda one: one.stat().st_mtime)[:-_KEPT]:
        old.unlink()
    return path


def find(settings: Settings, name: str) -> Path:
    """Where the copy of this name lies (releases up to 0.1 put it among the backups); it may be gone."""
    former = settings.data / "backups" / name
    return former if former.exists() else settings.data / FOLDER / name


def put_back(settings: Settings, copy: Path) -> None:
    """Replace the database of a stopped service by a copy made with `take`; the copy stays."""
    part = settings.database.with_suffix(".part")
    shutil.copyfile(copy, part)
    part.chmod(0o600)
    _give(part, settings.database)
    # A log of the former database must not be there when the other one takes its name.
    for suffix in ("-wal", "-shm"):
        settings.database.with_name(settings.database.name + suffix).unlink(missing_ok=True)
    durable.sync_folder(settings.data)
    durable.replace(part, settings.database)


def among_backups(settings: Settings) -> list[Path]:
    """Plain copies that releases up to 0.1 left in the folder of the backups."""
    return sorted((settings.data / "backups").glob(_PATTERN))


def move_from_backups(settings: Settings) -> list[Path]:
    """Move the plain copies among the backups here; those of the last hour stay for an update at work. → where they are now."""
    moved = []
    for path in among_backups(settings):
        if time.time() - path.stat().st_mtime > _IN_USE:
            target = _folder(settings) / path.name
            durable.move(path, target)
            moved.append(target)
    return moved


def _folder(settings: Settings) -> Path:
    folder = settings.data / FOLDER
    if not folder.is_dir():
        private_folder(folder)
        _give(folder, settings.data)
    return folder


def _give(path: Path, like: Path) -> None:
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
