"""What should happen by itself: jobs, backups, alarms."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from appliance.actions import backups, reserve
from appliance.backup import manifest as backup_manifest
from appliance.health.base import Finding, Level, Premises, check
from appliance.model import messages, object_kinds, times
from appliance.model.messages import Message, joined
from appliance.model.problem import Problem
from appliance.store import alarms as store_alarms
from appliance.store import inspection
from appliance.store import jobs as store_jobs

_SHOWN = 5
_PATIENCE = 900  # seconds that a job may wait before somebody should look
_DAY = 86400.0


@check("jobs", "background jobs run, and none failed for good")
def jobs(premises: Premises) -> Iterator[Finding]:
    """Waiting long, dead or failed jobs."""
    with premises.db.read() as conn:
        waiting, dead, failed, counts = (
            inspection.waiting_since(conn),
            inspection.dead_jobs(conn),
            inspection.failed_jobs(conn),
            store_jobs.counts(conn),
        )
    good = True
    if waiting is not None and (age := (datetime.now(UTC) - times.parse(waiting)).total_seconds()) > _PATIENCE:
        good = False
        yield Finding(
            "jobs",
            Level.PROBLEM,
            Message(
                "%(queued)s jobs are waiting, the oldest for %(age)s minutes",
                queued=counts["queued"],
                age=f"{age / 60:.0f}",
            ),
            Message("Previews, condensed files and checksums are missing."),
            Message("Is the service running? `dcor status`; `dcor jobs run` works without it."),
        )
    if dead:
        good = False
        yield Finding(
            "jobs",
            Level.WARNING,
            Message("%(dead)s jobs belong to a worker that no longer exists", dead=len(dead)),
            "",
            Message("The service resumes them automatically when it runs."),
        )
    own = [job for job in failed if not job["resource_id"]]
    for job in own[:_SHOWN]:
        good = False
        yield Finding(
            "jobs",
            Level.WARNING,
            Message(
                "%(kind)s failed: %(error)s",
                kind=job["kind"],
                error=job["error"] or Message("no reason recorded"),
            ),
            Message("It will run again as scheduled."),
            f"dcor jobs show {job['id']}; dcor jobs retry {job['id']}",
        )
    if len(own) > _SHOWN:
        yield Finding(
            "jobs",
            Level.WARNING,
            Message("… and %(own)s more failed jobs", own=len(own) - _SHOWN),
            "",
            "dcor jobs list --state failed",
        )
    if files := len({job["resource_id"] for job in failed if job["resource_id"]}):
        yield Finding(
            "jobs",
            Level.NOTE,
            Message("%(files)s user files could not be processed", files=files),
            Message("This is not a server error: the files' pages say what is wrong with them."),
            "dcor jobs list --state failed",
        )
    if good:
        yield Finding(
            "jobs",
            Level.OK,
            joined([_counted(state, number) for state, number in counts.items() if number], ", ")
            or Message("none yet"),
        )


def _counted(state: str, number: int) -> str:
    """How many jobs are in a state."""
    said = {
        "queued": Message("waiting"),
        "running": Message("running"),
        "done": Message("done"),
        "failed": Message("failed"),
    }
    return Message("%(number)s %(state)s", number=number, state=said.get(state, state))


@check("reserve", "the standby machine has a recent enough increment")
def reserve_machine(premises: Premises) -> Iterator[Finding]:
    """Age of the newest increment; only where a folder for them is set."""
    settings = premises.settings
    if not settings.reserve.folder:
        yield Finding("reserve", Level.OK, Message("no increments are configured"))
        return
    last = reserve.newest(settings)
    age = None if last is None else (datetime.now(UTC) - last).total_seconds() / 60
    if age is not None and age <= 3 * settings.reserve.minutes:
        yield Finding("reserve", Level.OK, Message("the newest increment is %(age)s minutes old", age=f"{age:.0f}"))
        return
    yield Finding(
        "reserve",
        Level.PROBLEM,
        Message("there is no increment in %(folder)s", folder=settings.reserve.folder)
        if age is None
        else Message("the newest increment is %(age)s minutes old", age=f"{age:.0f}"),
        Message("Anything newer is lost if the standby machine has to take over."),
        "sudo dcor reserve update; systemctl status dcor-reserve.timer",
    )


@check("backup", "the last backup is younger than two days and can only be read with a key that is kept elsewhere")
def backup(premises: Premises) -> Iterator[Finding]:
    """Age of the newest backup, its folder, its recipient."""
    settings = premises.settings.backup
    folder = backup_folder(premises)
    if not settings.recipient and not settings.gpg_key:
        yield Finding(
            "backup",
            Level.WARNING,
            Message("no backup encryption key is set up"),
            Message("Nothing is backed up."),
            "dcor backup keys",
        )
        return
    if settings.folder and not folder.is_dir():
        yield Finding(
            "backup",
            Level.PROBLEM,
            Message("%(folder)s does not exist", folder=folder),
            Message("No backup can be created."),
            Message(
                "Is its disk mounted (`findmnt -T %(folder)s`)? A new folder: sudo install -d -m 700 --owner=$(stat -c %%U %(data_root)s) %(folder)s",
                folder=folder,
                data_root=premises.data_root,
            ),
        )
        return
    yield from _dated_ahead(folder)
    yield from _age(folder)
    yield from _damaged(premises, folder)
    yield from _where(premises, folder)


def _dated_ahead(folder: Path) -> Iterator[Finding]:
    if ahead := backup_manifest.dated_ahead(folder):
        yield Finding(
            "backup",
            Level.WARNING,
            Message(
                "%(number)s backups in %(folder)s are dated in the future, for example %(example)s",
                number=len(ahead),
                folder=folder,
                example=ahead[0],
            ),
            Message("They do not count as backups; the clock was wrong, or someone else put them there."),
            Message("timedatectl; dcor backup verify NAME, and move bad backups out of the folder"),
        )


def _age(folder: Path) -> Iterator[Finding]:
    """How old the newest complete backup is, or that there is none."""
    newest = newest_backup(folder)
    if newest is None:
        if backup_manifest.newest(folder, backup_manifest.DATABASE_ONLY) is None:
            text = Message("no complete backup in %(folder)s", folder=folder)
            why = Message("If the disk fails, everything is lost.")
        else:
            text = Message("no complete backup in %(folder)s, only some of the database", folder=folder)
            why = Message("If the disk fails, every measurement is lost.")
        yield Finding("backup", Level.WARNING, text, why, "dcor backup create")
        return
    age = time.time() - newest
    if age > 2 * _DAY:
        yield Finding(
            "backup",
            Level.PROBLEM,
            Message("the latest complete backup is %(age)s days old", age=f"{age / _DAY:.1f}"),
            Message("Anything newer is lost if the disk fails."),
            "systemctl status dcor-backup.timer; dcor backup create",
        )
    else:
        yield Finding(
            "backup",
            Level.OK,
            Message(
                "the latest complete one is %(age)s hours old, in %(folder)s", age=f"{age / 3600:.1f}", folder=folder
            ),
        )


def _where(premises: Premises, folder: Path) -> Iterator[Finding]:
    """What lies in the folder in clear, and whether it shares a disk with the data."""
    plain = sorted(path.name for path in folder.glob("*.sqlite"))
    if plain:
        yield Finding(
            "backup",
            Level.PROBLEM,
            Message(
                "There are %(number)s unencrypted copies of the database in %(folder)s: %(names)s",
                number=len(plain),
                folder=folder,
                names=", ".join(plain[:_SHOWN]),
            ),
            Message("Anyone with access to this folder can read them, unlike the backups."),
            "dcor backup create moves those that updates made (older than an hour); move others yourself",
        )
    if folder.is_dir() and folder.stat().st_dev == (premises.data_root / "depot").stat().st_dev:
        yield Finding(
            "backup",
            Level.NOTE,
            Message("%(folder)s is on the same volume as the data", folder=folder),
            Message("If the disk fails, both are lost."),
            "dcor config set backup.folder /mnt/BACKUPDISK/dcor",
        )


def _damaged(premises: Premises, folder: Path) -> Iterator[Finding]:
    """What shows without reading the backups: unreadable lists, missing and shortened files of the newest, a foreign signature."""
    why = Message("It cannot be relied on after a fire.")
    again = Message("dcor backup create makes a whole one")
    newest = backup_manifest.newest(folder, backup_manifest.FULL)
    for name in backup_manifest.names(folder):
        try:
            found = backup_manifest.find(folder, name)
        except Problem as problem:
            path = backup_manifest.set_path(folder, name)
            fix = Message("%(again)s; this one is no longer usable: move %(path)s away", again=again, path=path)
            yield Finding("backup", Level.PROBLEM, messages.joined((name, str(problem)), ": "), why, fix)
            continue
        if name != newest:
            continue
        signer = backups.own_signer(premises.settings)
        if signer is not None and found.signer != signer:
            yield Finding(
                "backup",
                Level.PROBLEM,
                Message(
                    "%(name)s was signed with a different key than %(backups)s here",
                    name=name,
                    backups=backups.BACKUP_KEY,
                ),
                Message(
                    "It does not count as this server's own; a restore with the key sheet does not use any later one."
                ),
                Message(
                    "Restore the old key: sudo mv %(backups)s /root/, then sudo dcor backup restore --system --key "
                    "key-sheet.txt. Or start over: dcor backup keys --replace, then dcor backup create.",
                    backups=premises.settings.secrets / backups.BACKUP_KEY,
                ),
            )
        if bad := list(_short(folder, found)):
            yield Finding(
                "backup",
                Level.PROBLEM,
                Message(
                    "%(number)s files of %(name)s are missing or incomplete, for example %(example)s",
                    number=len(bad),
                    name=name,
                    example=bad[0],
                ),
                why,
                again,
            )
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        yield Finding(
            "backup",
            Level.PROBLEM,
            Message("%(folder)s is not writable", folder=folder),
            Message("No backup can be created."),
            f"sudo chown --reference={premises.data_root} {folder}; sudo chmod 700 {folder}",
        )


def _short(folder: Path, found: backup_manifest.Manifest) -> Iterator[str]:
    """Files of a backup that are not there in their full length."""
    own = backup_manifest.set_path(folder, found.name)
    paths = {own / name: digest.size for name, digest in found.parts.items()}
    paths |= {backup_manifest.object_path(folder, name): digest.size for name, digest in found.objects.items()}
    for path, size in paths.items():
        try:
            whole = path.stat().st_size == size
        except OSError:
            whole = False
        if not whole:
            yield str(path.relative_to(folder))


@check("alarms", "no alarm is open")
def alarms(premises: Premises) -> Iterator[Finding]:
    """What jobs and the service reported and nobody has dealt with."""
    with premises.db.read() as conn:
        found = store_alarms.open_(conn)
    for alarm in found[:_SHOWN]:
        yield Finding(
            "alarms",
            Level.PROBLEM,
            Message(
                "%(at)s %(kind)s: %(text)s",
                at=alarm["at"][:16].replace("T", " "),
                kind=object_kinds.said(alarm["kind"]),
                text=alarm["message"],
            ),
            "",
            Message("Fix the cause, then: dcor alarm resolve %(id)s", id=alarm["id"]),
        )
    if not found:
        yield Finding("alarms", Level.OK, Message("none"))


def backup_folder(premises: Premises) -> Path:
    """Where backups go."""
    return Path(premises.settings.backup.folder) if premises.settings.backup.folder else premises.data_root / "backups"


def newest_backup(folder: Path) -> float | None:
    """Time of the newest complete backup in `folder` (seconds since 1970), None when there is none with the depot's files."""
    found = backup_manifest.newest(folder, backup_manifest.FULL)
    return backup_manifest.moment_of(found).timestamp() if found else None
