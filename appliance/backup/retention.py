"""Which backups stay: one a day for two weeks, one a month for a year, one a year for ten, unless set otherwise."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from appliance.backup import manifest as manifests

# What was lost by a mistake this morning must not be replaced by a backup made at noon.
_RECENT = timedelta(days=2)
# A file may belong to a backup that is still being written.
_YOUNG = 86400.0


@dataclass(frozen=True, slots=True)
class Keep:
    """How many days, months and years with a backup keep their newest one.

    :ivar newest: so many of the newest stay instead, and no others (None: by days, months and years).
    """

    daily: int = 14
    monthly: int = 12
    yearly: int = 10
    newest: int | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed: names of backups, number and bytes of files that no backup needs any more; `problems` in words."""

    removed: list[str]
    files: int
    size: int
    problems: list[str]


def kept(moments: Iterable[datetime], keep: Keep) -> set[datetime]:
    """Return which of `moments` stay: the newest of each period, and all of the last two days before the newest."""
    ordered = sorted(moments, reverse=True)
    if keep.newest is not None:
        return set(ordered[: keep.newest])
    stay = {moment for moment in ordered if ordered[0] - moment < _RECENT}
    for form, count in (("%Y-%m-%d", keep.daily), ("%Y-%m", keep.monthly), ("%Y", keep.yearly)):
        periods: dict[str, datetime] = {}
        for moment in ordered:
            periods.setdefault(moment.strftime(form), moment)
        stay |= set(list(periods.values())[:count])
    return stay


def prune(folder: Path, keep: Keep, *, signer: str, dry_run: bool = False, now: float | None = None) -> Pruned:
    """Remove the backups of this server (`signer`) in `folder` that `keep` does not keep, and files that none needs.

    Backups of other servers and unreadable ones stay; while there is an unreadable one, all files stay as well,
    because nobody knows which of them it needs. With `dry_run` nothing is removed.
    """
    found, problems = manifests.all_of(folder)
    mine = [manifest for manifest in found if manifest.signer == signer]
    removed = []
    for kind in ("full", "database"):
        of_kind = [manifest for manifest in mine if manifest.kind == kind]
        stay = kept((manifest.moment for manifest in of_kind), keep)
        removed += [manifest.name for manifest in of_kind if manifest.moment not in stay]
    for name in removed:
        if not dry_run:
            _remove(manifests.set_path(folder, name))
    if problems:
        return Pruned(removed, 0, 0, [*problems, "Therefore no file of the depot was removed from the backups."])
    needed = {name for manifest in found if manifest.name not in removed for name in manifest.objects}
    files = size = 0
    for path in (folder / manifests.OBJECTS).glob("*/*.age"):
        if path.stem not in needed and (now or time.time()) - path.stat().st_mtime > _YOUNG:
            files, size = files + 1, size + path.stat().st_size
            if not dry_run:
                path.unlink()
    for path in (folder / manifests.OBJECTS).glob("*/*.damaged"):
        if not dry_run and path.with_suffix(".age").exists():
            path.unlink()
    return Pruned(removed, files, size, [])


def _remove(path: Path) -> None:
    """The manifest goes first: what an interruption leaves is no backup any more, and is swept by the next one."""
    (path / manifests.MANIFEST).unlink()
    shutil.rmtree(path)
    if not any(path.parent.iterdir()):
        path.parent.rmdir()
