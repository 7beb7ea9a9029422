"""A standby machine: increments of this server every few minutes, and the way to take over from them.

An increment is a complete backup in a folder of its own (`reserve.folder`): the database anew, of the depot what is new. The newest
ones are kept. The other machine holds nothing but the program; the private key opens the increments there.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import ssl
import tomllib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appliance import durable, root_marker
from appliance.actions import backups
from appliance.actions.site import Site
from appliance.backup import claims, crypto, key_sheet, retention
from appliance.backup import create as backup
from appliance.backup import manifest as backup_manifest
from appliance.backup import restore as backup_restore
from appliance.backup.create import Progress
from appliance.backup.manifest import Manifest
from appliance.model import messages
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import OPERATOR
from appliance.settings import Settings
from appliance.store import audit
from appliance.store.database import Database

#: What of the alarms about backups is about increments.
ALARM = Message("reserve")
#: Increments that stay: the newest may be damaged, or be written while the machine dies.
KEPT = 3
#: Says in the folder which data root goes on from here.
TAKEN = "taken-over.json"
#: A timer looks this often; what is due by then is made. (A timer may be late, too.)
TIMER = timedelta(minutes=5)
_TIMEOUT = 5.0  # seconds in which the old server has to answer


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What was restored, from which increment, made when, and which newer ones could not be used, in sentences."""

    restored: backup_restore.Restored
    made: datetime
    passed_over: list[str]


def folder(settings: Settings) -> Path:
    """Where increments go. Raises Problem 409 without one."""
    if not settings.reserve.folder:
        raise invalid(
            message="There is no folder for increments. Set one: sudo dcor config set reserve.folder /mnt/reserve/dcor"
        )
    return Path(settings.reserve.folder)


def newest(settings: Settings) -> datetime | None:
    """When the newest increment was made."""
    name = backup_manifest.newest(folder(settings), backup_manifest.FULL)
    return None if name is None else backup_manifest.moment_of(name)


def is_due(settings: Settings, now: datetime | None = None) -> bool:
    """Would the newest increment be older than `reserve.minutes` when the timer looks next?"""
    last = newest(settings)
    age = (now or datetime.now(UTC)) - (last or datetime.fromtimestamp(0, UTC))
    return age + TIMER / 2 >= timedelta(minutes=settings.reserve.minutes)


def update(site: Site, *, progress: Progress | None = None) -> backup.Created:
    """Make an increment and remove those that are not kept. A failure raises an alarm, and Problem or OSError.

    Refused when another machine has taken over from this folder: what is entered here since then would be lost.
    """
    settings = site.settings
    recipients = [settings.backup.recipient] if settings.backup.recipient else []
    try:
        place = folder(settings)
        if not place.is_dir():
            raise invalid(message=f"{place} does not exist. Is its disk or share mounted (`findmnt -T {place}`)?")
        _require_own(settings, place)
        seal = backups.seal(settings)
        made = backup.create(
            backups.source(settings), place, recipients, seal, workdir=settings.tmp, progress=progress
        )  # fmt: skip
        with backup.locked(place):
            retention.prune(place, retention.Keep(newest=KEPT), signer=seal.public)
    except (Problem, OSError) as error:
        backups.alarm(
            site, Message("No increment for the standby machine could be created: %(error)s", error=error), ALARM
        )
        raise
    problems = messages.joined(made.problems)
    backups.alarm(
        site,
        Message("The increment %(name)s: %(problems)s", name=made.manifest.name, problems=problems)
        if problems
        else None,
        ALARM,
    )
    return made


def take_over(
    target: Path,
    place: Path,
    key: str,
    *,
    signer: str | None = None,
    any_signer: bool = False,
    replace: bool = False,
    old_is_off: bool = False,
    address: str | None = None,
    progress: Progress | None = None,
) -> TakenOver:
    """Make `target` the server whose increments lie in `place`: data, name, certificate, keys, settings, from the newest that can be used.

    Raises Problem 409, with nothing changed, while the old server answers at its name (or at `address`), unless `old_is_off`, and where
    `target` has datasets, unless `replace`. A call that was interrupted goes on when it is repeated.
    """
    signed_by = None if any_signer else key_sheet.require_signer(key, signer)
    identities = crypto.parse_identities(key)
    names = backup_manifest.names(place, backup_manifest.FULL)
    if not names:
        raise invalid(message=f"There is no complete increment in {place}.")
    if not old_is_off:
        _require_silent(place, names, identities, signed_by, address)
    passed_over: list[str] = []
    held = None if replace else _held(target, names)
    if held is not None:  # the call before was interrupted after its last step but this
        restored = backup_restore.Restored(
            backup_manifest.find(place, held, signed_by), 0, 0, notes=_mark(target, place)
        )
        return TakenOver(restored, backup_manifest.moment_of(held), passed_over)
    for name in names:
        try:
            done = backups.restore(
                target, place, key, name=name, signer=signer, any_signer=any_signer, progress=progress,
                replace=replace or claims.unfinished(target) is not None,
            )  # fmt: skip
        except crypto.WrongKeyError:
            raise
        except Problem as problem:
            if "is damaged; nothing was changed" not in str(problem) or name == names[-1]:
                raise
            passed_over.append(str(problem))
            continue
        done.notes.extend(_mark(target, place))
        _note(target, name)
        return TakenOver(done, backup_manifest.moment_of(name), passed_over)
    raise AssertionError("the last increment is either taken or raises")


def _require_own(settings: Settings, place: Path) -> None:
    """Raise Problem 409 when another data root goes on from the increments in this folder."""
    try:
        taken = json.loads((place / TAKEN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        taken = {}
    marker = root_marker.read(settings.data)
    if marker is None or taken.get("root") != marker.id:
        raise invalid(
            message=f"Another machine has taken over from {place} ({taken.get('at', 'it is not known when')}). Switch this one off: nothing entered here reaches the increments. If that was a test, remove {place / TAKEN}."
        )


def _require_silent(
    place: Path, names: list[str], identities: Sequence[Any], signer: str | None, address: str | None
) -> None:
    """Raise Problem 409 when the server that made the increments is still there."""
    host, port = address or "", 443
    for name in names:
        manifest = backup_manifest.find(place, name, signer)
        crypto.require_key(identities, manifest.recipients)
        host = host or manifest.hostname
        try:
            port = _port_of(place, manifest, identities)
        except (Problem, OSError):  # this one is damaged; an older one may be whole
            continue
        break
    how = answers(host, port)
    if how:
        raise invalid(
            message=f"The old server still answers: {host}, port {port} ({how}). Two servers with the same name lose data. Switch the old one off and try again. If it is not "
            "the old server that answers there: --old-is-off"
        )


def answers(host: str, port: int) -> str:
    """How somebody answers at this address, in words; "" when nobody does within a few seconds."""
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT) as plain:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # whoever it is
            try:
                with context.wrap_socket(plain, server_hostname=host):
                    return "it speaks TLS"
            except OSError:
                return "the port is open"
    except OSError:
        return ""


def _port_of(place: Path, manifest: Manifest, identities: Sequence[Any]) -> int:
    files = backup_restore.system_files(backup_manifest.set_path(place, manifest.name), manifest, identities)
    text = next((data for member, data, _mode in files if member == root_marker.SETTINGS), b"")
    try:
        return int(tomllib.loads(text.decode()).get("server", {}).get("port", 443))
    except (ValueError, AttributeError):
        return 443


def _mark(target: Path, place: Path) -> list[str]:
    """Tell the old machine, should it come back, that it is not the server any more; → what could not be done, in sentences."""
    marker = root_marker.read(target)
    said = {"root": marker.id if marker else "", "at": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        durable.write(place / TAKEN, json.dumps(said).encode() + b"\n", 0o644)
    except OSError as error:
        return [f"{place / TAKEN} could not be written ({error}): if the old machine comes back, it will not know."]
    return []


def _held(target: Path, names: list[str]) -> str | None:
    """The increment that `target` was restored from whole, when nothing was done there since; else None."""
    try:
        root_marker.require(target)
        with closing(Database(target / root_marker.DATABASE)) as db, db.read() as conn:
            last = audit.entries(conn, limit=1)
    except (Problem, OSError, sqlite3.Error):
        return None
    held = bool(last) and last[0]["action"] in ("backup.restore", "reserve.take_over") and last[0]["object_id"] in names
    return str(last[0]["object_id"]) if held else None


def _note(target: Path, name: str) -> None:
    with closing(Database(target / root_marker.DATABASE)) as db, db.write() as tx:
        audit.add(tx, OPERATOR, "reserve.take_over", "backup", name)
