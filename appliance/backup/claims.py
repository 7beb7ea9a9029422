"""Claiming a folder for a restore: marked before the first change and until everything is there, so that nothing starts in between.

The mark names the backup, and in its second line, while what was there is being moved, the folder of the quarantine for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance import durable, root_marker
from appliance.backup import manifest as manifests
from appliance.model.messages import Message
from appliance.model.problem import invalid
from appliance.security.secrets import private_folder

DATABASE_FILE = root_marker.DATABASE
#: The restored database until it has been looked at.
DRAFT = f"{DATABASE_FILE}.part"
#: Told the backup's name and the problems found so far, while the mark is still there: what makes the data root ready to be served.
Complete = Callable[[str, list[str]], None]
#: What may be in a folder that is restored into: files of the depot that are right are not fetched again.
STAYS = frozenset(
    {
        *("backups", "depot", "quarantine", "rollback", "lost+found", "tmp", "log"),
        *(DRAFT, root_marker.MARKER, root_marker.RESTORING),
    }
)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A restore that has not ended: the backup's name, and where things were being moved ("" = that was done)."""

    backup: str
    aside: str


def unfinished(target: Path) -> Unfinished | None:
    """What the mark in `target` says, None without one."""
    try:
        lines = (target / root_marker.RESTORING).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    return Unfinished(lines[0].strip() if lines else "", lines[1].strip() if len(lines) > 1 else "")


def present(target: Path) -> list[Path]:
    """What lies in `target` and may not stay there during a restore."""
    found = target.iterdir() if target.exists() else ()
    # A draft of the mark, `..restoring.12ab.part`, is what a restore that was killed leaves.
    return [path for path in found if path.name not in STAYS and not path.name.startswith(f".{root_marker.RESTORING}.")]


def require_claimable(target: Path, name: str, *, replace: bool) -> None:
    """Raise Problem 409 when the backup `name` cannot be restored into `target`; with `replace` all there may be moved aside."""
    if replace:
        return
    begun = unfinished(target)
    if begun is None and present(target):
        raise invalid(
            message=Message(
                "%(target)s is not empty. Restore into an empty folder so that nothing is overwritten.", target=target
            )
        )
    if begun is not None and begun.backup != name:
        raise invalid(
            message=Message(
                "A restore of %(target)s from another backup, %(backup)s, was not finished. Use --backup %(backup)s "
                "to resume it, or --replace to start over with %(name)s.",
                target=target,
                backup=begun.backup,
                name=name,
            )
        )


def claim(target: Path, name: str, *, replace: bool = False) -> list[str]:
    """Mark `target` as being restored from the backup `name`, and move what may not stay into its quarantine; → what was done, in words.

    What an unfinished restore of the same backup has written stays. Raises Problem as `require_claimable` does.
    """
    require_claimable(target, name, replace=replace)
    begun = unfinished(target)
    if begun is not None and begun.backup == name and not begun.aside:
        return [Message("Went on with the unfinished restore of %(name)s.", name=name)]
    target.mkdir(parents=True, exist_ok=True, mode=0o750)
    moving = present(target)
    aside = begun.aside if begun is not None and begun.aside else _new_folder(target)
    told: list[str] = []
    if moving:
        _mark(target, name, aside)
        folder = private_folder(target / aside)
        for path in moving:
            durable.replace(path, folder / path.name)
        told.append(Message("The former contents of %(target)s are in %(folder)s.", target=target, folder=folder))
    _mark(target, name)
    if begun is not None and begun.backup != name:
        told.insert(
            0,
            Message(
                "Started over with %(name)s; the restore of %(backup)s was not finished.",
                name=name,
                backup=begun.backup,
            ),
        )
    return told


def unclaim(target: Path, hostname: str = "") -> None:
    """Take the mark away: everything is there and durable. The data root keeps its own marker, or gets one, and all is its owner's."""
    known = root_marker.read(target)
    root_marker.finish(target, hostname or (known.hostname if known else ""))
    give_to_owner(target)
    (target / root_marker.RESTORING).unlink()
    durable.sync_folder(target)


def give_to_owner(target: Path, spare: tuple[str, ...] = ()) -> None:
    """When root has written into somebody's data root: everything in it becomes its owner's, except in the folders `spare`."""
    owner = target.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for top in target.iterdir():
        for path in (top, *(top.rglob("*") if top.is_dir() and top.name not in spare else ())):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def give_one_to_owner(target: Path, path: Path) -> None:
    """The same for one file that root has written below `target`, and for the folders on the way to it."""
    owner = target.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for one in (path, *path.parents):
        if one == target:
            break
        os.chown(one, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _mark(target: Path, name: str, aside: str = "") -> None:
    durable.write(target / root_marker.RESTORING, f"{name}\n{aside}".strip().encode() + b"\n")


def _new_folder(target: Path) -> str:
    moment = manifests.name_of(datetime.now(UTC))
    name, number = f"quarantine/before-restore-{moment}", 1
    while (target / name).exists():
        number += 1
        name = f"quarantine/before-restore-{moment}-{number}"
    return name
