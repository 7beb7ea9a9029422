"""Backups of this appliance: their content, location, retention, and results."""

from __future__ import annotations

import fcntl
import sqlite3
import tempfile
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appliance import __version__, durable, root_marker
from appliance.actions import rollback_copies
from appliance.actions.site import Site
from appliance.archive.moving import files_stay
from appliance.backup import claims, retention
from appliance.backup import create as backup
from appliance.backup import crypto as backup_crypto
from appliance.backup import key_sheet as backup_sheet
from appliance.backup import manifest as backup_manifest
from appliance.backup import restore as backup_restore
from appliance.backup import verify as backup_verify
from appliance.backup import zip_archive as backup_zip
from appliance.backup.create import Progress
from appliance.model import messages
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import OPERATOR, Viewer
from appliance.security import secrets
from appliance.settings import Settings, load
from appliance.store import alarms, audit, backup_source, data_root, database_place
from appliance.store.database import Database
from appliance.store.depot import Depot

ALARM = Message("backup")
#: Name of the secret in `secrets/` with which backups are signed.
BACKUP_KEY = "backup.key"
#: A scheduled backup is skipped if there is a younger one.
FRESH = timedelta(hours=20)


def folder(settings: Settings) -> Path:
    """The folder for backups: `backup.folder`, else `backups/` in the data root."""
    return Path(settings.backup.folder) if settings.backup.folder else settings.data / "backups"


def seal(settings: Settings, *, renew: bool = False) -> backup_manifest.Seal:
    """This server's signature for backups; its secret is made at the first call.

    Raises Problem 409 when it is missing although there are backups: another one would disown them. (`renew`: make it all the same.)
    """
    path = settings.secrets / BACKUP_KEY
    if not renew and not path.exists() and backup_manifest.names(folder(settings)):
        raise invalid(message=Message(
            "%(path)s, with which this server signs its backups, is missing. Restore it from a backup: sudo dcor "
            "backup restore --system --key key-sheet.txt. Without the key sheet, start over: sudo dcor backup keys "
            "--replace", path=path))  # fmt: skip
    secrets.private_folder(settings.secrets)
    return backup_manifest.Seal(secrets.load_or_create(path))


def own_signer(settings: Settings) -> str | None:
    """The public half of `seal`, None as long as there is none. Makes nothing."""
    path = settings.secrets / BACKUP_KEY
    return backup_manifest.Seal(secrets.load_or_create(path)).public if path.exists() else None


def source(settings: Settings) -> backup.Source:
    """The parts of this data root that a backup contains."""
    depot, root = Depot(settings.data), settings.data

    def files(copy: Path) -> list[backup.SourceFile]:
        """What the copied database knows of the depot, with its place below the data root."""
        found = []
        for row in backup_source.depot_files(copy):
            path = depot.path(row.resource_id, row.kind)
            found.append(backup.SourceFile(str(path.relative_to(root)), path, row.size, row.sha256))
        return found

    system = [*root.glob("*.toml"), *(root / "secrets").glob("*.key"), *(root / "certificates").iterdir()]
    return backup.Source(
        snapshot=lambda target: backup_source.snapshot(settings.database, target),
        files=files,
        system={str(path.relative_to(root)): path for path in system if path.is_file() and path.name[0] != "."},
        hostname=settings.server.hostname,
        version=__version__,
        audit=backup_source.audit_state,
        stay=lambda: files_stay(settings),
    )


def make_keys(site: Site, viewer: Viewer) -> tuple[backup_crypto.Keys, str]:
    """Make a key pair for backups; return it and the key sheet for printing. Nothing of it is kept here.

    The caller writes the public half into `backup.recipient`.
    """
    keys = backup_crypto.new_keys()
    sheet = backup_sheet.key_sheet(
        keys, seal(site.settings, renew=True).public, site.settings.server.hostname, datetime.now(UTC)
    )
    with site.db.write() as tx:
        audit.add(tx, viewer, "backup.keys", "backup", keys.recipient)
    return keys, sheet


def create(
    site: Site, viewer: Viewer = OPERATOR, *, kind: str = "full", progress: Progress | None = None
) -> backup.Created:
    """Make a backup, note it in the audit log and remove what need not be kept. A failure raises an alarm, and Problem."""
    settings = site.settings
    recipients = [settings.backup.recipient] if settings.backup.recipient else []
    try:
        rollback_copies.move_from_backups(settings)
        made = backup.create(
            source(settings), ready(settings), recipients, seal(settings),
            workdir=settings.tmp, kind=kind, progress=progress,
        )  # fmt: skip
    except (Problem, OSError) as error:
        alarm(site, Message("The backup failed: %(error)s", error=error))
        raise
    with site.db.write() as tx:
        audit.add(
            tx, viewer, "backup.create", "backup", made.manifest.name, kind=kind, new_files=made.new_files, problems=len(made.problems)
        )  # fmt: skip
    problems = messages.joined(made.problems)
    alarm(
        site, Message("Backup %(name)s: %(problems)s", name=made.manifest.name, problems=problems) if problems else None
    )
    prune(site, viewer)
    return made


def is_fresh(settings: Settings, now: datetime | None = None) -> bool:
    """Is there a full backup by this server younger than `FRESH`?"""
    place, moment, signer = folder(settings), now or datetime.now(UTC), own_signer(settings)
    for name in backup_manifest.names(place):
        if signer is None or not -backup_manifest.CLOCKS <= moment - backup_manifest.moment_of(name) < FRESH:
            continue
        with suppress(Problem):  # damaged, or written by others
            if backup_manifest.find(place, name, signer).kind == backup_manifest.FULL:
                return True
    return False


def prune(site: Site, viewer: Viewer = OPERATOR, *, dry_run: bool = False) -> retention.Pruned:
    """Remove backups that the retention rules do not keep, and files that no backup needs."""
    settings = site.settings.backup
    keep = retention.Keep(settings.keep_daily, settings.keep_monthly, settings.keep_yearly)
    with backup.locked(folder(site.settings)):
        done = retention.prune(folder(site.settings), keep, signer=seal(site.settings).public, dry_run=dry_run)
    if done.removed and not dry_run:
        with site.db.write() as tx:
            audit.add(tx, viewer, "backup.prune", "backup", "", removed=done.removed)
    return done


def listed(place: Path, signer: str | None = None) -> list[dict[str, Any]]:
    """The backups in a folder, newest first, as plain values; unreadable ones with their `problem`."""
    rows = []
    for name in backup_manifest.names(place):
        row: dict[str, Any] = {"name": name, "created": backup_manifest.moment_of(name).isoformat()}
        try:
            found = backup_manifest.find(place, name)
        except Problem as problem:
            row |= {"kind": "", "files": 0, "size": 0, "own": False, "problem": str(problem)}
        else:
            row |= {
                "kind": found.kind, "files": len(found.objects), "size": found.size, "hostname": found.hostname,
                "version": found.version, "recipients": list(found.recipients), "own": signer in (None, found.signer), "problem": "",
            }  # fmt: skip
        rows.append(row)
    return rows


def verify(
    settings: Settings,
    name: str | None = None,
    *,
    place: Path | None = None,
    key: str | None = None,
    progress: Progress | None = None,
) -> backup_verify.Verified:
    """Check a backup (None: the newest) in `place` (None: the configured folder), with the text of a key file or without.

    Damaged files of the depot in the configured folder are renamed, and the next backup stores them again.
    """
    identities = backup_crypto.parse_identities(key) if key is not None else []
    own = own_signer(settings) if place is None else None
    with backup.scratch(settings.tmp if settings.tmp.is_dir() else Path(tempfile.gettempdir())) as work:
        done = backup_verify.verify(
            place or folder(settings),
            name,
            identities=identities,
            signer=(backup_sheet.signer_of(key) if key else None) or own,
            workdir=work,
            examine=backup_source.examine,
            progress=progress,
        )
    if place is None:
        _set_aside(folder(settings), done)
    return done


def note_verified(site: Site, viewer: Viewer, done: backup_verify.Verified) -> None:
    """Write into the audit log what came of looking at a backup in our own folder."""
    with site.db.write() as tx:
        audit.add(
            tx, viewer, "backup.verify", "backup", done.name, opened=done.opened, problems=len(done.problems)
        )  # fmt: skip


def last_verified(conn: sqlite3.Connection, names: list[str]) -> dict[str, dict[str, Any]]:
    """The last entry of the audit log about a look at each of these backups; those nobody has looked at are missing."""
    which = audit.Filter(action="backup.verify", objects=tuple(names))
    found = audit.entries(conn, which, limit=20 * max(len(names), 1)) if names else []
    return {entry["object_id"]: entry for entry in reversed(found)}


def restore(
    target: Path,
    place: Path,
    key: str,
    *,
    name: str | None = None,
    signer: str | None = None,
    any_signer: bool = False,
    replace: bool = False,
    progress: Progress | None = None,
) -> backup_restore.Restored:
    """Rebuild a data root in `target` from the backups in `place` and the text of a key file, and bring it up to date.

    The backup must be signed by `signer`, else by the server that the key file names; with `any_signer` by anybody.
    Raises Problem 409 when nobody is named, before anything is touched.
    """
    signed_by = None if any_signer else backup_sheet.require_signer(key, signer)
    move = may_move(target, replace=replace)
    done = backup_restore.restore(
        place,
        target,
        backup_crypto.parse_identities(key),
        examine=backup_source.examine,
        name=name,
        signer=signed_by,
        replace=move,
        complete=lambda backup, problems: finish(target, "backup.restore", backup, problems),
        progress=progress,
    )
    if done.manifest.kind != backup_manifest.FULL:
        text = Message("The backup %(name)s is of the database only: no files were in it.", name=done.manifest.name)
        done.notes.append(text)
    return done


def may_move(target: Path, *, replace: bool = False) -> bool:
    """May a restore move what is in `target` into the quarantine there?

    A data root without datasets (as the installer makes it) is moved without asking, one with datasets or an unfinished restore
    only with `replace`. The depot stays: what is right in it need not be fetched. Raises Problem 409 while the service runs, and for
    a folder with something else.
    """
    require_stopped(target)
    if claims.unfinished(target) is not None or not claims.present(target):
        return replace
    if not any((target / name).exists() for name in (root_marker.SETTINGS, root_marker.DATABASE, root_marker.MARKER)):
        return False
    if not replace and backup_source.datasets_in(target / root_marker.DATABASE):
        raise invalid(message=Message(
            "%(target)s is in use: it contains datasets. Restore into another folder, or use --replace to move its "
            "contents into its quarantine first.", target=target))  # fmt: skip
    return True


def restore_zip(
    target: Path, path: Path, passphrase: str, *, replace: bool = False, progress: Progress | None = None
) -> backup_zip.Zipped:
    """Rebuild a data root in `target` from a ZIP backup."""
    move = may_move(target, replace=replace)
    return backup_zip.restore(
        path,
        target,
        passphrase,
        examine=backup_source.examine,
        replace=move,
        complete=lambda backup, problems: finish(target, "backup.restore", backup, problems),
        progress=progress,
    )


def missing_files(target: Path) -> list[str]:
    """Sentences about files that the database of a data root knows and its depot lacks."""
    depot = Depot(target)
    rows = backup_source.depot_files(target / root_marker.DATABASE)
    lost = [row for row in rows if not depot.path(row.resource_id, row.kind).is_file()]
    originals = sum(row.kind == "original" for row in lost)
    others = len(lost) - originals
    told = (
        (originals, Message("%(count)s uploaded files are not in the depot: copy depot/ back from where you keep it.")),
        (others, Message("%(count)s files that jobs made are not in the depot: `dcor jobs run-missing` makes them.")),
    )
    return [Message(text, count=count) for count, text in told if count]


def restore_files(
    site: Site,
    place: Path,
    key: str,
    *,
    name: str | None = None,
    signer: str | None = None,
    any_signer: bool = False,
    progress: Progress | None = None,
) -> backup_restore.Restored:
    """Put back the files that the catalogue knows and the depot has lost; nothing that is there is touched.

    The backup must be signed by `signer`, else by whom the key file names, else by this server; `any_signer` lifts the last.
    """
    root = site.settings.data
    known = {
        str(site.depot.path(row.resource_id, row.kind).relative_to(root))
        for row in backup_source.depot_files(site.settings.database)
    }
    done = backup_restore.restore_files(
        place,
        root,
        backup_crypto.parse_identities(key),
        lambda file: file in known,
        name=name,
        signer=signer or backup_sheet.signer_of(key) or (None if any_signer else seal(site.settings).public),
        progress=progress,
    )
    with site.db.write() as tx:
        audit.add(tx, OPERATOR, "backup.restore_files", "backup", done.manifest.name, files=done.files)
    return done


def zip_backup(
    site: Site, target: Path, passphrase: str, *, with_files: bool, progress: Progress | None = None
) -> backup_zip.Zipped:
    """Write a ZIP that opens with `passphrase`. Raises Problem."""
    done = backup_zip.create(
        source(site.settings), target, passphrase, workdir=site.settings.tmp, with_files=with_files, progress=progress
    )
    with site.db.write() as tx:
        audit.add(tx, OPERATOR, "backup.zip", "backup", target.name, files=with_files)
    return done


def ready(settings: Settings) -> Path:
    """The folder of the backups; our own one is made."""
    place = folder(settings)
    if not settings.backup.folder:  # a configured one must be there, or its disk is not mounted
        secrets.private_folder(place)
    return place


def _set_aside(place: Path, found: backup_verify.Verified) -> None:
    """Rename damaged files of the depot in our own backups, so that the next backup stores them again."""
    with backup.locked(place):
        for name in found.damaged:
            path = backup_manifest.object_path(place, name)
            if path.is_file():
                durable.replace(path, path.with_suffix(".damaged"))


def require_stopped(root: Path) -> None:
    """Raise Problem 409 while a service runs on this data root."""
    lock = root / "tmp" / "jobs.lock"
    if lock.exists():
        with lock.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise invalid(message=Message("The service is running. Stop it first: sudo systemctl stop dcor")) from error  # fmt: skip


def finish(target: Path, action: str, name: str, problems: list[str]) -> None:
    """Make the missing folders, bring an older database up to date, note what happened, and add what the depot lacks to `problems`."""
    data_root.create(target)
    database_place.settle(target / root_marker.DATABASE, load(target).depot.database_folder)
    db = Database(target / root_marker.DATABASE)
    db.migrate()
    root_marker.finish(target, load(target).server.hostname)
    if not problems:  # otherwise single files were named
        problems += missing_files(target)
    with closing(db), db.write() as tx:
        audit.add(tx, OPERATOR, action, "backup", name, problems=len(problems))


def alarm(site: Site, message: str | None, what: str = "") -> None:
    """Settle the open alarm about backups (`what`: about what of them), and raise one when there is a `message`."""
    with site.db.write() as tx:
        alarms.resolve_for(tx, ALARM, what)
        if message is not None:
            alarms.raise_(tx, ALARM, what, messages.cut(message, 2000))
