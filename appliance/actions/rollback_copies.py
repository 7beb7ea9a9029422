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
from appliance.store import backup_source, database_place

FOLDER = "rollback"

_KEPT = 2
#: Younger copies all stay: a release has to be healthy for so long first [s].
_NEEDED = 86400
#: A copy among the backups that is younger may be needed by an update at work [s].
_IN_USE = 3600
_PATTERN = "before-*.sqlite"


def take(settings: Settings, name: str) -> Path:
    """Copy the database, durably (owner as the original's). → the copy. What is no longer needed goes by `sweep`, never here."""
    stem, number = f"before-{name}-{time.strftime('%Y%m%dT%H%M%S')}", 1
    while (path := folder(settings) / f"{stem}{f'-{number}' if number > 1 else ''}.sqlite").exists():
        number += 1  # an earlier copy is never replaced
    part = path.with_suffix(".part")
    for left in folder(settings).glob("*.part"):  # by a copy that was interrupted
        left.unlink()
    backup_source.copy(settings.database, part)
    give(part, settings.database)
    durable.replace(part, path)
    return path


def sweep(settings: Settings, now: float | None = None) -> list[Path]:
    """Remove copies that are older than a day, except the latest two of each kind (updates, rollbacks, resets). → what went.

    Called by the night's work of a service that runs: a copy is the only good state while an update has not proved itself.
    """
    place = settings.data / FOLDER
    kinds: dict[str, list[Path]] = {}
    for path in sorted(place.glob(_PATTERN), key=lambda one: one.stat().st_mtime, reverse=True):
        kinds.setdefault(_kind(path), []).append(path)
    old = [
        path
        for paths in kinds.values()
        for path in paths[_KEPT:]
        if (now or time.time()) - path.stat().st_mtime > _NEEDED
    ]
    if old and not (place / "journal.json").exists():
        for path in old:
            path.unlink()
        return old
    return []


def _kind(path: Path) -> str:
    word = path.name.removeprefix("before-")
    return next((kind for kind in ("rollback-from", "reset") if word.startswith(kind)), "update")


def find(settings: Settings, name: str) -> Path:
    """Where the copy of this name lies (releases up to 0.1 put it among the backups); it may be gone."""
    former = settings.data / "backups" / name
    return former if former.exists() else settings.data / FOLDER / name


def put_back(settings: Settings, copy: Path) -> None:
    """Replace the database of a stopped service by a copy made with `take`; the copy stays."""
    place = settings.database.resolve()
    part = place.with_suffix(".part")
    shutil.copyfile(copy, part)
    part.chmod(0o600)
    give(part, place)
    # A log of the former database must not be there when the other one takes its name.
    for log in database_place.logs_of(place):
        log.unlink(missing_ok=True)
    durable.sync_folder(place.parent)
    durable.replace(part, place)


def among_backups(settings: Settings) -> list[Path]:
    """Plain copies that releases up to 0.1 left in the folder of the backups."""
    return sorted((settings.data / "backups").glob(_PATTERN))


def move_from_backups(settings: Settings) -> list[Path]:
    """Move the plain copies among the backups here; those of the last hour stay for an update at work. → where they are now."""
    moved = []
    for path in among_backups(settings):
        if time.time() - path.stat().st_mtime > _IN_USE:
            target = folder(settings) / path.name
            durable.move(path, target)
            moved.append(target)
    return moved


def folder(settings: Settings) -> Path:
    """The folder of the copies, made when it is missing."""
    place = settings.data / FOLDER
    if not place.is_dir():
        private_folder(place)
        give(place, settings.data)
    return place


def give(path: Path, like: Path) -> None:
    """When root writes: the owner of `like` gets `path`, too."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
