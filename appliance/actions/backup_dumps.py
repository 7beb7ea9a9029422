"""Dumps of the database alone for a GnuPG key, as in the DCOR manual, and restoring them."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance import durable, root_marker
from appliance.actions import backups
from appliance.actions.site import Site
from appliance.backup import create as backup
from appliance.backup import gpg as backup_gpg
from appliance.backup import manifest as backup_manifest
from appliance.backup import retention
from appliance.model.problem import invalid
from appliance.model.viewer import OPERATOR
from appliance.security import secrets
from appliance.settings import Settings
from appliance.store import audit, backup_source, database_place

_FOLDER = "encrypted_db_dumps"
_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Restored:
    """Result: number of depot files in the database, and sentences about missing ones."""

    files: int
    size: int
    problems: list[str]


def gpg_home(settings: Settings) -> Path:
    """Keyring of public keys for `encrypted-database-backup`."""
    return settings.secrets / "gnupg"


def create(site: Site, key_id: str, now: datetime | None = None) -> Path:
    """Write the database, encrypted to a GnuPG key, to the path given in the manual; return it. Keeps as many dumps as backups."""
    settings = site.settings
    backup_gpg.require_key(gpg_home(settings), key_id)  # checked before anything is created
    moment = now or datetime.now(UTC)
    base = secrets.private_folder(backups.ready(settings) / _FOLDER)
    month = secrets.private_folder(base / moment.strftime("%Y-%m"))
    name = f"dcor_db_{settings.server.hostname}_{backup_manifest.name_of(moment)}.sqlite"
    target = month / f"{name}_{key_id.removeprefix('0x').replace('@', '-at-')}.gpg"
    with backup.locked(backups.folder(settings)), backup.scratch(settings.tmp) as work:
        copy = work / name
        backup_source.snapshot(settings.database, copy)
        backup_gpg.encrypt(gpg_home(settings), copy, target, key_id)
    _prune(base, settings)
    with site.db.write() as tx:
        audit.add(tx, OPERATOR, "backup.gpg", "backup", target.name)
    return target


def is_dump(path: Path) -> bool:
    """Is this file a database, or one that GnuPG has encrypted?"""
    if path.suffix in {".gpg", ".pgp", ".asc"}:
        return True
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def restore(
    target: Path, dump: Path, *, key: Path | None = None, passphrase: str | None = None, replace: bool = False
) -> Restored:
    """Put the database in `dump` into the installed data root `target`; its settings, certificate and files stay.

    The database that is there goes to the quarantine. For an encrypted dump, `key` is a file with the exported private key
    and `passphrase` what that key is protected with; without `key`, the keyring of whoever runs this is asked.
    Raises Problem 409 for a wrong key, a damaged dump, a running service, or datasets that would go (unless `replace`).
    """
    if not (target / "dcor.toml").is_file():
        raise invalid(
            message=f"{target} is not a data root. A dump contains only the database: install the appliance first."
        )
    if (target / root_marker.RESTORING).exists():
        raise root_marker.half_restored(target)
    backups.require_stopped(target)
    place = target / root_marker.DATABASE
    if not replace and backup_source.datasets_in(place):
        raise invalid(message=f"{target} is in use: it has datasets. Use --replace to move its database aside.")
    draft = target / f"{root_marker.DATABASE}.part"
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        _unpack(dump, draft, key, passphrase)
        problems = backup_source.examine(draft)
        if problems:
            raise invalid(message=f"The database in {dump} is damaged. Use another dump. {' '.join(problems)}")
        _set_aside(target, place)
        durable.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)
    lost: list[str] = []
    backups.finish(target, "backup.restore_database", dump.name, lost)
    return Restored(sum(1 for _ in backup_source.depot_files(place)), place.stat().st_size, lost)


def _unpack(dump: Path, draft: Path, key: Path | None, passphrase: str | None) -> None:
    with dump.open("rb") as file:
        plain = file.read(len(_SQLITE)) == _SQLITE
    if plain:
        shutil.copyfile(dump, draft)
    else:
        backup_gpg.decrypt(dump, draft, key=key, passphrase=passphrase)
    with draft.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            raise invalid(message=f"{dump} does not contain a database of this appliance.")


def _set_aside(target: Path, place: Path) -> None:
    name = f"before-restore-{backup_manifest.name_of(datetime.now(UTC))}"
    for path in (place.resolve(), *database_place.logs_of(place)):
        if path.exists():
            durable.move(path, secrets.private_folder(target / "quarantine" / name) / path.name)


def _prune(base: Path, settings: Settings) -> None:
    keep = retention.Keep(settings.backup.keep_daily, settings.backup.keep_monthly, settings.backup.keep_yearly)
    moments: dict[datetime, list[Path]] = {}
    for path in base.glob("*/dcor_db_*.gpg"):
        stamp = path.name.split(".sqlite_")[0][-17:]
        moments.setdefault(backup_manifest.moment_of(stamp), []).append(path)
    for moment in moments.keys() - retention.kept(moments, keep):
        for path in moments[moment]:
            path.unlink()
